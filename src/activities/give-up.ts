import { humanDuration, type Instant } from '../domain/clock.ts';
import { PATIENCE } from '../domain/patience.ts';
import { stopCodes } from '../domain/stop-codes.ts';
import type { Attempt, Reason } from '../ledger/port.ts';
import { scaleSetRolloutId } from '../workflows/ids.ts';
import type { ScaleSetRolloutResult } from '../workflows/messages.ts';
import { NO_PROGRESS } from './attempt-reference.ts';
import { leaveZone } from './claims.ts';
import { currentTime, type ActivityDependencies } from './context.ts';
import { existingRollout } from './open-attempt.ts';
import type { GiveUpInput } from './types.ts';

/**
 * Records that a scale set is given up for which the cloud's API does not answer: its zone is left to others (rule D4), and its
 * VMs count as failed (rule D2). An attempt with something half done stays open, so that whoever acts on the set next finishes that
 * first. Asks nothing of the fleet about the set.
 */
export async function giveUpScaleSet(
  deps: ActivityDependencies,
  { rolloutId, scaleSetId, why, at: asked }: GiveUpInput,
): Promise<ScaleSetRolloutResult> {
  const { ledger } = deps;
  const at = await currentTime(deps, asked);
  const open = await ledger.attempts.openOf(scaleSetId);
  // One under another id is somebody else's, who may be luckier.
  const attempt = open?.workflowId === scaleSetRolloutId(scaleSetId) ? open : null;
  const halfDone = attempt !== null && (await isHalfDone(deps, attempt));
  const reason = reasonOf(why, halfDone);
  if (attempt !== null) {
    if (halfDone) await ledger.attempts.giveUp(attempt, reason, at);
    else await ledger.attempts.close(attempt, 'Faulted', reason, attempt.progress, at);
    await leaveZone(deps, attempt.id, at);
  }
  await settle(deps, { rolloutId, scaleSetId }, attempt, reason, at);
  return { status: 'Faulted', reason, progress: attempt?.progress ?? NO_PROGRESS };
}

/** A batch is open, or failed instances are being restored because the policy was broken (rule B7). */
async function isHalfDone({ ledger }: ActivityDependencies, { id, reason }: Attempt): Promise<boolean> {
  return reason !== null || (await ledger.attempts.batches(id)).some((batch) => batch.endedAt === null);
}

function reasonOf(why: string, halfDone: boolean): Reason {
  const patience = humanDuration(PATIENCE);
  const rest = halfDone ? ' What is half done there stays so until it is repaired or upgraded again.' : '';
  const message = `For ${patience} the cloud's API has not answered for this set, while it has for others. ${why}${rest}`;
  return { code: stopCodes.unreachable, message };
}

async function settle(
  { ledger }: ActivityDependencies,
  key: { rolloutId: string; scaleSetId: string },
  attempt: Attempt | null,
  reason: Reason,
  at: Instant,
): Promise<void> {
  const rollout = await existingRollout(ledger, key.rolloutId);
  if (rollout.kind === 'manual') return ledger.rollouts.setStatus(rollout.id, 'Faulted', at, reason);
  const target = await ledger.targets.get(key.rolloutId, key.scaleSetId);
  if (target?.status !== 'waiting' && target?.status !== 'upgrading') return;
  const attemptId = attempt?.rolloutId === rollout.id ? attempt.id : target.attemptId;
  await ledger.targets.update(key, { status: 'stopped', attemptId, reason });
}
