import { describe, expect, it } from 'vitest';
import type { PhaseKey } from '../../src/activities/types.ts';
import { HOUR, SECOND, isoTime } from '../../src/domain/clock.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { mergeModels, type Json } from '../../src/fleet/index.ts';
import { JAMMY, NEW_VERSION, OLD_VERSION, testSetId, type TestSet } from '../support/fleet.ts';
import {
  ROLLOUT_ID,
  activityWorld,
  at,
  recordTargets,
  removeWorldsAfterEach,
  type ActivityWorld,
} from './support.ts';

removeWorldsAfterEach();

const KEY: PhaseKey = { rolloutId: ROLLOUT_ID, phase: 1, round: 1 };

/** Sets that the phase has dealt with: their VMs run the new version, unless a set says otherwise. */
async function phase(sets: Record<string, Partial<TestSet>>) {
  const world = await activityWorld(
    Object.entries(sets).map(([name, set]) => ({
      name,
      region: 'eastus',
      capacity: 4,
      version: NEW_VERSION,
      ...set,
    })),
  );
  await world.activities.openPhase({ ...KEY, regions: ['eastus'], at: at(0) });
  await recordTargets(world, { status: 'upgraded' });
  return world;
}

const judge = async ({ activities }: ActivityWorld) =>
  activities.judgePhase({ ...KEY, at: at(HOUR / SECOND) });

const setTarget = (
  { ledger }: ActivityWorld,
  name: string,
  change: Parameters<typeof ledger.targets.update>[1],
) => ledger.targets.update({ rolloutId: ROLLOUT_ID, scaleSetId: testSetId(name) }, change);

describe('the sum of a phase (D2)', () => {
  it('counts VMs that are healthy on the target', async () => {
    const world = await phase({ web: {}, api: { capacity: 6 } });
    const verdict = { eligible: 10, succeeded: 10, failed: 0, failures: [] };
    expect(await judge(world)).toEqual({ verdict, withinTolerance: true });
    const [record] = await world.ledger.phases.list(ROLLOUT_ID);
    expect(record).toMatchObject({ verdict, judgedAt: at(HOUR / SECOND) });
  });

  it('counts the untouched VMs of a stopped set as failed, and names them', async () => {
    const world = await phase({ web: {}, stopped: { capacity: 2, version: OLD_VERSION } });
    await setTarget(world, 'stopped', { status: 'stopped', reason: { code: 'Cancelled', message: '' } });
    const { verdict, withinTolerance } = await judge(world);
    expect(verdict).toMatchObject({ eligible: 6, succeeded: 4, failed: 2 });
    expect(verdict.failures).toEqual([`stopped/0: runs ${OLD_VERSION}`, `stopped/1: runs ${OLD_VERSION}`]);
    expect(withinTolerance).toBe(false);
  });

  it('counts VMs that became unhealthy on the target during the bake', async () => {
    const world = await phase({ web: {} });
    const during = { from: isoTime(at(10)), to: isoTime(at(HOUR)) };
    await world.fleet.setFaults([{ kind: 'outage', instances: ['2'], ...during }]);
    expect((await judge(world)).verdict.failures).toEqual([`web/2: is not healthy on ${NEW_VERSION}`]);
  });

  it('leaves out skipped sets, such as those that were opted out in the middle', async () => {
    const world = await phase({ web: {}, left: { version: OLD_VERSION } });
    await setTarget(world, 'left', { status: 'skipped', reason: { code: 'OptedOut', message: '' } });
    expect((await judge(world)).verdict).toMatchObject({ eligible: 4, succeeded: 4, failed: 0 });
  });

  it('leaves out protected, deallocated and deleted VMs, and sets that are gone', async () => {
    const world = await phase({ web: { version: OLD_VERSION, protectedInstances: ['0'] }, gone: {} });
    const web = testSetId('web');
    await world.fleet.changeInstances(web, ['1'], { power: 'deallocated' }, at(1));
    await world.fleet.deleteInstances(web, ['2'], at(1));
    await world.fleet.deleteScaleSet(testSetId('gone'), at(1));
    const { verdict } = await judge(world);
    expect(verdict).toMatchObject({ eligible: 1, succeeded: 0, failed: 1 });
    expect(verdict.failures).toEqual([`web/3: runs ${OLD_VERSION}`]);
  });

  it('leaves out VMs that mode Manual leaves to their owner: behind their model (C9)', async () => {
    for (const [mode, failed] of [
      ['Manual', 0],
      ['Rolling', 4],
    ] as const) {
      const world = await phase({ web: { mode, version: OLD_VERSION } });
      const web = testSetId('web');
      const profile = { properties: { virtualMachineProfile: { userData: 'bmV3' } } };
      const model = mergeModels((await world.fleet.model(web)) as Json, profile);
      await world.fleet.writeModel({ model, apiVersion: '2024-11-01', at: at(1) });
      expect((await judge(world)).verdict).toMatchObject({ eligible: failed, failed });
    }
  });

  it('is of its own phase alone', async () => {
    const world = await phase({ web: {} });
    await world.activities.openPhase({ ...KEY, phase: 2, regions: ['westus'], at: at(0) });
    const { verdict } = await world.activities.judgePhase({ ...KEY, phase: 2, at: at(0) });
    expect(verdict.eligible).toBe(0);
  });

  it('passes with exactly the tolerated share of failures, and not with one more', async () => {
    const settings = { ...DEFAULT_SETTINGS, failureTolerancePercent: 25 };
    for (const [protectedInstances, passes] of [
      [[], true],
      [['3'], false],
    ] as const) {
      const set = { name: 'web', region: 'eastus', capacity: 4, version: NEW_VERSION };
      const protect = { protectedInstances: [...protectedInstances] };
      const world = await activityWorld([{ ...set, ...protect }], { rollout: { settings } });
      await world.activities.openPhase({ ...KEY, regions: ['eastus'], at: at(0) });
      await recordTargets(world, { status: 'upgraded' });
      await world.fleet.changeInstances(testSetId('web'), ['0'], { power: 'stopped' }, at(1));
      expect((await judge(world)).withinTolerance).toBe(passes);
    }
  });
});

