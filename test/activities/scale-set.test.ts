import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import type { Json } from '../../src/fleet/wire-shape.ts';
import { NEW_VERSION, OLD_VERSION, TARGET, request } from '../support/fleet.ts';
import {
  ROLLOUT_ID,
  afterFirstBatch,
  asBatch,
  at,
  configuredBatch,
  healthInput,
  oneSet,
  recordRollout,
  removeWorldsAfterEach,
  setLook,
  type ActivityWorld,
} from './support.ts';

removeWorldsAfterEach();

/** Writes the set's model anew, changed. */
async function changeModel(
  { fleet }: ActivityWorld,
  id: string,
  change: (model: Json) => void,
): Promise<void> {
  const model = structuredClone((await fleet.model(id)) as Json);
  change(model);
  await fleet.writeModel({ model, apiVersion: '2024-11-01', at: at(1) });
}

const profileOf = (model: Json) => (model['properties'] as Json)['virtualMachineProfile'] as Json;
const policyOf = (model: Json) => (model['properties'] as Json)['upgradePolicy'] as Json;

describe('lookAtScaleSet', () => {
  it('opens an attempt, fences the set, and records the first batch', async () => {
    const { world, id } = await oneSet();
    const look = asBatch(await world.activities.lookAtScaleSet(setLook(id)));
    expect(look).toMatchObject({
      batch: 1,
      instanceIds: ['0', '5'],
      attempt: { number: 1, fence: 1 },
      progress: { inProgressInstanceCount: 2, pendingInstanceCount: 8 },
    });
    const attempt = await world.ledger.attempts.openOf(id);
    expect(attempt).toMatchObject({ id: look.attempt.id, startedBy: 'Platform', progress: look.progress });
    expect(await world.ledger.attempts.batches(look.attempt.id)).toMatchObject([
      { number: 1, instanceIds: ['0', '5'], endedAt: null },
    ]);
  });

  it('records what each instance of a batch ran, and whether it was well on that: the way back goes by it', async () => {
    const sick = { kind: 'neverHealthy' as const, version: OLD_VERSION, instances: ['5'] };
    const { world, id } = await oneSet({}, { faults: [sick] });
    await world.fleet.changeInstances(id, ['5'], { power: 'stopped' }, at(-60));
    await world.fleet.changeInstances(id, ['5'], { power: 'running' }, at(-50));
    const look = asBatch(await world.activities.lookAtScaleSet(setLook(id, { at: at(-45) })));
    const from = { version: OLD_VERSION };
    expect(await world.ledger.attempts.instances(look.attempt.id)).toMatchObject([
      { instanceId: '0', from, wasHealthy: true },
      { instanceId: '5', from, wasHealthy: false },
    ]);
  });

  it('answers with the open batch when the same run asks again: nothing is begun twice', async () => {
    const { world, id } = await oneSet();
    const first = await world.activities.lookAtScaleSet(setLook(id));
    expect(await world.activities.lookAtScaleSet(setLook(id))).toEqual(first);
    const again = setLook(id, { attempt: first.attempt, at: at(30) });
    expect(await world.activities.lookAtScaleSet(again)).toEqual(first);
    expect(await world.ledger.attempts.batches(first.attempt.id)).toHaveLength(1);
  });

  it('goes on with the next batch, and ends as Completed when none is left (B10)', async () => {
    const { world, id } = await oneSet({ capacity: 2 });
    const second = asBatch(await world.activities.lookAtScaleSet(await afterFirstBatch(world, id)));
    expect(second).toMatchObject({ batch: 2, instanceIds: ['1'], progress: { successfulInstanceCount: 1 } });
    const configured = await configuredBatch(world, id, { attempt: second.attempt, at: at(300) });
    const healthy = configured.configuredAt + MINUTE;
    await world.activities.checkHealth(healthInput(id, second, healthy));
    const end = setLook(id, { attempt: second.attempt, at: healthy });
    expect(await world.activities.lookAtScaleSet(end)).toMatchObject({
      kind: 'finished',
      status: 'Completed',
      reason: null,
      foreign: false,
      progress: { successfulInstanceCount: 2, pendingInstanceCount: 0 },
    });
    expect(await world.ledger.targets.get(ROLLOUT_ID, id)).toMatchObject({
      status: 'upgraded',
      attemptId: second.attempt.id,
    });
  });
});

