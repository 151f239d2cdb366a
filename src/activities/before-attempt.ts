import type { Instant } from '../domain/clock.ts';
import type { Eligibility } from '../domain/eligibility.ts';
import { describeLeftAlone } from '../domain/left-alone.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import type { Rollout, Target } from '../ledger/port.ts';
import { NO_ATTEMPT, NO_PROGRESS } from './attempt-reference.ts';
import type { ActivityDependencies } from './context.ts';
import { reasonAgainst } from './eligibility.ts';
import { wishesOf } from './goal.ts';
import type { ScaleSetLook } from './types.ts';

/**
 * What an automatic upgrade finds when its turn comes: much may have changed since the set was seen to be due. Where it is not eligible,
 * somebody has upgraded it meanwhile, or nothing may be touched, no attempt is opened: it would push a real one out of the set's
 * history (rule E1).
 * @returns how the look ends, or null when there is work to do
 */
export async function settleWithoutAttempt(
  deps: ActivityDependencies,
  rollout: Rollout,
  scaleSet: ScaleSet,
  judged: Eligibility,
  at: Instant,
): Promise<ScaleSetLook | null> {
  const { ledger } = deps;
  const [target, [last]] = await Promise.all([
    ledger.targets.get(rollout.id, scaleSet.id),
    ledger.attempts.listOf({ scaleSetId: scaleSet.id, limit: 1 }),
  ]);
  const isUnsettled = last?.rolloutId === rollout.id && last.id !== target?.attemptId;
  if (target === null || last?.status === 'RollingForward' || isUnsettled) return null;
  const end = await endWithoutAttempt(deps, rollout, scaleSet, judged, at);
  if (end === null) return null;
  await ledger.targets.update(target, end);
  return endedWithoutAttempt(end);
}

/** How a look ends at a set whose target has ended, and for which no attempt was opened. */
export function endedWithoutAttempt({ status, reason }: Pick<Target, 'status' | 'reason'>): ScaleSetLook {
  return {
    kind: 'finished',
    attempt: NO_ATTEMPT,
    progress: NO_PROGRESS,
    status: status === 'upgraded' ? 'Completed' : 'Cancelled',
    reason,
    foreign: false,
  };
}

async function endWithoutAttempt(
  deps: ActivityDependencies,
  rollout: Rollout,
  scaleSet: ScaleSet,
  judged: Eligibility,
  at: Instant,
): Promise<Pick<Target, 'status' | 'reason'> | null> {
  // Its region has judged it a moment ago, if it could read it.
  const against = reasonAgainst(judged);
  if (against !== null) return { status: 'skipped', reason: against };
  const { wishes, of } = await wishesOf(deps, rollout, scaleSet, at);
  if (wishes.length === 0) return { status: 'upgraded', reason: null };
  const left = wishes.flatMap(({ instanceId, why }) => (why === null ? [] : [{ instanceId, why }]));
  if (left.length < wishes.length) return null;
  return { status: 'stopped', reason: describeLeftAlone(left, of) };
}
