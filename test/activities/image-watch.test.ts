import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/clock.ts';
import { rolloutScope } from '../../src/domain/scopes.ts';
import type { Rollout } from '../../src/ledger/port.ts';
import { imageRolloutId } from '../../src/workflows/ids.ts';
import { JAMMY, NEW_VERSION, OLD_VERSION, TARGET, testSetId, type TestSet } from '../support/fleet.ts';
import {
  ROLLOUT_ID,
  activityWorld,
  at,
  recordRollout,
  regionLook,
  removeWorldsAfterEach,
  type ActivityWorld,
  type WorldOptions,
} from './support.ts';

removeWorldsAfterEach();

const LATER = '22.04.202512200';

/** A fleet on which nothing was started by hand. */
async function watched(sets: readonly TestSet[], options: WorldOptions = {}): Promise<ActivityWorld> {
  const world = await activityWorld(sets, options);
  // The usual rollout of these tests stands for another image's here.
  await world.ledger.rollouts.setStatus(ROLLOUT_ID, 'Completed', at(0), null);
  return world;
}

const look = (world: ActivityWorld, seconds = 0) => world.activities.lookAtImages({ at: at(seconds) });

async function picked(world: ActivityWorld): Promise<Rollout[]> {
  return (await world.ledger.rollouts.list()).filter(({ startedBy }) => startedBy === 'imageWatch');
}

const publish = (world: ActivityWorld, version: string, seconds: number) =>
  world.fleet.publishImageVersion({ image: JAMMY, version, at: at(seconds) });

const SETS: TestSet[] = [
  { name: 'web', region: 'eastus', capacity: 3 },
  { name: 'web-dr', region: 'westus', capacity: 3 },
  { name: 'api', region: 'uksouth', capacity: 2 },
];

describe('a look at all images (D6)', () => {
  it('starts a rollout of the newest version, with phases that keep geo-pairs apart, once', async () => {
    const world = await watched(SETS);
    const { start } = await look(world);
    expect(start).toHaveLength(1);
    const [rollout] = await picked(world);
    expect(rollout).toMatchObject({ id: start[0]?.id, kind: 'platform', target: TARGET, generation: 2 });
    const regions = rollout?.phases.map((phase) => phase.regions) ?? [];
    expect(regions.flat().toSorted()).toEqual(['eastus', 'uksouth', 'westus']);
    for (const together of regions)
      expect(together).not.toEqual(expect.arrayContaining(['eastus', 'westus']));

    world.directory.open.add(start[0]?.id ?? '');
    expect((await look(world, 60)).start).toEqual([]);
    expect(await picked(world)).toHaveLength(1);
  });

  it('answers again with a rollout that was recorded and that no workflow acts for', async () => {
    const world = await watched(SETS);
    const [first] = (await look(world)).start;
    const [again] = (await look(world, 1)).start;
    expect(again).toEqual(first);
  });

  it('leaves the start of a person the time to begin', async () => {
    const world = await activityWorld(SETS, { rollout: { startedAt: at(0) } });
    expect((await look(world, 60)).start).toEqual([]);
    expect((await look(world, 10 * 60)).start).toMatchObject([{ id: ROLLOUT_ID }]);
  });

  it('takes sets that have opted in, eligible ones, and those with something to do', async () => {
    const world = await watched([
      { name: 'opted-out', region: 'eastus', capacity: 3, automaticOSUpgrade: false },
      { name: 'pinned', region: 'westus', capacity: 3, imageVersion: OLD_VERSION },
      { name: 'blind', region: 'uksouth', capacity: 3, health: 'none' },
      { name: 'done', region: 'northeurope', capacity: 3, version: NEW_VERSION },
      { name: 'empty', region: 'westeurope', capacity: 0 },
    ]);
    expect((await look(world)).start).toEqual([]);
    expect(await picked(world)).toEqual([]);
  });

  it('takes a version when it is published, not before', async () => {
    const world = await watched([{ name: 'web', region: 'eastus', capacity: 3, version: NEW_VERSION }]);
    await publish(world, LATER, 600);
    expect((await look(world, 599)).start).toEqual([]);
    expect((await look(world, 600)).start).toMatchObject([{ target: { version: LATER } }]);
  });

  it('starts nothing while everything is paused', async () => {
    const world = await watched(SETS);
    const order = { scope: 'all', who: 'ann', why: 'an incident', at: at(0) };
    await world.ledger.orders.set({ ...order, state: 'paused' });
    expect((await look(world)).start).toEqual([]);
    await world.ledger.orders.set({ ...order, state: 'running', at: at(1) });
    expect((await look(world)).start).toHaveLength(1);
  });

  it('leaves an image alone while a version of it is taken back', async () => {
    const world = await watched(SETS);
    const target = { image: JAMMY, version: OLD_VERSION };
    await recordRollout(world, { id: imageRolloutId(target, 1), target, action: 'revert', startedAt: at(0) });
    expect((await look(world)).start).toEqual([]);
  });
});