describe('instances on a later version (B10)', () => {
  const older = { target: { ...TARGET, version: OLD_VERSION } };

  it('are left alone by an automatic upgrade, and go back by a person', async () => {
    const { world, id } = await oneSet({ version: NEW_VERSION }, { rollout: older });
    expect(await world.activities.lookAtScaleSet(setLook(id))).toMatchObject({
      kind: 'finished',
      status: 'Completed',
    });
    const byHand = await oneSet({ version: NEW_VERSION }, { rollout: { ...older, kind: 'manual' } });
    const look = asBatch(await byHand.world.activities.lookAtScaleSet(setLook(byHand.id)));
    expect(look).toMatchObject({ instanceIds: ['0', '5'], target: older.target });
  });
});

describe('one upgrade at a time (B12)', () => {
  it('takes over the attempt of a terminated run, fences that off, and finishes its batch first', async () => {
    const { world, id } = await oneSet();
    const first = asBatch(await world.activities.lookAtScaleSet(setLook(id)));
    const run2 = { id: setLook(id).workflow.id, runId: 'run-2' };
    // The run that asks is itself open under the set's id: that is no conflict.
    world.directory.open.add(run2.id);
    const taken = asBatch(await world.activities.lookAtScaleSet(setLook(id, { workflow: run2, at: at(60) })));
    expect(taken).toMatchObject({
      batch: 1,
      instanceIds: first.instanceIds,
      attempt: { id: first.attempt.id, fence: first.attempt.fence + 1 },
    });
    // A zombie of the first run begins nothing any more, for whatever instance.
    const zombie = request(id, ['3'], 'osDisk.swap', at(61), { fence: first.attempt.fence });
    const [state] = await world.fleet.operate(zombie);
    expect(state).toMatchObject({ status: 'refused', error: { code: 'Fenced' } });
  });

  it('is refused as a conflict while a workflow of another id upgrades the set, and nothing is touched', async () => {
    const { world, id } = await oneSet();
    const { attempt } = await world.activities.lookAtScaleSet(setLook(id));
    world.directory.open.add(setLook(id).workflow.id);
    const other = setLook(id, { workflow: { id: 'another-workflow', runId: 'run-9' }, at: at(60) });
    expect(await world.activities.lookAtScaleSet(other)).toMatchObject({
      kind: 'conflict',
      attempt,
      reason: { code: 'OperationNotAllowed', message: expect.stringContaining(setLook(id).workflow.id) },
    });
    const open = await world.ledger.attempts.openOf(id);
    expect(open).toMatchObject({ fence: attempt.fence, workflowId: setLook(id).workflow.id });
  });

  it('takes over from a workflow of another id once that is gone', async () => {
    const { world, id } = await oneSet();
    const { attempt } = await world.activities.lookAtScaleSet(setLook(id));
    const other = setLook(id, { workflow: { id: 'another-workflow', runId: 'run-9' }, at: at(60) });
    expect(await world.activities.lookAtScaleSet(other)).toMatchObject({
      kind: 'batch',
      attempt: { id: attempt.id, fence: attempt.fence + 1 },
    });
  });

  it("winds an earlier rollout's attempt down by that one's rules before its own turn", async () => {
    const { world, id } = await oneSet();
    const next = await recordRollout(world, { id: 'rollout/next/1.0.0/2', generation: 2 });
    const old = await afterFirstBatch(world, id);
    const takeOver = setLook(id, {
      rolloutId: next.id,
      workflow: { id: setLook(id).workflow.id, runId: 'run-2' },
      at: old.at,
    });
    expect(await world.activities.lookAtScaleSet(takeOver)).toMatchObject({
      kind: 'finished',
      status: 'Cancelled',
      reason: { code: 'Interrupted' },
      foreign: true,
      attempt: { id: old.attempt?.id },
    });
    const own = asBatch(await world.activities.lookAtScaleSet(takeOver));
    expect(own).toMatchObject({ rolloutId: next.id, attempt: { number: 2 }, batch: 1 });
    expect(own.instanceIds).not.toContain('0');
  });
});

