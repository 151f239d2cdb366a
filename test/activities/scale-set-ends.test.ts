import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { NEW_VERSION } from '../support/fleet.ts';
import {
  ROLLOUT_ID,
  activityWorld,
  afterFirstBatch,
  at,
  configuredBatch,
  oneSet,
  recordTargets,
  regionLook,
  removeWorldsAfterEach,
  setLook,
} from './support.ts';

removeWorldsAfterEach();

const FAULTED = {
  kind: 'finished',
  status: 'Faulted',
  reason: { code: 'MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade' },
};

describe('an end whose answer was lost, as when the worker is killed', () => {
  it('stands, though the set looks otherwise by now', async () => {
    const { world, id } = await oneSet();
    const next = await afterFirstBatch(world, id);
    const down = ['1', '2', '3'];
    await world.fleet.changeInstances(id, down, { power: 'stopped' }, next.at);
    const end = await world.activities.lookAtScaleSet(next);
    expect(end).toMatchObject({ kind: 'finished', status: 'Faulted' });
    // The worker dies before the target is written down; meanwhile the VMs are back.
    await world.ledger.targets.update({ rolloutId: ROLLOUT_ID, scaleSetId: id }, { status: 'upgrading' });
    await world.fleet.changeInstances(id, down, { power: 'running' }, next.at + MINUTE);
    expect(await world.activities.lookAtScaleSet({ ...next, at: next.at + MINUTE })).toEqual(end);
    expect(await world.ledger.targets.get(ROLLOUT_ID, id)).toMatchObject({ status: 'stopped' });
    expect(await world.ledger.claims.list()).toEqual([]);
  });

  it('takes no turn away that the set got since, by a retry (D2)', async () => {
    const { world, id } = await oneSet();
    const next = await afterFirstBatch(world, id);
    await world.fleet.changeInstances(id, ['1', '2', '3'], { power: 'stopped' }, next.at);
    const end = await world.activities.lookAtScaleSet(next);
    const turn = { status: 'waiting', round: 2, seenAt: next.at + MINUTE, attemptId: null } as const;
    await world.ledger.targets.update({ rolloutId: ROLLOUT_ID, scaleSetId: id }, turn);
    expect(await world.activities.lookAtScaleSet({ ...next, at: next.at + 2 * MINUTE })).toEqual(end);
    expect(await world.ledger.targets.get(ROLLOUT_ID, id)).toMatchObject(turn);
  });

  it('opens no second attempt where the first look was the last', async () => {
    const { world, id } = await oneSet();
    await world.fleet.changeInstances(id, ['1', '2', '3'], { power: 'stopped' }, at(1));
    const end = await world.activities.lookAtScaleSet(setLook(id, { at: at(5) }));
    expect(end).toMatchObject(FAULTED);
    expect(await world.activities.lookAtScaleSet(setLook(id, { at: at(9) }))).toEqual(end);
    expect(await world.ledger.attempts.listOf({ scaleSetId: id })).toHaveLength(1);
  });
});

describe('a wind-down', () => {
  const later = (id: string) => ({ id: setLook(id).workflow.id, runId: 'a later run' });

  it('of an attempt that has ended by itself meanwhile changes nothing', async () => {
    const { world, id } = await oneSet({ version: NEW_VERSION });
    // Nothing is to be done there, so that no attempt is opened.
    const end = await world.activities.lookAtScaleSet(setLook(id));
    expect(end).toMatchObject({ status: 'Completed' });
    const down = setLook(id, { windDown: true, workflow: later(id), at: at(60) });
    expect(await world.activities.lookAtScaleSet(down)).toEqual(end);
    expect(await world.ledger.attempts.listOf({ scaleSetId: id })).toEqual([]);
    expect(await world.ledger.targets.get(ROLLOUT_ID, id)).toMatchObject({ status: 'upgraded' });
  });

  it('of a set that was chosen and never begun begins nothing', async () => {
    const { world, id } = await oneSet();
    const look = await world.activities.lookAtScaleSet(setLook(id, { windDown: true }));
    expect(look).toMatchObject({ kind: 'finished', status: 'Cancelled', reason: { code: 'Interrupted' } });
    expect(await world.ledger.attempts.listOf({ scaleSetId: id })).toEqual([]);
    expect(await world.ledger.targets.get(ROLLOUT_ID, id)).toMatchObject({ status: 'stopped' });
  });

  /** Two sets of two zones; the first is in a batch in zone 1, and the second asks for zone 2. */
  async function blocked(prepare: (world: Awaited<ReturnType<typeof activityWorld>>, one: string) => void) {
    const sets = [
      { name: 'one', capacity: 3, zones: ['1'] },
      { name: 'two', capacity: 3, zones: ['2'] },
    ].map((set) => ({ ...set, region: 'eastus' }));
    const world = await activityWorld(sets);
    await recordTargets(world);
    const [one = '', two = ''] = world.scaleSetIds;
    await configuredBatch(world, one);
    world.directory.open.add(setLook(two).workflow.id);
    prepare(world, one);
    expect((await world.activities.lookAtScaleSet(setLook(two))).kind).toBe('wait');
    return world;
  }

  it("is not begun by who waits for its zone where its region's workflow runs: it goes on instead", async () => {
    const world = await blocked(({ directory }) => directory.open.add(regionLook().workflowId));
    expect(world.directory.windDowns).toEqual([]);
  });

  it('is begun where nobody else would act for it', async () => {
    expect((await blocked(() => undefined)).directory.windDowns).toHaveLength(1);
  });
});