describe('a newer version (D7)', () => {
  it('supersedes the rollout that runs, wakes it, and begins its own phases', async () => {
    const world = await activityWorld(SETS, { rollout: { phases: [{ name: 'all', regions: ['eastus'] }] } });
    world.directory.open.add(ROLLOUT_ID);
    await publish(world, LATER, 60);
    const { start } = await look(world, 60);
    expect(start).toMatchObject([{ target: { version: LATER } }]);
    const order = await world.ledger.orders.inForce([rolloutScope(ROLLOUT_ID)]);
    expect(order).toMatchObject({ state: 'superseded', who: 'imageWatch' });
    expect(world.directory.woken).toContain(ROLLOUT_ID);
    expect((await world.activities.lookAtRegion(regionLook({ at: at(61) }))).cancelled?.code).toBe(
      'Superseded',
    );
    const { state, reason } = await world.activities.readOrder({ rolloutId: ROLLOUT_ID });
    expect({ state, code: reason?.code }).toEqual({ state: 'cancelled', code: 'Superseded' });
    await world.activities.setRolloutStatus({
      rolloutId: ROLLOUT_ID,
      status: 'Cancelled',
      reason,
      at: at(62),
    });
    expect(await world.ledger.rollouts.get(ROLLOUT_ID)).toMatchObject({ status: 'Superseded' });
    expect(await world.ledger.heldVersions.list()).toEqual([]);
  });
});

describe('a version that is held back from the whole fleet (D7)', () => {
  const ended = (world: ActivityWorld, code: string) =>
    world.activities.setRolloutStatus({
      rolloutId: ROLLOUT_ID,
      status: 'Cancelled',
      reason: { code, message: `${code} by ann: bad kernel` },
      at: at(1),
    });

  it.each(['Aborted', 'CancelRequested'])(
    'since its rollout was ended (%s) is not chosen again',
    async (code) => {
      const world = await activityWorld(SETS);
      await ended(world, code);
      expect((await look(world, 600)).start).toEqual([]);
      const held = await world.ledger.heldVersions.list({ scaleSetId: null });
      expect(held).toMatchObject([{ version: TARGET, why: `${code} by ann: bad kernel (${ROLLOUT_ID})` }]);
      await world.ledger.heldVersions.lift(null, TARGET, at(601), 'ann');
      expect((await look(world, 602)).start).toMatchObject([{ target: TARGET }]);
    },
  );

  it('is none that ended with everything, or by a hand on its workflow', async () => {
    const world = await activityWorld(SETS);
    await ended(world, 'Interrupted');
    expect((await look(world, 600)).start).toMatchObject([{ target: TARGET, id: imageRolloutId(TARGET, 2) }]);
  });

  it('since it broke its canary, comes back with who proceeds', async () => {
    const world = await activityWorld(SETS);
    const key = { rolloutId: ROLLOUT_ID, phase: 1, round: 1 };
    await world.activities.lookAtRegion(regionLook({ at: at(0) }));
    await world.activities.openPhase({ ...key, regions: ['eastus'], at: at(0) });
    const { withinTolerance } = await world.activities.judgePhase({ ...key, at: at(HOUR / 1000) });
    expect(withinTolerance).toBe(false);
    expect(await world.ledger.heldVersions.list({ scaleSetId: null })).toMatchObject([{ who: 'canary' }]);
    const decision = { ...key, decision: 'proceed' as const, who: 'ann', why: 'known' };
    await world.activities.recordDecision({ ...decision, at: at(HOUR / 1000 + 1) });
    expect(await world.ledger.heldVersions.list()).toEqual([]);
  });

  it('falls back to the newest that is not', async () => {
    const world = await watched([{ name: 'web', region: 'eastus', capacity: 3 }]);
    await publish(world, LATER, 0);
    const version = { image: JAMMY, version: LATER };
    await world.ledger.heldVersions.hold({ scaleSetId: null, version, who: 'ann', why: 'bad', since: at(0) });
    expect((await look(world, 1)).start).toMatchObject([{ target: TARGET }]);
  });
});

