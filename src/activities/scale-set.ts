import type { Instant } from '../domain/clock.ts';
import { policyInForce } from '../domain/policy.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import { nextSetStep, progressOf, stopCodes, type SetStep } from '../domain/set-planner.ts';
import type { Attempt, Batch, Ledger, Progress, Rollout } from '../ledger/port.ts';
import { claimZone, leaveZone, zoneGroup } from './claims.ts';
import { currentTime, type ActivityDependencies } from './context.ts';
import { notFound, refuseOvertaken } from './failures.ts';
import { observe, type Observation } from './scale-set-observation.ts';
import type { AttemptRef, ScaleSetLook, ScaleSetLookInput } from './types.ts';

const NO_ATTEMPT: AttemptRef = { id: '', fence: 0, number: 0 };
const NO_PROGRESS: Progress = {
  successfulInstanceCount: 0,
  failedInstanceCount: 0,
  inProgressInstanceCount: 0,
  pendingInstanceCount: 0,
};

/**
 * One look at a scale set: observes fleet and ledger, decides (`nextSetStep`), and records the decision, so that a
 * workflow that takes over continues where this one stood. Safe to repeat: an open batch is answered again.
 */
export async function lookAtScaleSet(
  deps: ActivityDependencies,
  input: ScaleSetLookInput,
): Promise<ScaleSetLook> {
  const at = await currentTime(deps, input.at);
  const { fleet, ledger } = deps;
  const scaleSet = await fleet.scaleSet(input.scaleSetId);
  if (!scaleSet) return endOfDeleted(deps, input, at);
  const opened = await openAttempt(deps, input, scaleSet, at);
  if ('kind' in opened) return opened;
  // Its end was recorded and the answer lost: what was decided then stands, whatever is seen now.
  const { status, reason, progress } = opened;
  if (status !== 'RollingForward') return settleEnd(deps, input, opened, { status, reason, progress }, at);
  // An attempt that was taken over may be an earlier rollout's: it is wound down by that rollout's rules.
  const rollout = await existingRollout(ledger, opened.rolloutId);
  let observation = await observe(deps, input, rollout, scaleSet, opened, at);
  let step = nextSetStep(observation.seen);
  if (step.kind === 'claimZone') {
    // The zone that is done is left first, so that those who wait for another one are woken.
    if (observation.seen.zoneHeld !== null) await leaveZone(deps, opened.id, at);
    const answer = await claimZone(
      deps,
      {
        ...zoneGroup(scaleSet.region, rollout.target),
        holder: opened.id,
        workflowId: input.workflow.id,
        accepts: step.accepts,
      },
      at,
    );
    if (answer.value === null) return waiting(observation, answer.waitingFor, null);
    if (answer.notBefore > at)
      return waiting(observation, `zone ${answer.value} of ${scaleSet.region}`, answer.notBefore);
    observation = { ...observation, seen: { ...observation.seen, zoneHeld: answer.value } };
    step = nextSetStep(observation.seen);
  }
  return record(deps, input, observation, step, at);
}

/** A scale set that was deleted: its attempt ends, so that it holds no zone, and it leaves the rollout's sum (rule D2). */
async function endOfDeleted(
  deps: ActivityDependencies,
  input: ScaleSetLookInput,
  at: Instant,
): Promise<ScaleSetLook> {
  const reason = { code: stopCodes.deleted, message: 'The scale set was deleted.' };
  const attempt = await deps.ledger.attempts.openOf(input.scaleSetId);
  if (attempt) {
    await deps.ledger.attempts.close(attempt, 'Cancelled', reason, attempt.progress, at);
    await leaveZone(deps, attempt.id, at);
  }
  const target = { rolloutId: input.rolloutId, scaleSetId: input.scaleSetId };
  if (input.startedBy === 'Platform') await deps.ledger.targets.update(target, { status: 'skipped', reason });
  else await deps.ledger.rollouts.setStatus(input.rolloutId, 'Cancelled', at, reason);
  return {
    kind: 'finished',
    attempt: attempt ? reference(attempt) : NO_ATTEMPT,
    progress: attempt?.progress ?? NO_PROGRESS,
    status: 'Cancelled',
    reason,
    foreign: false,
  };
}

async function openAttempt(
  deps: ActivityDependencies,
  input: ScaleSetLookInput,
  scaleSet: ScaleSet,
  at: Instant,
): Promise<Attempt | ScaleSetLook> {
  const { ledger, fleet, workflows } = deps;
  if (input.attempt) return refuseOvertaken(ledger, input.attempt);
  if (input.windDown && (await ledger.attempts.openOf(scaleSet.id)) === null)
    return nothingToWindDown(deps, input, at);
  const rollout = await existingRollout(ledger, input.rolloutId);
  const automatic = input.startedBy === 'Platform';
  const { kind, attempt } = await ledger.attempts.open(
    {
      scaleSetId: scaleSet.id,
      rolloutId: rollout.id,
      workflowId: input.workflow.id,
      runId: input.workflow.runId,
      startedBy: input.startedBy,
      target: rollout.target,
      policy: policyInForce(scaleSet),
      restoresOnFailure:
        automatic && !scaleSet.upgradePolicy.automaticOSUpgradePolicy.disableAutomaticRollback,
      at,
    },
    // This workflow runs under the set's own id, so no other run of it is open; an attempt under another id may be.
    async (open) => open.workflowId === input.workflow.id || !(await workflows.isOpen(open.workflowId)),
  );
  if (kind === 'conflict') {
    const message = `The scale set is being upgraded by ${attempt.workflowId} (attempt ${attempt.id}).`;
    return {
      kind: 'conflict',
      attempt: reference(attempt),
      progress: attempt.progress,
      reason: { code: 'OperationNotAllowed', message },
    };
  }
  await fleet.fence(scaleSet.id, attempt.fence);
  return attempt;
}

