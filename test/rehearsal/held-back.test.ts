import { expect, it } from 'vitest';
import { HOUR } from '../../src/domain/clock.ts';
import type { ImageVersion } from '../../src/domain/image.ts';
import { mergeModels } from '../../src/fleet/index.ts';
import { imageRolloutId, manualRolloutId } from '../../src/workflows/ids.ts';
import { JAMMY, NEW_VERSION, OLD_VERSION, TARGET, testSetId } from '../support/fleet.ts';
import { QUICK, START, rehearsalOf, removeWorldsAfterEach, start, type RehearsalWorld } from './support.ts';

/* What a person has taken back does not come again by itself (ours; rule D6). */

removeWorldsAfterEach();

const newer: ImageVersion = { image: JAMMY, version: '22.04.202612010' };
const images = [
  {
    publisher: 'Canonical',
    offer: '0001-com-ubuntu-server-jammy',
    sku: '22_04-lts',
    versions: [{ version: OLD_VERSION }, { version: NEW_VERSION }, { version: newer.version }],
  },
];

/** The versions that a set's instances run. */
async function versionsOf(world: RehearsalWorld, name: string): Promise<string[]> {
  const instances = await world.fleet.instances(testSetId(name), world.rehearsal.now);
  return [...new Set(instances.map(({ osDisk }) => osDisk?.source.version ?? 'none'))];
}

/** Another rollout over a region, from now on, to its end. */
async function rollOut(
  world: RehearsalWorld,
  target: ImageVersion,
  generation: number,
  regions = [['eastus']],
) {
  const startedAt = world.rehearsal.now;
  const id = imageRolloutId(target, generation);
  await start(world, regions, { id, target, generation, startedAt });
  await world.rehearsal.run();
  const targets = await world.ledger.targets.list({ rolloutId: id });
  return Object.fromEntries(
    targets.map(({ scaleSetName, status, reason }) => [scaleSetName, reason?.code ?? status]),
  );
}

async function optIn({ fleet, rehearsal }: RehearsalWorld, name: string): Promise<void> {
  const id = testSetId(name);
  const [model, scaleSet] = await Promise.all([fleet.model(id), fleet.scaleSet(id)]);
  const automaticOSUpgradePolicy = { enableAutomaticOSUpgrade: true };
  await fleet.writeModel({
    id,
    model: mergeModels(model ?? {}, { properties: { upgradePolicy: { automaticOSUpgradePolicy } } }),
    apiVersion: scaleSet?.modelApiVersion ?? '',
    at: rehearsal.now,
  });
}

it('from a set that was reverted, until a newer version comes', async () => {
  const world = await rehearsalOf([{ name: 'web', region: 'eastus', capacity: 5 }], { images });
  expect(await rollOut(world, TARGET, 1)).toEqual({ web: 'upgraded' });
  const scaleSet = await world.fleet.scaleSet(testSetId('web'));
  const reverted = await world.ledger.rollouts.create({
    id: manualRolloutId(testSetId('web'), 1),
    kind: 'manual',
    action: 'revert',
    target: TARGET,
    generation: 1,
    phases: [],
    settings: QUICK,
    startedBy: 'ann',
    why: 'bad kernel',
    startedAt: START + 5 * HOUR,
  });
  world.rehearsal.start(reverted, scaleSet ?? undefined);
  await world.rehearsal.run();
  expect(await versionsOf(world, 'web')).toEqual([OLD_VERSION]);
  expect(await rollOut(world, TARGET, 2)).toEqual({ web: 'VersionHeldBack' });
  expect(await versionsOf(world, 'web')).toEqual([OLD_VERSION]);
  expect(await rollOut(world, newer, 1)).toEqual({ web: 'upgraded' });
});

it('from every set of a rollout that was reverted, those too that it had not come to', async () => {
  const sets = [
    { name: 'web', region: 'eastus', capacity: 5 },
    { name: 'late', region: 'eastus', capacity: 5, automaticOSUpgrade: false },
    { name: 'west', region: 'westus', capacity: 5 },
    { name: 'other', region: 'swedencentral', capacity: 5 },
  ];
  const world = await rehearsalOf(sets, { images });
  const over = [['eastus'], ['westus']];
  const first = { web: 'upgraded', late: 'AutomaticOSUpgradeDisabled', west: 'upgraded' };
  expect(await rollOut(world, TARGET, 1, over)).toEqual(first);
  const id = imageRolloutId(TARGET, 2);
  const revert = { id, action: 'revert' as const, generation: 2, startedAt: world.rehearsal.now };
  await start(world, over, { ...revert, startedBy: 'ann', why: 'bad kernel' });
  await world.rehearsal.run();
  const held = await world.ledger.heldVersions.list();
  expect(held.map(({ scaleSetId }) => scaleSetId?.split('/').at(-1))).toEqual(['late', 'web', 'west']);
  expect(held).toMatchObject(held.map(() => ({ version: TARGET, who: 'ann', why: 'bad kernel' })));
  await optIn(world, 'late');
  const again = {
    web: 'VersionHeldBack',
    late: 'VersionHeldBack',
    west: 'VersionHeldBack',
    other: 'upgraded',
  };
  expect(await rollOut(world, TARGET, 3, [...over, ['swedencentral']])).toEqual(again);
  expect(await versionsOf(world, 'late')).toEqual([OLD_VERSION]);
});
