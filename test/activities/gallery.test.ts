import { describe, expect, it } from 'vitest';
import { modelVersionOf } from '../../src/activities/goal.ts';
import { HOUR } from '../../src/domain/clock.ts';
import type { FleetSpec } from '../../src/fleet/index.ts';
import { NEW_VERSION, OLD_VERSION, testSetId } from '../support/fleet.ts';
import { ROLLOUT_ID, activityWorld, at, regionLook, removeWorldsAfterEach } from './support.ts';

removeWorldsAfterEach();

const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/own/images/web';
const image = { kind: 'gallery' as const, id };
type Version = NonNullable<FleetSpec['galleries']>[number]['versions'][number];

/** A set on a gallery image of which the new version is as told, and a rollout of that. */
async function galleryWorld(newest: Partial<Version>) {
  const everywhere = { targetRegions: [{ name: 'eastus' }] };
  const versions = [
    { version: OLD_VERSION, ...everywhere },
    { version: NEW_VERSION, ...everywhere, ...newest },
  ];
  const world = await activityWorld(
    [{ name: 'web', region: 'eastus', capacity: 3, image: { id }, version: OLD_VERSION }],
    {
      galleries: [{ id, versions }],
      rollout: { kind: 'gallery', target: { image, version: NEW_VERSION } },
    },
  );
  const target = () => world.ledger.targets.get(ROLLOUT_ID, testSetId('web'));
  const look = (seconds: number) => world.activities.lookAtRegion(regionLook({ at: at(seconds) }));
  return { world, target, look };
}

describe('a version of a gallery (C3)', () => {
  it('is rolled out where it is replicated and not kept out of latest', async () => {
    const { target, look } = await galleryWorld({});
    await look(0);
    expect(await target()).toMatchObject({ status: 'waiting', reason: null });
  });

  it.each<[string, Partial<Version>, string]>([
    ['that are none of its targets', { targetRegions: [{ name: 'westus' }] }, 'VersionNotOfferedInRegion'],
    [
      'to which its replication has failed',
      { targetRegions: [{ name: 'eastus', replicatedAt: null }] },
      'VersionNotOfferedInRegion',
    ],
    ['while it is kept out of latest', { excludeFromLatest: true }, 'VersionExcludedFromLatest'],
    [
      'where it is kept out of latest',
      { targetRegions: [{ name: 'eastus', excludeFromLatest: true }] },
      'VersionExcludedFromLatest',
    ],
  ])('is not rolled out in regions %s', async (_, newest, code) => {
    const { target, look } = await galleryWorld(newest);
    await look(0);
    expect(await target()).toMatchObject({ status: 'skipped', reason: { code } });
  });

  it('is rolled out as soon as it is replicated, by itself (D6)', async () => {
    const replicatedAt = new Date(at(600)).toISOString();
    const { target, look } = await galleryWorld({ targetRegions: [{ name: 'eastus', replicatedAt }] });
    await look(599);
    expect(await target()).toMatchObject({ status: 'skipped' });
    await look(600);
    expect(await target()).toMatchObject({ status: 'waiting' });
  });

  it('is not what a model asks for by latest while it is kept out of that', async () => {
    const { world } = await galleryWorld({ excludeFromLatest: true });
    const set = await world.fleet.scaleSet(testSetId('web'));
    if (!set) throw new Error('The set is missing.');
    expect(await modelVersionOf(world.fleet, set, at(0) + HOUR)).toEqual({ image, version: OLD_VERSION });
    const pinned = { ...set, imageReference: { image, version: NEW_VERSION } };
    expect(await modelVersionOf(world.fleet, pinned, at(0))).toEqual({ image, version: NEW_VERSION });
  });
});
