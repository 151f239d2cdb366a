import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { MINUTE, virtualAt } from '../../src/domain/clock.ts';
import { planRollout } from '../../src/client/index.ts';
import { readPlanFile } from '../../src/client/plan-file.ts';
import { openSimulatedFleet } from '../../src/fleet/index.ts';
import { openLedger } from '../../src/ledger/index.ts';
import { temporaryDatabase } from '../support/database.ts';

const example = (path: string) => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url));

let remove: () => Promise<void> = async () => undefined;
afterEach(() => remove());

/** The plan of an example on the fleet that it is for, after a new version of its image was published. */
async function planOf(name: string, fleetName = name) {
  const database = await temporaryDatabase();
  remove = () => database.remove();
  const fleet = await openSimulatedFleet(database);
  await fleet.seed(JSON.parse(await readFile(example(`fleets/${fleetName}.json`), 'utf8')));
  const { image = '', settings, phases } = await readPlanFile(example(`plans/${name}.json`));
  const [publisher = '', offer = '', sku = ''] = image.split(':');
  const version = '22.04.202512050';
  const at = virtualAt(await fleet.clock(), Date.now());
  await fleet.publishImageVersion({ image: { kind: 'platform', publisher, offer, sku }, version, at });
  const temporal = () => Promise.reject(new Error('a plan asks no Temporal server'));
  const context = { fleet, ledger: openLedger(database), temporal };
  return planRollout(context, { image, version, settings, phases });
}

describe('the example plans', () => {
  it('small: every set of the small fleet but the one without automatic upgrades, its phases as written', async () => {
    const plan = await planOf('small');
    expect(plan.phases.map(({ name }) => name)).toEqual(['canary', 'everywhere']);
    expect(plan.totals).toMatchObject({ scaleSets: 4, instances: 28 });
    expect(plan.skipped.map(({ name }) => name)).toEqual(['legacy']);
  });

  it('gated: each phase as it says for itself, the second one only once it is approved (D2, D3)', async () => {
    const plan = await planOf('gated', 'small');
    expect(plan.phases.map(({ name, own }) => [name, own])).toEqual([
      ['canary', { failureTolerancePercent: 0, bakeTime: 30 * MINUTE }],
      ['everywhere', { approval: true }],
    ]);
    const [canary, everywhere] = plan.phases;
    expect((canary?.bakeEnd ?? 0) - (canary?.end ?? 0)).toBeGreaterThanOrEqual(30 * MINUTE);
    expect((everywhere?.bakeEnd ?? 0) - (everywhere?.end ?? 0)).toBeLessThan(30 * MINUTE);
  });

  it('service-fabric: the node types that meet what Service Fabric asks for, and why the others do not (C5)', async () => {
    const { totals, skipped } = await planOf('service-fabric');
    expect(totals).toMatchObject({ scaleSets: 3, instances: 22 });
    expect(skipped.map(({ name, reasons }) => [name, reasons.map(({ code }) => code).join()])).toEqual([
      ['mail-be', 'ServiceFabricDurabilityMismatch'],
      ['mail-old', 'ServiceFabricHandlerTooOld'],
      ['mail-queue', 'ServiceFabricDurabilityTooLow'],
      ['mail-self-patching', 'WindowsUpdateEnabled'],
    ]);
  });

  it("demo: phases over all of the demo's regions that have the image", async () => {
    const plan = await planOf('demo');
    expect(plan.phases.length).toBeGreaterThan(2);
    expect(plan.settings.failureTolerancePercent).toBe(1);
    expect(plan.totals.toUpgrade).toBeGreaterThan(500);
  });
});