describe('a phase', () => {
  it('releases the version in its regions when it starts (D6), once', async () => {
    const world = await phase({ web: {} });
    await world.activities.openPhase({ ...KEY, regions: ['eastus'], at: at(900) });
    expect(await world.ledger.phases.releases(JAMMY, 'eastus')).toMatchObject([
      { version: NEW_VERSION, releasedAt: at(0), rolloutId: ROLLOUT_ID },
    ]);
    expect(await world.ledger.phases.releases(JAMMY, 'westus')).toEqual([]);
  });

  it('bakes for the time that its rollout says; asked again, until the same moment (D3)', async () => {
    const world = await phase({ web: {} });
    const until = at(100) + DEFAULT_SETTINGS.bakeTime;
    expect(await world.activities.startBake({ ...KEY, at: at(100) })).toEqual({ until });
    expect(await world.activities.startBake({ ...KEY, at: at(2_000) })).toEqual({ until });
  });

  it('bakes and is judged by what its plan says for itself, where it does (D2, D3)', async () => {
    const own = { failureTolerancePercent: 25, bakeTime: 5 * SECOND };
    for (const [plan, bakeTime, passes] of [
      [{}, DEFAULT_SETTINGS.bakeTime, false],
      [own, own.bakeTime, true],
    ] as const) {
      const set = { name: 'web', region: 'eastus', capacity: 4, version: NEW_VERSION };
      const phases = [{ name: 'first', regions: ['eastus'], ...plan }];
      const world = await activityWorld([set], { rollout: { phases } });
      await world.activities.openPhase({ ...KEY, regions: ['eastus'], at: at(0) });
      await recordTargets(world, { status: 'upgraded' });
      await world.fleet.changeInstances(testSetId('web'), ['0'], { power: 'stopped' }, at(1));
      expect(await world.activities.startBake({ ...KEY, at: at(9) })).toEqual({ until: at(9) + bakeTime });
      expect((await judge(world)).withinTolerance).toBe(passes);
    }
  });

  it('of a rollout whose workflow is gone closes that, once it is gone', async () => {
    const world = await phase({ web: {}, late: {} });
    await setTarget(world, 'late', { status: 'waiting' });
    world.directory.open.add(ROLLOUT_ID);
    await world.activities.closeOrphanedRollout({ rolloutId: ROLLOUT_ID, at: at(50) });
    expect(await world.ledger.rollouts.get(ROLLOUT_ID)).toMatchObject({ status: 'Running', endedAt: null });
    world.directory.open.clear();
    await world.activities.closeOrphanedRollout({ rolloutId: ROLLOUT_ID, at: at(60) });
    expect(await world.ledger.rollouts.get(ROLLOUT_ID)).toMatchObject({
      status: 'Cancelled',
      reason: { code: 'Interrupted' },
      endedAt: at(60),
    });
    expect(await world.ledger.targets.list({ rolloutId: ROLLOUT_ID, status: ['waiting'] })).toEqual([]);
  });
});

describe('orders and decisions', () => {
  it('of the strongest scope hold: a cancel of the rollout over a pause of everything', async () => {
    const world = await phase({ web: {} });
    const read = () => world.activities.readOrder({ rolloutId: ROLLOUT_ID, phase: 1 });
    expect(await read()).toEqual({ state: 'running', reason: null });
    const order = { who: 'ada', why: 'incident', at: at(0) };
    await world.ledger.orders.set({ ...order, scope: 'all', state: 'paused' });
    expect(await read()).toEqual({
      state: 'paused',
      reason: { code: 'Paused', message: 'Paused by ada: incident' },
    });
    await world.ledger.orders.set({ ...order, scope: `rollout:${ROLLOUT_ID}`, state: 'cancelled' });
    expect(await read()).toMatchObject({ state: 'cancelled' });
  });

  it('the first decision stands, except that abort always wins', async () => {
    const world = await phase({ web: {} });
    const decide = (decision: 'proceed' | 'retry' | 'abort', who: string) =>
      world.activities.recordDecision({ ...KEY, decision, who, why: 'because', at: at(5) });
    expect(await decide('proceed', 'ada')).toMatchObject({ decision: 'proceed', who: 'ada' });
    expect(await decide('retry', 'bob')).toMatchObject({ decision: 'proceed', who: 'ada' });
    expect(await decide('abort', 'bob')).toMatchObject({ decision: 'abort', who: 'bob' });
  });
});
