import type { Instant } from '../domain/clock.ts';
import type { Instance } from '../domain/scale-set.ts';
import type { SetObservation } from '../domain/set-planner.ts';
import { hasLeftRollout, stopCodes } from '../domain/stop-codes.ts';
import type {
  Attempt,
  AttemptStatus,
  InstanceOutcome,
  Reason,
  Target,
  TargetStatus,
} from '../ledger/port.ts';
import { NO_ATTEMPT, NO_PROGRESS, reference } from './attempt-reference.ts';
import { leaveZone } from './claims.ts';
import type { ActivityDependencies } from './context.ts';
import { existingRollout } from './open-attempt.ts';
import type { ScaleSetLook, ScaleSetLookInput } from './types.ts';

/** A scale set that was deleted: its attempt ends, so that it holds no zone, and it leaves the rollout's sum (rule D2). */
export async function endOfDeleted(
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
  if (await deps.ledger.targets.get(input.rolloutId, input.scaleSetId))
    await deps.ledger.targets.update(target, { status: 'skipped', reason });
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

/** What follows from the end of an attempt, which is recorded: safe to repeat. */
export async function settleEnd(
  deps: ActivityDependencies,
  input: ScaleSetLookInput,
  attempt: Attempt,
  end: Pick<Extract<ScaleSetLook, { kind: 'finished' }>, 'status' | 'reason' | 'progress'>,
  at: Instant,
): Promise<ScaleSetLook> {
  const { ledger } = deps;
  const { status, reason, progress } = end;
  await leaveZone(deps, attempt.id, at);
  const rollout = await existingRollout(ledger, attempt.rolloutId);
  if (attempt.kind === 'repair') await releaseRepaired(deps, attempt, at);
  if (rollout.kind !== 'manual') {
    await settleTarget(deps, attempt, { status: targetStatus(status, reason), reason }, at);
  } else {
    await ledger.rollouts.setStatus(attempt.rolloutId, status, at, reason);
  }
  const foreign = attempt.rolloutId !== input.rolloutId;
  return { kind: 'finished', attempt: reference(attempt), progress, status, reason, foreign };
}

/** A set that got another turn since the attempt ended, by a person's `retry`, is that turn's: this worker was away. */
async function settleTarget(
  { ledger }: ActivityDependencies,
  attempt: Attempt,
  end: Pick<Target, 'status' | 'reason'>,
  at: Instant,
): Promise<void> {
  const target = await ledger.targets.get(attempt.rolloutId, attempt.scaleSetId);
  if (target !== null && target.seenAt > (attempt.endedAt ?? at)) return;
  await ledger.targets.update(attempt, { ...end, attemptId: attempt.id });
}

/** A set that is none of the rollout's any longer is skipped: the region looks at it again, in case that changes (rule D6). */
function targetStatus(status: AttemptStatus, reason: Reason | null): TargetStatus {
  if (status === 'Completed') return 'upgraded';
  return hasLeftRollout(reason) ? 'skipped' : 'stopped';
}

/**
 * Previous OS disks that are still there at the end are not needed any more (rule B4): they were kept in case that the policy
 * would be broken (rule B7), or whoever judged their batch died before it could give them up. A repair needs those of failed
 * restores.
 */
export async function discardKeptDisks(
  { fleet }: ActivityDependencies,
  { scaleSetId, kind }: Attempt,
  instances: readonly Instance[],
  { taken }: SetObservation,
  at: Instant,
): Promise<void> {
  const kept = new Set(instances.filter((one) => one.previousOsDisk !== null).map((one) => one.instanceId));
  const isNeeded = (outcome: InstanceOutcome | null) =>
    outcome === 'restoreFailed' || (kind === 'repair' && outcome === 'left');
  const ids = taken
    .filter((one) => kept.has(one.instanceId) && !isNeeded(one.outcome))
    .map((one) => one.instanceId);
  if (ids.length > 0) await fleet.discardPreviousOsDisks(scaleSetId, ids, at);
}

/** An instance that was repaired and seen healthy leaves the quarantine. */
async function releaseRepaired(
  { ledger }: ActivityDependencies,
  attempt: Attempt,
  at: Instant,
): Promise<void> {
  const mended = (await ledger.attempts.instances(attempt.id)).filter((one) => one.outcome === 'upgraded');
  const ids = mended.map((one) => one.instanceId);
  await ledger.quarantine.release(attempt.scaleSetId, ids, at, attempt.id);
}