describe('automatic upgrades switched off (C1)', () => {
  const optOut = (model: Json) => {
    policyOf(model)['automaticOSUpgradePolicy'] = { enableAutomaticOSUpgrade: false };
  };

  it('stop the set at the end of its batch, and not before', async () => {
    const { world, id } = await oneSet({ mode: 'Rolling' });
    const { look, configuredAt } = await configuredBatch(world, id);
    await changeModel(world, id, optOut);
    const during = setLook(id, { attempt: look.attempt, at: configuredAt });
    expect(await world.activities.lookAtScaleSet(during)).toMatchObject({ kind: 'batch', batch: 1 });
    await world.activities.checkHealth(healthInput(id, look, configuredAt + MINUTE));
    expect(await world.activities.lookAtScaleSet({ ...during, at: configuredAt + MINUTE })).toMatchObject({
      kind: 'finished',
      status: 'Cancelled',
      reason: { code: 'OptedOut' },
      progress: { successfulInstanceCount: 2, pendingInstanceCount: 8 },
    });
    expect(await world.ledger.targets.get(ROLLOUT_ID, id)).toMatchObject({
      status: 'skipped',
      reason: { code: 'OptedOut' },
    });
  });

  it('stop no upgrade that a person started (D8)', async () => {
    const { world, id } = await oneSet({ mode: 'Rolling' }, { rollout: { kind: 'manual' } });
    await changeModel(world, id, optOut);
    const look = asBatch(await world.activities.lookAtScaleSet(setLook(id)));
    expect(look).toMatchObject({ batch: 1, restoresOnFailure: false });
  });
});

describe('instances that are left alone', () => {
  /** Changes what instances are configured with, and applies that to all but `behind`. */
  async function leaveBehind(world: ActivityWorld, id: string, behind: string): Promise<void> {
    await changeModel(world, id, (model) => {
      const osProfile = (profileOf(model)['osProfile'] ?? {}) as Json;
      profileOf(model)['osProfile'] = { ...osProfile, customData: 'bmV3' };
    });
    const all = await world.fleet.instances(id, at(1));
    const others = all.map(({ instanceId }) => instanceId).filter((each) => each !== behind);
    await world.fleet.operate(request(id, others, 'model.apply', at(2), { attemptId: 'by-hand', fence: 0 }));
    const applied = await world.fleet.instances(id, at(60));
    expect(applied.filter(({ latestModelApplied }) => !latestModelApplied)).toMatchObject([
      { instanceId: behind },
    ]);
  }

  /** The instances of the first batch and how many more are to come. */
  async function firstBatch(world: ActivityWorld, id: string) {
    const look = asBatch(await world.activities.lookAtScaleSet(setLook(id, { at: at(120) })));
    return { ids: look.instanceIds, pending: look.progress.pendingInstanceCount };
  }

  it('in mode Manual those behind their model, until they are brought to it (C9)', async () => {
    const { world, id } = await oneSet({ mode: 'Manual' });
    await leaveBehind(world, id, '0');
    expect(await firstBatch(world, id)).toEqual({ ids: ['5'], pending: 8 });
  });

  it('not so in the other modes', async () => {
    const { world, id } = await oneSet({ mode: 'Rolling' });
    await leaveBehind(world, id, '0');
    expect(await firstBatch(world, id)).toEqual({ ids: ['0', '5'], pending: 8 });
  });

  it('protected ones, which still count when a batch is sized (B2)', async () => {
    const { world, id } = await oneSet({ protectedInstances: ['0'] });
    expect(await firstBatch(world, id)).toEqual({ ids: ['5'], pending: 8 });
    const { world: half, id: halfId } = await oneSet({ protectedInstances: ['0', '1', '2', '3', '4'] });
    // 20 % of all ten are two; both are of one update domain only where there are two in it.
    expect(await firstBatch(half, halfId)).toEqual({ ids: ['5'], pending: 4 });
  });

  it('stopped ones (B3), which count as unhealthy', async () => {
    const { world, id } = await oneSet();
    await world.fleet.changeInstances(id, ['0'], { power: 'deallocated' }, at(1));
    expect(await firstBatch(world, id)).toEqual({ ids: ['5'], pending: 8 });
    await world.fleet.changeInstances(id, ['1', '2'], { power: 'stopped' }, at(1));
    const other = setLook(id, { workflow: { id: setLook(id).workflow.id, runId: 'run-2' }, at: at(200) });
    expect((await world.activities.lookAtScaleSet(other)).kind).toBe('batch');
  });
});
