import { expect, it } from 'vitest';
import { NEW_VERSION, testSetId } from '../support/fleet.ts';
import { QUICK, rehearsalOf, removeWorldsAfterEach, start } from './support.ts';

removeWorldsAfterEach();

it('a VM that comes in the place of a quarantined one is not in quarantine', async () => {
  const web = testSetId('web');
  const world = await rehearsalOf([{ name: 'web', region: 'eastus', capacity: 10 }], {
    faults: [
      { kind: 'neverHealthy', version: NEW_VERSION, instances: ['9'] },
      { kind: 'restoreFails', instances: ['9'] },
    ],
  });
  const { fleet, ledger, rehearsal } = world;
  await start(world, [['eastus']], { settings: { ...QUICK, failureTolerancePercent: 100 } });
  await rehearsal.run();
  const quarantined = (await ledger.quarantine.list({ scaleSetId: web })).map((one) => one.instanceId);
  expect(quarantined).toEqual(['9']);

  const model = structuredClone(await fleet.model(web)) as { sku: { capacity: number } };
  for (const capacity of [9, 10]) {
    model.sku.capacity = capacity;
    await fleet.writeModel({ model, apiVersion: '2024-11-01', at: rehearsal.now });
  }
  const there = (await fleet.instances(web, rehearsal.now)).map(({ instanceId }) => instanceId);
  expect(there).toHaveLength(10);
  expect(there).not.toContain('9');
});
