import { describe, expect, it } from 'vitest';
import { answersForOthers } from '../../src/activities/fleet-failures.ts';
import { MINUTE, SECOND } from '../../src/domain/clock.ts';
import { scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { testSetId } from '../support/fleet.ts';
import {
  ROLLOUT_ID,
  activityWorld,
  afterFirstBatch,
  asBatch,
  at,
  configuredBatch,
  healthInput,
  recordTargets,
  regionLook,
  removeWorldsAfterEach,
  setLook,
  type ActivityWorld,
} from './support.ts';

removeWorldsAfterEach();

const ZONES = { zones: ['1', '2', '3'], capacity: 6 };
const WEB = testSetId('web');
const API = testSetId('api');
const UNREACHABLE = { kind: 'apiError', operation: 'any', effect: 'timeout', scaleSet: 'web' } as const;
const OUTAGE = { kind: 'apiError', operation: 'any', effect: 'before' } as const;

/** Two sets of a region, of which the fleet's API answers for none or for one. */
async function twoSets(set = {}) {
  const sets = ['web', 'api'].map((name) => ({ name, region: 'eastus', capacity: 10, ...set }));
  return activityWorld(sets);
}

const giveUp = { rolloutId: ROLLOUT_ID, scaleSetId: WEB, region: 'eastus', why: 'No answer.', at: at(9_000) };
const targetOf = (world: ActivityWorld, id: string) => world.ledger.targets.get(ROLLOUT_ID, id);

describe('a call about one set that the API does not answer', () => {
  it('fails so that the workflow decides, which is told whether others are answered for', async () => {
    const world = await twoSets();
    await recordTargets(world);
    await world.fleet.setFaults([UNREACHABLE]);
    const alone = world.activities.lookAtScaleSet(setLook(WEB));
    await expect(alone).rejects.toMatchObject({
      type: 'NoAnswer',
      details: [{ othersAnswer: true, retryAfter: null }],
    });
    await expect(world.activities.lookAtScaleSet(setLook(API))).resolves.toMatchObject({ kind: 'batch' });
    await world.fleet.setFaults([{ ...OUTAGE, operation: 'instances' }]);
    const outage = world.activities.lookAtScaleSet(setLook(WEB));
    await expect(outage).rejects.toMatchObject({ type: 'NoAnswer', details: [{ othersAnswer: false }] });
  });

  it('says how long the API wants to be left alone: to the workflow, and in wall time to the server', async () => {
    const world = await twoSets();
    await recordTargets(world);
    await world.fleet.setFaults([{ ...UNREACHABLE, effect: 'throttled', retryAfterSeconds: 90 }]);
    const { speed } = await world.fleet.clock();
    await expect(world.activities.lookAtScaleSet(setLook(WEB))).rejects.toMatchObject({
      details: [{ retryAfter: 90 * SECOND }],
      nextRetryDelay: Math.ceil((90 * SECOND) / speed),
    });
  });

  it('compares with sets of the same region, where there are any', async () => {
    const world = await activityWorld([
      { name: 'web', region: 'eastus', capacity: 1 },
      { name: 'api', region: 'eastus', capacity: 1 },
      { name: 'far', region: 'westus', capacity: 1 },
    ]);
    await world.fleet.setFaults([UNREACHABLE, { ...UNREACHABLE, scaleSet: 'api' }]);
    const fleet = world.fleet.overApi();
    expect(await answersForOthers(fleet, WEB)).toBe(false);
    expect(await answersForOthers(fleet, testSetId('far'))).toBe(false);
    await world.fleet.setFaults([UNREACHABLE]);
    expect(await answersForOthers(fleet, WEB)).toBe(true);
  });
});

describe('a look at a region', () => {
  it('is tried again by the server when the API refuses it, as late as that asks for', async () => {
    const world = await twoSets();
    const fault = { ...OUTAGE, operation: 'scaleSets', effect: 'throttled', retryAfterSeconds: 30, times: 1 };
    await world.fleet.setFaults([fault]);
    const look = world.activities.lookAtRegion(regionLook());
    await expect(look).rejects.toMatchObject({ type: 'FleetUnavailable', nextRetryDelay: 30 * SECOND });
    expect((await world.activities.lookAtRegion(regionLook())).counts.waiting).toBe(2);
  });

  it('does not fail by one set that cannot be read: that gets its turn, and is judged when it comes (D6)', async () => {
    const world = await twoSets();
    await world.fleet.setFaults([UNREACHABLE]);
    const seen = await world.activities.lookAtRegion(regionLook());
    expect(seen.counts).toMatchObject({ waiting: 2, skipped: 0 });
    const target = await targetOf(world, WEB);
    expect(target?.triggerAt).toBeGreaterThanOrEqual(at(30 * 60));
    const due = await world.activities.lookAtRegion(regionLook({ scan: false, at: at(4 * 3_600) }));
    expect(due.start.map(({ name }) => name).toSorted()).toEqual(['api', 'web']);
  });

  it('leaves out what is not eligible once it can be read, without an attempt (C1, E1)', async () => {
    const world = await twoSets({ automaticOSUpgrade: false });
    await world.fleet.setFaults([UNREACHABLE]);
    await world.activities.lookAtRegion(regionLook());
    await world.fleet.setFaults([]);
    expect(await world.activities.lookAtScaleSet(setLook(WEB))).toMatchObject({ kind: 'finished' });
    expect(await targetOf(world, WEB)).toMatchObject({ status: 'skipped' });
    expect(await world.ledger.attempts.listOf({ scaleSetId: WEB })).toEqual([]);
  });
});

describe('a set that is given up', () => {
  it('ends with its attempt where nothing is half done, and leaves its zone to others (D4)', async () => {
    const world = await twoSets(ZONES);
    await recordTargets(world);
    const after = await afterFirstBatch(world, WEB);
    expect((await world.ledger.claims.list())[0]).toMatchObject({ value: '1' });
    await world.ledger.claims.request(
      {
        ...{ group: (await world.ledger.claims.list())[0]?.group ?? '', rule: 'sameValueShares' },
        ...{ holder: 'other', workflowId: 'waits', accepts: ['2'] },
      },
      at(1),
    );
    const result = await world.activities.giveUpScaleSet(giveUp);
    expect(result).toMatchObject({ status: 'Faulted', reason: { code: 'ScaleSetUnreachable' } });
    expect(await world.ledger.attempts.get(after.attempt?.id ?? '')).toMatchObject({ status: 'Faulted' });
    expect(await world.ledger.claims.list({ holder: after.attempt?.id ?? '' })).toEqual([]);
    expect(world.directory.woken).toContain('waits');
    expect(await targetOf(world, WEB)).toMatchObject({ status: 'stopped', attemptId: after.attempt?.id });
  });

  it('keeps the attempt open whose batch is half done, for whoever acts on it next; that waits for the zone (D4)', async () => {
    const world = await twoSets(ZONES);
    await recordTargets(world);
    const { look } = await configuredBatch(world, WEB);
    const [held] = await world.ledger.claims.list();
    await world.activities.giveUpScaleSet(giveUp);
    expect(await world.ledger.attempts.openOf(WEB)).toMatchObject({ id: look.attempt.id });
    expect(await targetOf(world, WEB)).toMatchObject({ status: 'stopped' });
    expect(await world.ledger.claims.list()).toEqual([]);
    // Another set goes into another zone meanwhile.
    const other = await world.activities.lookAtScaleSet(setLook(API));
    await world.ledger.claims.releaseAll(other.attempt.id, at(9_050));
    const { group, rule } = { group: held?.group ?? '', rule: 'sameValueShares' as const };
    const workflowId = scaleSetRolloutId(API);
    world.directory.open.add(workflowId);
    const claim = { group, rule, holder: other.attempt.id, workflowId, accepts: ['2'] };
    await world.ledger.claims.request(claim, at(9_100));
    const again = setLook(WEB, {
      workflow: { id: scaleSetRolloutId(WEB), runId: 'run-2' },
      windDown: true,
      at: at(9_200),
    });
    const taken = await world.activities.lookAtScaleSet(again);
    expect(taken).toMatchObject({ kind: 'wait' });
    await world.ledger.claims.releaseAll(other.attempt.id, at(9_300));
    const resumed = await world.activities.lookAtScaleSet({
      ...again,
      attempt: taken.attempt,
      at: at(9_400),
    });
    expect(asBatch(resumed)).toMatchObject({ batch: look.batch, instanceIds: look.instanceIds });
  });

  it('of a manual start ends that, and never the attempt of another workflow (D8, B12)', async () => {
    const world = await twoSets();
    await recordTargets(world);
    await world.activities.lookAtScaleSet(setLook(WEB, { workflow: { id: 'another', runId: '1' } }));
    await world.activities.giveUpScaleSet(giveUp);
    expect(await world.ledger.attempts.openOf(WEB)).toMatchObject({ status: 'RollingForward' });
  });

  it('counts as failed with all VMs of its attempt while it cannot be read, and as it is when it can (D2)', async () => {
    const world = await twoSets();
    await recordTargets(world);
    await afterFirstBatch(world, WEB);
    await world.activities.giveUpScaleSet(giveUp);
    const phase = { rolloutId: ROLLOUT_ID, phase: 1, round: 1, at: at(10_000) };
    await world.activities.openPhase({ ...phase, regions: ['eastus'] });
    await world.fleet.setFaults([UNREACHABLE]);
    const unread = await world.activities.judgePhase(phase);
    expect(unread.verdict).toMatchObject({ eligible: 20, failed: 20 });
    expect(unread.verdict.failures.at(-1)).toMatch(/^web: its VMs can't be read\./);
    await world.fleet.setFaults([]);
    expect((await world.activities.judgePhase(phase)).verdict).toMatchObject({ succeeded: 2, failed: 18 });
  });
});

describe('the judgement of a phase', () => {
  const phase = { rolloutId: ROLLOUT_ID, phase: 1, round: 1, at: at(10_000) };

  it('asks for a set again that cannot be read, and counts it as failed only when told so (D2, D3)', async () => {
    const world = await twoSets();
    await recordTargets(world, { status: 'upgraded' });
    await world.activities.openPhase({ ...phase, regions: ['eastus'] });
    await world.fleet.setFaults([UNREACHABLE]);
    await expect(world.activities.judgePhase(phase)).rejects.toMatchObject({ type: 'NoAnswer' });
    const { verdict } = await world.activities.judgePhase({ ...phase, countsUnreadable: true });
    expect(verdict).toMatchObject({ eligible: 11, failed: 11 });
    await world.fleet.setFaults([{ ...OUTAGE, operation: 'instances' }]);
    const inOutage = world.activities.judgePhase({ ...phase, countsUnreadable: true });
    await expect(inOutage).rejects.toMatchObject({ type: 'NoAnswer', details: [{ othersAnswer: false }] });
  });
});

describe('a step that is not answered', () => {
  it('leaves the batch as it is: the next look at its health finds what was done (B5)', async () => {
    const world = await twoSets();
    await recordTargets(world);
    const { look, configuredAt } = await configuredBatch(world, WEB);
    await world.fleet.setFaults([{ ...UNREACHABLE, times: 1 }]);
    const health = healthInput(WEB, look, configuredAt + MINUTE);
    await expect(world.activities.checkHealth(health)).rejects.toMatchObject({ type: 'NoAnswer' });
    expect(await world.activities.checkHealth(health)).toMatchObject({ healthy: 2, waiting: 0 });
  });
});