describe('a gallery image (C3, D5)', () => {
  const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/own/images/web';
  const image = { kind: 'gallery' as const, id };
  const iso = (seconds: number) => new Date(at(seconds)).toISOString();

  async function galleryWorld() {
    const sets = ['eastus', 'westus'].map((region) => ({
      name: `web-${region}`,
      region,
      capacity: 2,
      image: { id },
      version: OLD_VERSION,
    }));
    const versions = [
      { version: OLD_VERSION, targetRegions: [{ name: 'eastus' }, { name: 'westus' }] },
      {
        version: NEW_VERSION,
        targetRegions: [
          { name: 'eastus', replicatedAt: iso(60) },
          { name: 'westus', replicatedAt: iso(7_200) },
        ],
      },
    ];
    return watched(sets, { galleries: [{ id, versions }] });
  }

  it('begins in each region when it is replicated there, also while another is under way', async () => {
    const world = await galleryWorld();
    expect((await look(world, 59)).start).toEqual([]);
    const [first] = (await look(world, 60)).start;
    expect(first).toMatchObject({ kind: 'gallery', phases: [{ regions: ['eastus'] }] });
    world.directory.open.add(first?.id ?? '');
    expect((await look(world, 7_199)).start).toEqual([]);
    expect((await look(world, 7_200)).start).toMatchObject([{ phases: [{ regions: ['westus'] }] }]);
  });

  it('is not chosen while it is kept out of latest, and is once it is not', async () => {
    const world = await galleryWorld();
    const version = { imageId: id, version: '22.04.202512201', at: at(0) };
    const targetRegions = [{ name: 'eastus', replicatedAt: at(0) }];
    await world.fleet.publishGalleryVersion({ ...version, targetRegions, excludeFromLatest: true });
    expect((await look(world, 60)).start).toMatchObject([{ target: { image, version: NEW_VERSION } }]);
    world.directory.open.add(imageRolloutId({ image, version: NEW_VERSION }, 1));
    await world.fleet.publishGalleryVersion({ ...version, targetRegions, excludeFromLatest: false });
    const { start } = await look(world, 61);
    expect(start).toMatchObject([
      { target: { version: '22.04.202512201' }, phases: [{ regions: ['eastus'] }] },
    ]);
  });

  it('that is kept out of latest in mid-rollout upgrades no further set, and comes back when that is taken back', async () => {
    const world = await galleryWorld();
    const [{ id: rolloutId } = { id: '' }] = (await look(world, 60)).start;
    world.directory.open.add(rolloutId);
    const region = (seconds: number, scan = false) =>
      world.activities.lookAtRegion(regionLook({ rolloutId, scan, at: at(seconds) }));
    expect((await region(60, true)).counts).toMatchObject({ waiting: 1 });
    const exclude = (excludeFromLatest: boolean) =>
      world.fleet.publishGalleryVersion({
        imageId: id,
        version: NEW_VERSION,
        at: at(0),
        targetRegions: [{ name: 'eastus', replicatedAt: at(60), excludeFromLatest }],
      });
    await exclude(true);
    // Two hours later its trigger has come.
    const due = await region(7_100);
    expect(due.start).toEqual([]);
    expect(due.counts).toMatchObject({ skipped: 1, waiting: 0 });
    await world.ledger.rollouts.setStatus(rolloutId, 'Completed', at(7_101), null);
    expect((await look(world, 7_102)).start).toEqual([]);
    await exclude(false);
    expect((await look(world, 7_103)).start).toMatchObject([{ phases: [{ regions: ['eastus'] }] }]);
  });
});

