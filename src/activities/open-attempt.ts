import type { Instant } from '../domain/clock.ts';
import type { Eligibility } from '../domain/eligibility.ts';
import { destinationOf } from '../domain/goal.ts';
import { imageKey, type ImageVersion } from '../domain/image.ts';
import { policyInForce } from '../domain/policy.ts';
import type { RollingUpgradePolicy, ScaleSet } from '../domain/scale-set.ts';
import { stopCodes } from '../domain/stop-codes.ts';
import type { Attempt, Ledger, Rollout } from '../ledger/port.ts';
import { reference } from './attempt-reference.ts';
import { endedWithoutAttempt, settleWithoutAttempt } from './before-attempt.ts';
import type { ActivityDependencies } from './context.ts';
import { eligibilityOf } from './eligibility.ts';
import { notFound, refuseOvertaken } from './failures.ts';
import { goalOf } from './goal.ts';
import { holdBack } from './hold-back.ts';
import type { ScaleSetLook, ScaleSetLookInput } from './types.ts';

/** The attempt of a set's workflow: opened, taken over, or found again; or how the look ends without one. */
export async function openAttempt(
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
  const automatic = startedBy(rollout) === 'Platform';
  const judged = await eligibilityOf(deps, scaleSet, rollout.target, at, { automatic });
  if (automatic && !input.windDown) {
    const settled = await settleWithoutAttempt(deps, rollout, scaleSet, judged, at);
    if (settled) return settled;
  }
  const { kind, attempt } = await ledger.attempts.open(
    {
      ...(await newAttempt(deps, rollout, scaleSet, judged, at)),
      workflowId: input.workflow.id,
      runId: input.workflow.runId,
      startedBy: startedBy(rollout),
      healthTimeout: rollout.settings.healthTimeout,
      restoresOnFailure: restoresOnFailure(rollout, scaleSet),
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
  if (kind === 'takenOver') deps.listener?.takenOver?.(attempt);
  await fleet.fence(scaleSet.id, attempt.fence);
  if (attempt.kind === 'revert') await holdBack(deps, rollout, scaleSet.id, at);
  return attempt;
}

/** Only OS upgrades begin by themselves; everything else is a person's wish. */
export function startedBy({ kind, action }: Rollout): Attempt['startedBy'] {
  return kind !== 'manual' && action === 'osUpgrade' ? 'Platform' : 'User';
}

/** Rule B6: automatic upgrades restore, unless the model says otherwise; what a person started does not. */
function restoresOnFailure(rollout: Rollout, { upgradePolicy }: ScaleSet): boolean {
  const { disableAutomaticRollback } = upgradePolicy.automaticOSUpgradePolicy;
  return startedBy(rollout) === 'Platform' && !disableAutomaticRollback;
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
  const target = await deps.ledger.targets.get(rolloutId, scaleSetId);
  if (target && target.status !== 'waiting' && target.status !== 'upgrading')
    return endedWithoutAttempt(target);
  const reason = { code: stopCodes.interrupted, message: 'It was stopped before it had begun.' };
  if (target) await deps.ledger.targets.update(target, { status: 'stopped', reason });
  else await deps.ledger.rollouts.setStatus(rolloutId, 'Cancelled', at, reason);
  return endedWithoutAttempt({ status: 'stopped', reason });
}

/** @throws ApplicationFailure `NotFound` */
export async function existingRollout(ledger: Ledger, id: string): Promise<Rollout> {
  const rollout = await ledger.rollouts.get(id);
  if (!rollout) throw notFound(`Rollout ${id}`);
  return rollout;
}

/** What an attempt of a rollout on a set is about, as far as it follows from the two. */
async function newAttempt(
  deps: ActivityDependencies,
  rollout: Rollout,
  scaleSet: ScaleSet,
  { warnings }: Eligibility,
  at: Instant,
): Promise<Pick<Attempt, 'scaleSetId' | 'rolloutId' | 'kind' | 'region' | 'target' | 'policy' | 'warnings'>> {
  return {
    scaleSetId: scaleSet.id,
    rolloutId: rollout.id,
    kind: rollout.action,
    region: scaleSet.region,
    target: rollout.action === 'revert' ? await wayBack(deps, rollout, scaleSet, at) : rollout.target,
    policy: policyOf(rollout, scaleSet),
    // Rule C8: what the first batch will meet is said before it begins.
    warnings,
  };
}

/** A rolling upgrade to the model goes by the set's own policy whether or not OS upgrades do (rule B13). */
function policyOf({ action, parameters }: Rollout, scaleSet: ScaleSet): RollingUpgradePolicy {
  const { upgradePolicy } = scaleSet;
  const own = action === 'modelUpgrade' ? upgradePolicy.rollingUpgradePolicy : {};
  return policyInForce(scaleSet, own, parameters.policy ?? {});
}

/** The version that most instances of the set go back to; the one that is undone, if none does. */
async function wayBack(
  deps: ActivityDependencies,
  rollout: Rollout,
  scaleSet: ScaleSet,
  at: Instant,
): Promise<ImageVersion> {
  const goal = await goalOf(deps, rollout, scaleSet, at);
  const counts = new Map<string, { version: ImageVersion; count: number }>();
  for (const instance of await deps.fleet.instances(scaleSet.id, at)) {
    const version = destinationOf(goal, scaleSet, instance)?.version;
    if (!version) continue;
    const key = `${imageKey(version.image)} ${version.version}`;
    counts.set(key, { version, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const [most] = [...counts.values()].toSorted((a, b) => b.count - a.count);
  return most?.version ?? rollout.target;
}
