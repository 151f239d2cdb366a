import type { Instant } from '../domain/clock.ts';
import { rolloutScope } from '../domain/scopes.ts';
import { sameImageVersion } from '../domain/image.ts';
import { stopCodes } from '../domain/stop-codes.ts';
import type { Decision, HeldVersion, PhaseVerdict, Reason, Rollout } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';
import { completedUpgradesTo, isFleetUpgrade } from './workflows-in-scope.ts';

/*
 * Versions that are held back from the whole fleet (rule D7): that of a rollout which a person ended, and one that broke its
 * canary. They are not picked up again until somebody lifts that, or starts one by hand.
 */

type Dependencies = Pick<ActivityDependencies, 'ledger'>;

/** Who holds back what broke its canary. */
const CANARY = 'canary';

/** An abort, and Temporal's own Cancel of the rollout. */
const ENDED_FOR_GOOD: readonly string[] = ['Aborted', stopCodes.cancelRequested];

/** A rollout has ended: where a person ended it, its version is held back. An order that ends everything says nothing of a version. */
export async function holdIfEnded(
  { ledger }: Dependencies,
  rollout: Rollout,
  reason: Reason | null,
  at: Instant,
): Promise<void> {
  if (!isFleetUpgrade(rollout) || reason === null) return;
  const order =
    reason.code === stopCodes.cancelled && (await ledger.orders.inForce([rolloutScope(rollout.id)]));
  if (!ENDED_FOR_GOOD.includes(reason.code) && !(order && order.state === 'cancelled')) return;
  await hold({ ledger }, rollout, { who: reason.code, why: `${reason.message} (${rollout.id})` }, at);
}

/** A phase was judged: the first one says of a version that no rollout has completed yet whether it is any good. */
export async function judgeCanary(
  deps: Dependencies,
  rollout: Rollout,
  judged: { phase: number; verdict: PhaseVerdict; withinTolerance: boolean },
  at: Instant,
): Promise<void> {
  if (judged.phase !== 1 || !isFleetUpgrade(rollout)) return;
  if (judged.withinTolerance) return liftCanary(deps, rollout, 'a later round passed', at);
  if ((await completedUpgradesTo(deps.ledger, rollout.target)).length > 0) return;
  const { failed, eligible } = judged.verdict;
  const why = `${failed} of ${eligible} eligible VMs of its first phase failed (${rollout.id}).`;
  await hold(deps, rollout, { who: CANARY, why }, at);
}

/** Who proceeds knows of the failures, and accepts them. */
export async function liftIfAccepted(
  deps: Dependencies,
  rollout: Rollout,
  { decision, phase, who, why }: Decision,
  at: Instant,
): Promise<void> {
  if (decision === 'proceed' && phase === 1) await liftCanary(deps, rollout, `${who}: ${why}`, at);
}

/** What holds a version back from the whole fleet, or null. */
export async function heldEverywhere(
  { ledger }: Dependencies,
  target: Rollout['target'],
): Promise<HeldVersion | null> {
  const held = await ledger.heldVersions.list({ scaleSetId: null });
  return held.find(({ version }) => sameImageVersion(version, target)) ?? null;
}

async function hold(
  { ledger }: Dependencies,
  { target }: Rollout,
  { who, why }: { who: string; why: string },
  at: Instant,
): Promise<void> {
  await ledger.heldVersions.hold({ scaleSetId: null, version: target, who, why, since: at });
}

async function liftCanary(deps: Dependencies, { target }: Rollout, by: string, at: Instant): Promise<void> {
  const held = await heldEverywhere(deps, target);
  if (held?.who === CANARY) await deps.ledger.heldVersions.lift(null, target, at, by);
}
