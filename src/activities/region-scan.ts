import type { Instant } from '../domain/clock.ts';
import { scaleSetKey, type ScaleSet } from '../domain/scale-set.ts';
import { IMAGE_WATCH } from '../domain/pick-up.ts';
import { triggerTime } from '../domain/trigger.ts';
import type { Wish } from '../domain/goal.ts';
import type { ImageOffer } from '../fleet/port.ts';
import type { Reason, Rollout, Target } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';
import { eligibilityOf, reasonAgainst } from './eligibility.ts';
import { unlessUnanswered } from './fleet-failures.ts';
import { wishesOf } from './goal.ts';
import { describeRevert } from './revert-scan.ts';
import { triedBefore } from './tried-before.ts';
import type { RegionLookInput } from './types.ts';

/** Sets that are read at once: calls about them may hang until their deadline, and a look has its time. */
const READ_AT_ONCE = 20;

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
  const beforeOf = (scaleSet: ScaleSet) => knownByKey.get(scaleSetKey(scaleSet.id));
  const open = scaleSets.filter((one) => {
    const before = beforeOf(one);
    return before === undefined || mayBeDueAgain(before, input.round);
  });
  const added: Target[] = [];
  for (let i = 0; i < open.length; i += READ_AT_ONCE) {
    const read = open.slice(i, i + READ_AT_ONCE).map(async (scaleSet) => {
      const before = beforeOf(scaleSet);
      const target = await unlessUnanswered(() => describeTarget(deps, input, rollout, scaleSet, offers, at));
      // Nobody knows what one is like that can't be read. Its own workflow has the patience to find out.
      return { before, target: target ?? (await unreadTarget(deps, input, rollout, scaleSet, before, at)) };
    });
    for (const { before, target } of await Promise.all(read)) {
      if (!before) added.push(target);
      else if (target.status !== before.status || before.round !== input.round)
        await ledger.targets.update(target, target);
    }
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

/** A set as a rollout finds it. */
async function describeTarget(
  deps: ActivityDependencies,
  input: RegionLookInput,
  rollout: Rollout,
  scaleSet: ScaleSet,
  offers: readonly ImageOffer[],
  at: Instant,
): Promise<Target> {
  const target = targetOf(input, rollout, scaleSet, at);
  if (rollout.action === 'revert') {
    return { ...target, ...(await describeRevert(deps, rollout, scaleSet, at)) };
  }
  const judged = await eligibilityOf(deps, scaleSet, rollout.target, at, { automatic: true, offers });
  const reason = reasonAgainst(judged);
  if (reason !== null) return { ...target, status: 'skipped', reason };
  const { wishes } = await wishesOf(deps, rollout, scaleSet, at);
  if (wishes.length === 0) return { ...target, status: 'upgraded' };
  const tried = await triedByItself(deps, input, rollout, scaleSet, wishes, at);
  if (tried !== null) return { ...target, status: 'skipped', reason: tried };
  return triggered(deps, rollout, scaleSet, target);
}

/** What nobody asked for by hand does not try again what has failed on a set. */
async function triedByItself(
  deps: ActivityDependencies,
  { round }: RegionLookInput,
  rollout: Rollout,
  scaleSet: ScaleSet,
  wishes: readonly Wish[],
  at: Instant,
): Promise<Reason | null> {
  if (rollout.startedBy !== IMAGE_WATCH || round > 1) return null;
  const due = wishes.filter(({ why }) => why === null);
  return due.length === 0 ? null : triedBefore(deps, rollout, scaleSet, due, at);
}

/** One that was skipped stays so until it can be read again; any other gets its turn, and is judged when that comes. */
async function unreadTarget(
  deps: ActivityDependencies,
  input: RegionLookInput,
  rollout: Rollout,
  scaleSet: ScaleSet,
  before: Target | undefined,
  at: Instant,
): Promise<Target> {
  if (before?.status === 'skipped') return { ...before, round: input.round };
  return triggered(deps, rollout, scaleSet, targetOf(input, rollout, scaleSet, at));
}

/** A set whose turn is now. */
function targetOf(input: RegionLookInput, rollout: Rollout, scaleSet: ScaleSet, at: Instant): Target {
  return {
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
}

/** Its turn comes at its trigger. A retry and a revert are a person's wish: they do not wait for one. */
async function triggered(
  { ledger }: ActivityDependencies,
  { settings, action, id: rolloutId }: Rollout,
  { id: scaleSetId, automaticUpgradesSince }: ScaleSet,
  target: Target,
): Promise<Target> {
  if (target.round > 1 || action === 'revert') return target;
  const everTriggered = await ledger.targets.wasEverTriggered(scaleSetId);
  const seen = { settings, rolloutId, scaleSetId, seenAt: target.seenAt };
  return { ...target, triggerAt: triggerTime({ ...seen, everTriggered, automaticUpgradesSince }) };
}
