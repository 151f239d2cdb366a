import { expect, it } from 'vitest';
import { auditJournal } from '../../src/audit/index.ts';
import { HOUR, MINUTE, type Instant } from '../../src/domain/clock.ts';
import type { ImageVersion } from '../../src/domain/image.ts';
import { geoPairs } from '../../src/domain/region.ts';
import { regionScope } from '../../src/domain/scopes.ts';
import type { DesiredState } from '../../src/ledger/port.ts';
import { imageRolloutId } from '../../src/workflows/ids.ts';
import { JAMMY, NEW_VERSION, OLD_VERSION, TARGET, type TestFleetOptions } from '../support/fleet.ts';
import { QUICK, START, rehearsalOf, removeWorldsAfterEach, start, type RehearsalWorld } from './support.ts';

/*
 * A chain of geo-pairs, westus - eastus - westus3, and a rollout of an image of its own in each (rule D1): whatever becomes of
 * the one in the middle.
 */

removeWorldsAfterEach();

const names = (offer: string, sku: string) => ({ publisher: 'Canonical', offer, sku });
const FOCAL = names('0001-com-ubuntu-server-focal', '20_04-lts');
const BIONIC = names('UbuntuServer', '18.04-LTS');
const of = (image: typeof FOCAL): ImageVersion => ({
  image: { kind: 'platform', ...image },
  version: NEW_VERSION,
});

const versions = [{ version: OLD_VERSION }, { version: NEW_VERSION }];
const { kind: _, ...jammy } = JAMMY;
const images = [jammy, FOCAL, BIONIC].map((image) => ({ ...image, versions }));

const MIDDLE = imageRolloutId(TARGET, 1);

async function chain(options: TestFleetOptions = {}): Promise<RehearsalWorld> {
  return rehearsalOf(
    [
      { name: 'middle', region: 'eastus', capacity: 8 },
      { name: 'west', region: 'westus', capacity: 4, image: FOCAL },
      { name: 'west-3', region: 'westus3', capacity: 4, image: BIONIC },
    ],
    { images, ...options },
  );
}

/** The middle begins; both ends would a moment later. */
async function startAll(world: RehearsalWorld): Promise<void> {
  await start(world, [['eastus']]);
  for (const [target, region] of [
    [of(FOCAL), 'westus'],
    [of(BIONIC), 'westus3'],
  ] as const) {
    const settings = { ...QUICK, triggerDelay: { min: 2 * MINUTE, max: 2 * MINUTE } };
    await start(world, [[region]], { id: imageRolloutId(target, 1), target, settings });
  }
}

/** Lets it all come to its end, and proves from the journal that no pair was upgraded at once. */
async function finish(world: RehearsalWorld): Promise<Record<string, [Instant, Instant]>> {
  const end = await world.rehearsal.run();
  expect(end).toBe('ended');
  const entries = await world.ledger.journal.read({});
  const pairs = geoPairs(await world.fleet.regions());
  expect(auditJournal(entries, pairs).violations).toEqual([]);
  expect(await world.ledger.claims.list()).toEqual([]);
  const spanOf = (region: string): [Instant, Instant] => {
    const moments = entries
      .filter((one) => one.region === region && one.instanceId !== '')
      .map(({ at }) => at);
    return [Math.min(...moments), Math.max(...moments)];
  };
  return Object.fromEntries(['eastus', 'westus', 'westus3'].map((region) => [region, spanOf(region)]));
}

const order = async (world: RehearsalWorld, state: DesiredState) => {
  const at = world.rehearsal.now;
  await world.ledger.orders.set({
    scope: regionScope(MIDDLE, 'eastus'),
    state,
    who: 'ada',
    why: 'to see',
    at,
  });
  world.rehearsal.wakeAll();
};

it('keeps both ends out while the middle is upgraded, and lets them go at once then (D1)', async () => {
  const world = await chain();
  await startAll(world);
  const { eastus, westus, westus3 } = await finish(world);
  const [, end = 0] = eastus ?? [];
  expect(westus?.[0]).toBeGreaterThanOrEqual(end);
  expect(westus3?.[0]).toBeGreaterThanOrEqual(end);
  expect(westus?.[0]).toBeLessThan(westus3?.[1] ?? 0);
  expect(westus3?.[0]).toBeLessThan(westus?.[1] ?? 0);
});

it('keeps them out while the middle is paused half way, and only then (D1)', async () => {
  for (const [after, keeps] of [
    [10 * MINUTE, true],
    [0, false],
  ] as const) {
    const world = await chain();
    if (after === 0) await order(world, 'paused');
    else world.rehearsal.at(START + after, () => order(world, 'paused'));
    world.rehearsal.at(START + 6 * HOUR, () => order(world, 'running'));
    await startAll(world);
    const { eastus, westus, westus3 } = await finish(world);
    for (const partner of [westus, westus3]) {
      if (keeps) expect(partner?.[0]).toBeGreaterThanOrEqual(eastus?.[1] ?? Infinity);
      else expect(partner?.[1]).toBeLessThanOrEqual(START + 6 * HOUR);
    }
  }
});

it('lets them go while the middle is halted; a retry waits for its turn (D1, D2)', async () => {
  const faults = [
    { kind: 'neverHealthy' as const, version: NEW_VERSION, scaleSet: 'middle', instances: ['0'] },
  ];
  const world = await chain({ faults });
  await startAll(world);
  const halted = { at: 0 };
  const retry = async () => {
    const { westus } = await spans(world);
    // In the middle of the first of them.
    if (westus === undefined || !(await world.rehearsal.decide(MIDDLE, 'retry', 'ada', 'to see'))) {
      world.rehearsal.at(world.rehearsal.now + MINUTE, retry);
      return;
    }
    halted.at = world.rehearsal.now;
    await world.fleet.setFaults([]);
  };
  world.rehearsal.at(START + MINUTE, retry);
  await finish(world);
  const { eastusAfter, westus } = await spans(world, halted.at);
  expect(westus).toBeDefined();
  expect(eastusAfter).toBeGreaterThanOrEqual(westus ?? Infinity);
});

/** When westus was touched last, if it was; and eastus first since a moment. */
async function spans({ ledger }: RehearsalWorld, since = 0) {
  const entries = (await ledger.journal.read({})).filter(({ instanceId }) => instanceId !== '');
  const of = (region: string) => entries.filter((one) => one.region === region).map(({ at }) => at);
  const west = of('westus');
  return {
    westus: west.length === 0 ? undefined : Math.max(...west),
    eastusAfter: Math.min(...of('eastus').filter((at) => at >= since)),
  };
}

it('has what is half done in the middle ended, where all of it was terminated, before they begin (D1)', async () => {
  const world = await chain();
  await startAll(world);
  world.rehearsal.at(START + 5 * MINUTE, () => {
    const isMiddle = (id: string) => id.startsWith(MIDDLE) || id.startsWith('scale-set/middle');
    expect(world.rehearsal.terminate(isMiddle)).toBeGreaterThan(3);
  });
  const { eastus, westus, westus3 } = await finish(world);
  expect(westus?.[0]).toBeGreaterThanOrEqual(eastus?.[1] ?? Infinity);
  expect(westus3?.[0]).toBeGreaterThanOrEqual(eastus?.[1] ?? Infinity);
  expect(await world.ledger.attempts.listOpen()).toEqual([]);
});
