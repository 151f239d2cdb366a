import type { Instant } from '../domain/clock.ts';
import type { Wish } from '../domain/goal.ts';
import { sameImageVersion, type ImageVersion } from '../domain/image.ts';
import { observedInstance } from '../domain/observed-instance.ts';
import { isSpared } from '../domain/operation.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import { stopCodes } from '../domain/stop-codes.ts';
import { stopsAtOnce } from '../domain/stops-at-once.ts';
import type { Attempt, Reason, Rollout } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';
import { goalOf } from './goal.ts';
import { completedUpgradesTo } from './workflows-in-scope.ts';

/** What stopped an upgrade and passes by itself, or is nobody's wish: the set gets its turn again. */
const PASSES: readonly string[] = [
  stopCodes.notEligible,
  stopCodes.optedOut,
  stopCodes.superseded,
  stopCodes.interrupted,
  stopCodes.deleted,
];

const CANCELLED: readonly string[] = [stopCodes.cancelled, stopCodes.cancelRequested];
/** See `settleTargets`. */
const WORKFLOW_FAILED = 'WorkflowFailed';

type Ledgers = Pick<ActivityDependencies, 'ledger'>;

/**
 * Why a set that is behind a version is not tried again by itself: its newest attempt was this upgrade, and has failed or was
 * cancelled. A repair, any other attempt on the set, a person's start, or a newer version changes that (rule D6, ours).
 * @param wishes the instances that are behind
 */
export async function triedBefore(
  deps: Pick<ActivityDependencies, 'fleet' | 'ledger'>,
  rollout: Pick<Rollout, 'kind' | 'action' | 'target' | 'parameters' | 'settings'>,
  scaleSet: ScaleSet,
  wishes: readonly Wish[],
  at: Instant,
): Promise<Reason | null> {
  const [last] = await deps.ledger.attempts.listOf({ scaleSetId: scaleSet.id, limit: 1 });
  if (!last || !isUpgradeTo(last, rollout.target)) return stoppedUntouched(deps, rollout, scaleSet, last);
  if (last.status === 'RollingForward') return stoppedUntouched(deps, rollout, scaleSet, last);
  if (last.status === 'Completed') return allFailed(deps, last, wishes);
  const code = last.reason?.code ?? '';
  if (PASSES.includes(code)) return null;
  // Nothing was touched: it is as good as new once its VMs are healthy.
  if (code === stopCodes.beforeUpgrade && !(await isUnhealthy(deps, rollout, scaleSet, at))) return null;
  if (CANCELLED.includes(code) && (await wasAllCancelled(deps, last))) return null;
  return triedOf(rollout.target, `attempt ${last.id}: ${last.reason?.message ?? last.status}`);
}

/** A whole rollout that was cancelled says something of its version, not of the sets that it was about. */
async function wasAllCancelled({ ledger }: Ledgers, { rolloutId }: Attempt): Promise<boolean> {
  const rollout = await ledger.rollouts.get(rolloutId);
  return rollout !== null && rollout.kind !== 'manual' && rollout.status === 'Cancelled';
}

/**
 * A person cancelled its region or phase before the set's turn came, or its workflow failed again and again: the rollout of the
 * version has ended without it. An attempt that began later changes that.
 */
async function stoppedUntouched(
  { ledger }: Ledgers,
  { target: version }: Pick<Rollout, 'target'>,
  { id: scaleSetId }: ScaleSet,
  last: Attempt | undefined,
): Promise<Reason | null> {
  for (const { id, target, startedAt } of await completedUpgradesTo(ledger, version)) {
    const stopped = await ledger.targets.get(id, scaleSetId);
    if (stopped === null) continue;
    const isOver = last !== undefined && last.id !== stopped.attemptId && last.startedAt > startedAt;
    const code = stopped.reason?.code ?? '';
    const stands = stopped.status === 'stopped' && [...CANCELLED, WORKFLOW_FAILED].includes(code);
    return stands && !isOver ? triedOf(target, `${id}: ${stopped.reason?.message}`) : null;
  }
  return null;
}

function isUpgradeTo({ kind, target }: Attempt, version: ImageVersion): boolean {
  return kind === 'osUpgrade' && sameImageVersion(target, version);
}

/** Within its thresholds an upgrade completes with some of its VMs restored. */
async function allFailed(
  { ledger }: Ledgers,
  attempt: Attempt,
  wishes: readonly Wish[],
): Promise<Reason | null> {
  const taken = await ledger.attempts.instances(attempt.id);
  // One that was protected when its turn came was not tried.
  const tried = taken.filter(({ outcome, error }) => outcome !== 'upgraded' && !isSpared(error));
  const failed = new Set(tried.map(({ instanceId }) => instanceId));
  if (!wishes.every(({ instanceId }) => failed.has(instanceId))) return null;
  return triedOf(attempt.target, `attempt ${attempt.id}: ${failed.size} of its VMs were not healthy on it.`);
}

async function isUnhealthy(
  deps: Pick<ActivityDependencies, 'fleet' | 'ledger'>,
  rollout: Pick<Rollout, 'kind' | 'action' | 'target' | 'parameters' | 'settings'>,
  scaleSet: ScaleSet,
  at: Instant,
): Promise<boolean> {
  const [goal, instances] = await Promise.all([
    goalOf(deps, rollout, scaleSet, at),
    deps.fleet.instances(scaleSet.id, at),
  ]);
  const { healthyReadings } = rollout.settings;
  const seen = instances.map((one) => observedInstance(goal, scaleSet, one, healthyReadings));
  return stopsAtOnce(scaleSet, seen, at) !== null;
}

function triedOf({ version }: ImageVersion, why: string): Reason {
  const message = `Its upgrade to ${version} has ended before. ${why} Repair it, or start it by hand.`;
  return { code: 'TriedBefore', message };
}