/** What was to be wound down has ended meanwhile, or was never begun: no new attempt is opened for it. */
async function nothingToWindDown(
  deps: ActivityDependencies,
  input: ScaleSetLookInput,
  at: Instant,
): Promise<Attempt | ScaleSetLook> {
  const { rolloutId, scaleSetId } = input;
  const [last] = await deps.ledger.attempts.listOf({ scaleSetId, rolloutId, limit: 1 });
  if (last) return last;
  const reason = { code: stopCodes.interrupted, message: 'It was stopped before it had begun.' };
  const target = await deps.ledger.targets.get(rolloutId, scaleSetId);
  if (target) await deps.ledger.targets.update(target, { status: 'stopped', reason });
  else await deps.ledger.rollouts.setStatus(rolloutId, 'Cancelled', at, reason);
  return {
    kind: 'finished',
    attempt: NO_ATTEMPT,
    progress: NO_PROGRESS,
    status: 'Cancelled',
    reason,
    foreign: false,
  };
}

async function existingRollout(ledger: Ledger, id: string): Promise<Rollout> {
  const rollout = await ledger.rollouts.get(id);
  if (!rollout) throw notFound(`Rollout ${id}`);
  return rollout;
}

async function record(
  deps: ActivityDependencies,
  input: ScaleSetLookInput,
  observation: Observation,
  step: SetStep,
  at: Instant,
): Promise<ScaleSetLook> {
  switch (step.kind) {
    case 'resumeBatch':
      return resumedBatch(observation, step.number);
    case 'batch':
      return openBatch(deps, observation, step, at);
    case 'finish':
      return finish(deps, input, observation, step, at);
    case 'wait':
      // Whoever waits for long leaves the zone to the others (rule D4).
      await leaveZone(deps, observation.attempt.id, at);
      return step.for === 'resume'
        ? waiting(observation, 'paused: waits for resume', null)
        : waiting(observation, 'the pause between batches', step.until);
    case 'claimZone':
      // Granted a moment ago and gone again: ask once more at the next look.
      return waiting(observation, 'an availability zone', at);
  }
}

async function openBatch(
  { ledger }: ActivityDependencies,
  { attempt, instances, seen }: Observation,
  step: Extract<SetStep, { kind: 'batch' }>,
  at: Instant,
): Promise<ScaleSetLook> {
  const chosen = new Set(step.instanceIds);
  const members = instances
    .filter((instance) => chosen.has(instance.instanceId))
    .map(({ instanceId, zone, updateDomain, osDisk }) => ({
      instanceId,
      zone,
      updateDomain,
      from: osDisk?.source ?? null,
    }));
  const before = progressOf(seen);
  const progress = {
    ...before,
    inProgressInstanceCount: members.length,
    pendingInstanceCount: before.pendingInstanceCount - members.length,
  };
  const batch = { number: step.number, zone: step.zone, updateDomain: step.updateDomain, startedAt: at };
  await ledger.attempts.openBatch(attempt, batch, members, progress);
  // What was recorded counts: another worker may have carried out the same look, and seen other instances.
  const batches = await ledger.attempts.batches(attempt.id);
  return batchLook(attempt, batches.find((one) => one.number === step.number) as Batch, progress);
}

/** A batch that was begun before a take-over: its half-done instances are finished or restored first. */
function resumedBatch({ attempt, batches, seen }: Observation, number: number): ScaleSetLook {
  return batchLook(attempt, batches.find((batch) => batch.number === number) as Batch, progressOf(seen));
}

function batchLook(attempt: Attempt, batch: Batch, progress: Progress): ScaleSetLook {
  return {
    kind: 'batch',
    attempt: reference(attempt),
    progress,
    batch: batch.number,
    zone: batch.zone,
    updateDomain: batch.updateDomain,
    instanceIds: batch.instanceIds,
    rolloutId: attempt.rolloutId,
    target: attempt.target,
    restoresOnFailure: attempt.restoresOnFailure,
  };
}

async function finish(
  deps: ActivityDependencies,
  input: ScaleSetLookInput,
  { attempt, seen }: Observation,
  { status, reason }: Extract<SetStep, { kind: 'finish' }>,
  at: Instant,
): Promise<ScaleSetLook> {
  const progress = progressOf(seen);
  await deps.ledger.attempts.close(attempt, status, reason, progress, at);
  return settleEnd(deps, input, attempt, { status, reason, progress }, at);
}

/** What follows from the end of an attempt, which is recorded: safe to repeat. */
async function settleEnd(
  deps: ActivityDependencies,
  input: ScaleSetLookInput,
  attempt: Attempt,
  end: Pick<Extract<ScaleSetLook, { kind: 'finished' }>, 'status' | 'reason' | 'progress'>,
  at: Instant,
): Promise<ScaleSetLook> {
  const { ledger } = deps;
  const { status, reason, progress } = end;
  await leaveZone(deps, attempt.id, at);
  if (attempt.startedBy === 'Platform') {
    await ledger.targets.update(attempt, {
      status: status === 'Completed' ? 'upgraded' : 'stopped',
      attemptId: attempt.id,
      reason,
    });
  } else {
    await ledger.rollouts.setStatus(attempt.rolloutId, status, at, reason);
  }
  const foreign = attempt.rolloutId !== input.rolloutId;
  return { kind: 'finished', attempt: reference(attempt), progress, status, reason, foreign };
}

function waiting({ attempt, seen }: Observation, what: string, until: Instant | null): ScaleSetLook {
  return { kind: 'wait', attempt: reference(attempt), progress: progressOf(seen), what, until };
}

function reference({ id, fence, number }: Attempt): AttemptRef {
  return { id, fence, number };
}
