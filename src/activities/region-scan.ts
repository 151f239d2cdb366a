import type { Instant } from '../domain/clock.ts';
import { scaleSetKey, type ScaleSet } from '../domain/scale-set.ts';
import { triggerTime } from '../domain/trigger.ts';
import type { ImageOffer } from '../fleet/port.ts';
import type { Rollout, Target } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';
import { eligibilityOf, reasonAgainst } from './eligibility.ts';
import { wishesOf } from './goal.ts';
import { describeRevert } from './revert-scan.ts';
import type { RegionLookInput } from './types.ts';

/** Records every set that the rollout concerns and that is not recorded yet, and those that became due again. */
export async function scanRegion(
  deps: ActivityDependencies,
  input: RegionLookInput,
  rollout: Rollout,
  at: Instant,
): Promise<void> {
  const { fleet, ledger } = deps;
  const [scaleSets, offers, known] = await Promise.all([
    fleet.scaleSets({ region: input.region, image: rollout.target.image }),
    fleet.imageOffers(rollout.target.image, input.region, at),
    ledger.targets.list({ rolloutId: rollout.id, region: input.region }),
  ]);
  const knownByKey = new Map(known.map((target) => [scaleSetKey(target.scaleSetId), target]));
  const added: Target[] = [];
  for (const scaleSet of scaleSets) {
    const before = knownByKey.get(scaleSetKey(scaleSet.id));
    if (before && !mayBeDueAgain(before, input.round)) continue;
    const target = await describeTarget(deps, input, rollout, scaleSet, offers, at);
    if (!before) added.push(target);
    else if (target.status !== before.status || before.round !== input.round)
      await ledger.targets.update(target, target);
  }
  await ledger.targets.add(added);
}

/** A skipped set may have become eligible since; after a halt, `retry` gives every set that ended another turn. */
function mayBeDueAgain(target: Target, round: number): boolean {
  return (
    target.status === 'skipped' ||
    (target.round < round && (target.status === 'stopped' || target.status === 'upgraded'))
  );
}

async function describeTarget(
  deps: ActivityDependencies,
  input: RegionLookInput,
  rollout: Rollout,
  scaleSet: ScaleSet,
  offers: readonly ImageOffer[],
  at: Instant,
): Promise<Target> {
  const { ledger } = deps;
  const target: Target = {
    rolloutId: rollout.id,
    scaleSetId: scaleSet.id,
    scaleSetName: scaleSet.name,
    region: input.region,
    phase: input.phase,
    round: input.round,
    status: 'waiting',
    seenAt: at,
    triggerAt: at,
    attemptId: null,
    reason: null,
  };
  if (rollout.action === 'revert') {
    return { ...target, ...(await describeRevert(deps, rollout, scaleSet, at)) };
  }
  const judged = await eligibilityOf(deps, scaleSet, rollout.target, at, { automatic: true, offers });
  const reason = reasonAgainst(judged);
  if (reason !== null) return { ...target, status: 'skipped', reason };
  const { wishes } = await wishesOf(deps, rollout, scaleSet, at);
  if (wishes.length === 0) return { ...target, status: 'upgraded' };
  // A retry is a person's wish: it does not wait for a trigger again.
  if (input.round > 1) return target;
  const everTriggered = await ledger.targets.wasEverTriggered(scaleSet.id);
  const { automaticUpgradesSince } = scaleSet;
  const { settings, id: rolloutId } = rollout;
  return {
    ...target,
    triggerAt: triggerTime({
      settings,
      rolloutId,
      scaleSetId: scaleSet.id,
      seenAt: at,
      everTriggered,
      automaticUpgradesSince,
    }),
  };
}