describe('a set that has been tried before', () => {
  /** Has the set's upgrade to the new version end. */
  async function tried(world: ActivityWorld, status: 'Faulted' | 'Cancelled' | 'Completed', code: string) {
    const scaleSetId = testSetId('web');
    const { attempt } = await world.ledger.attempts.open(
      {
        scaleSetId,
        rolloutId: ROLLOUT_ID,
        workflowId: 'w',
        runId: `run ${code}`,
        kind: 'osUpgrade',
        region: 'eastus',
        startedBy: 'Platform',
        target: TARGET,
        policy: (await world.fleet.scaleSet(scaleSetId))!.upgradePolicy.rollingUpgradePolicy,
        restoresOnFailure: true,
        healthTimeout: 5 * MINUTE,
        at: at(0),
      } as never,
      async () => true,
    );
    const none = {
      successfulInstanceCount: 0,
      failedInstanceCount: 0,
      inProgressInstanceCount: 0,
      pendingInstanceCount: 3,
    };
    await world.ledger.attempts.close(attempt, status, { code, message: 'so it was.' }, none, at(1));
  }

  const one: TestSet[] = [{ name: 'web', region: 'eastus', capacity: 3 }];

  it.each([
    ['Faulted', 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade'],
    ['Faulted', 'ExtensionResourceUnavailable'],
    ['Cancelled', 'Cancelled'],
    ['Cancelled', 'CancelRequested'],
  ] as const)('and ended as %s (%s) is not begun again by itself', async (status, code) => {
    const world = await watched(one);
    await tried(world, status, code);
    expect((await look(world, 600)).start).toEqual([]);
    await publish(world, LATER, 601);
    expect((await look(world, 602)).start).toMatchObject([{ target: { version: LATER } }]);
  });

  it.each([
    ['Faulted', 'NotEligible'],
    ['Faulted', 'MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade'],
    ['Cancelled', 'OptedOut'],
    ['Cancelled', 'Superseded'],
    ['Cancelled', 'Interrupted'],
    ['Completed', 'None'],
  ] as const)('and ended as %s (%s) gets its turn', async (status, code) => {
    const world = await watched(one);
    await tried(world, status, code);
    expect((await look(world, 600)).start).toHaveLength(1);
  });

  it('or was cancelled with its region before its turn, is not begun again by itself either', async () => {
    const world = await activityWorld(one);
    await world.activities.lookAtRegion(regionLook({ at: at(0) }));
    const reason = { code: 'Cancelled', message: 'Cancelled by ann: not here.' };
    const key = { rolloutId: ROLLOUT_ID, scaleSetId: testSetId('web') };
    await world.ledger.targets.update(key, { status: 'stopped', reason });
    await world.ledger.rollouts.setStatus(ROLLOUT_ID, 'Completed', at(1), null);
    expect((await look(world, 600)).start).toEqual([]);
  });

  it('but by a rollout that was cancelled as a whole gets its turn once that is lifted', async () => {
    const world = await activityWorld(one);
    await tried(world, 'Cancelled', 'Cancelled');
    await world.ledger.rollouts.setStatus(ROLLOUT_ID, 'Cancelled', at(1), null);
    expect((await look(world, 600)).start).toHaveLength(1);
  });

  it('is left out of a rollout that another set of its region was picked up for', async () => {
    const world = await watched([...one, { name: 'new', region: 'eastus', capacity: 2 }]);
    await tried(world, 'Faulted', 'ExtensionResourceUnavailable');
    const id = (await look(world, 600)).start[0]?.id ?? '';
    await world.activities.lookAtRegion(regionLook({ rolloutId: id, at: at(600) }));
    const targets = await world.ledger.targets.list({ rolloutId: id });
    expect(targets.map(({ scaleSetName, status, reason }) => [scaleSetName, status, reason?.code])).toEqual(
      expect.arrayContaining([
        ['web', 'skipped', 'TriedBefore'],
        ['new', 'waiting', undefined],
      ]),
    );
  });
});
