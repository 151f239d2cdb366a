import { describe, expect, it } from 'vitest';
import { HOUR } from '../../src/domain/clock.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { rolloutScope } from '../../src/domain/scopes.ts';
import type { DesiredState } from '../../src/ledger/port.ts';
import { scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { testSetId } from '../support/fleet.ts';
import {
  ROLLOUT_ID,
  activityWorld,
  at,
  recordRollout,
  regionLook,
  removeWorldsAfterEach,
  setLook,
  type ActivityWorld,
} from './support.ts';

removeWorldsAfterEach();

const ALL_DUE = at(0) + DEFAULT_SETTINGS.triggerDelay.max;
const WEB = testSetId('web');

/** A region whose set is being upgraded, by a workflow that was terminated in the middle of a batch. */
async function withOrphan(): Promise<ActivityWorld> {
  const world = await activityWorld([{ name: 'web', region: 'eastus', capacity: 3 }]);
  await world.activities.lookAtRegion(regionLook());
  const { start } = await world.activities.lookAtRegion(regionLook({ at: ALL_DUE }));
  expect(start).toHaveLength(1);
  await world.activities.lookAtScaleSet(setLook(WEB, { at: ALL_DUE }));
  return world;
}

const order = (world: ActivityWorld, state: DesiredState) =>
  world.ledger.orders.set({ scope: rolloutScope(ROLLOUT_ID), state, who: 'ada', why: 'x', at: at(0) });

describe('a set whose workflow was terminated', () => {
  it('is started again in a region that was cancelled, which would wait for it for ever otherwise', async () => {
    const world = await withOrphan();
    const look = await world.activities.lookAtRegion(regionLook({ cancelRequested: true, at: ALL_DUE }));
    expect(look).toMatchObject({ done: false, start: [{ name: 'web' }] });
  });

  for (const state of ['cancelled', 'paused'] as const) {
    it(`is started again in a region that is ${state} by an order: it finishes what is half done`, async () => {
      const world = await withOrphan();
      await order(world, state);
      const look = await world.activities.lookAtRegion(regionLook({ at: ALL_DUE }));
      expect(look).toMatchObject({ done: false, start: [{ name: 'web' }] });
    });
  }

  it('is due again in the next run of the region, when the cancel was of this run alone', async () => {
    const world = await withOrphan();
    const reason = { code: 'Interrupted', message: 'x' };
    await world.ledger.targets.update(
      { rolloutId: ROLLOUT_ID, scaleSetId: WEB },
      { status: 'stopped', reason },
    );
    const end = await world.activities.lookAtRegion(regionLook({ cancelRequested: true, at: ALL_DUE }));
    expect(end.done).toBe(true);
    expect((await world.activities.lookAtRegion(regionLook({ at: ALL_DUE }))).start).toHaveLength(1);
  });

  it('is left as it is, when it had written down its end a moment before it was looked for', async () => {
    const world = await withOrphan();
    const { targets } = world.ledger;
    const key = { rolloutId: ROLLOUT_ID, scaleSetId: WEB };
    const reason = { code: 'x', message: 'faulted' };
    // The upgrade ends after the region has read its targets, and before it asks whether the workflow runs.
    const list = targets.list.bind(targets);
    targets.list = async (filter) => {
      const before = await list(filter);
      await targets.update(key, { status: 'stopped', reason });
      return before;
    };
    const look = await world.activities.lookAtRegion(regionLook({ scan: false, at: ALL_DUE }));
    expect(look).toMatchObject({ done: true, start: [] });
    expect(await targets.get(ROLLOUT_ID, WEB)).toMatchObject({ status: 'stopped', reason });
  });
});

describe('a cancel of a region', () => {
  it("does not concern an upgrade of another rollout that runs, a person's say", async () => {
    const world = await activityWorld(
      ['other', 'own'].map((name) => ({ name, region: 'eastus', capacity: 3 })),
    );
    const manual = `${scaleSetRolloutId(testSetId('other'))}/manual/1`;
    await recordRollout(world, { id: manual, kind: 'manual', generation: 1 });
    await world.activities.lookAtRegion(regionLook());
    const [other, own] = [testSetId('other'), testSetId('own')];
    for (const id of [other, own]) world.directory.open.add(scaleSetRolloutId(id));
    await world.activities.lookAtScaleSet(setLook(other, { rolloutId: manual, phase: null, at: ALL_DUE }));
    await world.activities.lookAtRegion(regionLook({ at: ALL_DUE }));
    await world.activities.lookAtScaleSet(setLook(own, { at: ALL_DUE }));
    const look = await world.activities.lookAtRegion(
      regionLook({ cancelRequested: true, at: ALL_DUE + HOUR }),
    );
    expect(look.strangers.toSorted()).toEqual([other, own]);
    expect(look.own).toEqual([own]);
  });
});
