import type { Instant } from '../domain/clock.ts';
import type { Reason, Rollout, Target } from '../ledger/port.ts';
import { readCalendar, type ClosedFor } from './calendar.ts';
import type { ActivityDependencies } from './context.ts';
import { eligibilityOf, reasonAgainst } from './eligibility.ts';
import { unlessUnanswered } from './fleet-failures.ts';
import { startedBy } from './open-attempt.ts';

/** Sets that are due and may not begin yet (rule D10). */
export interface HeldTargets {
  targets: ReadonlySet<Target>;
  /** What the one waits for that may begin first; null where none is held. */
  first: ClosedFor | null;
}

export const NONE_HELD: HeldTargets = { targets: new Set(), first: null };

/**
 * Sets whose trigger has come and that may begin batches now (rule D10), as many as there is room for. Each is judged once more: what
 * was eligible when it was seen may have been opted out since, or have changed in a way that no upgrade must meet. Such a set is
 * skipped, and the region's later looks at the fleet go by what it is then (rules C1, D6).
 * @param targets all of one region
 * @returns the sets to begin, those that may not, and all targets as they are now
 */
export async function takeDue(
  deps: ActivityDependencies,
  rollout: Rollout,
  targets: readonly Target[],
  at: Instant,
): Promise<{ due: Target[]; held: HeldTargets; targets: Target[] }> {
  const running = targets.filter((target) => target.status === 'upgrading').length;
  const room = Math.max(0, rollout.settings.maxConcurrentScaleSets - running);
  const calendar = await readCalendar(deps, startedBy(rollout));
  const due: Target[] = [];
  const held = new Map<Target, ClosedFor>();
  const now: Target[] = [];
  for (const target of targets) {
    const hasTurn = due.length < room && target.status === 'waiting' && target.triggerAt <= at;
    const closed = hasTurn ? calendar.closedFor(target, at) : null;
    if (closed) held.set(target, closed);
    const isDue = hasTurn && closed === null;
    const reason = isDue ? await reasonToSkip(deps, rollout, target, at) : null;
    if (reason !== null) {
      await deps.ledger.targets.update(target, { status: 'skipped', reason });
      now.push({ ...target, status: 'skipped', reason });
      continue;
    }
    if (isDue) due.push(target);
    now.push(target);
  }
  return { due, held: heldTargets(held), targets: now };
}

function heldTargets(held: ReadonlyMap<Target, ClosedFor>): HeldTargets {
  const last = Number.MAX_SAFE_INTEGER;
  const [first = null] = [...held.values()].toSorted((a, b) => (a.until ?? last) - (b.until ?? last));
  return { targets: new Set(held.keys()), first };
}

async function reasonToSkip(
  deps: ActivityDependencies,
  { action, target: version }: Rollout,
  { scaleSetId }: Target,
  at: Instant,
): Promise<Reason | null> {
  if (action !== 'osUpgrade') return null;
  // One that was deleted, or that the cloud's API does not answer for, is found out by its own workflow.
  const judged = await unlessUnanswered(async () => {
    const scaleSet = await deps.fleet.scaleSet(scaleSetId);
    return scaleSet && eligibilityOf(deps, scaleSet, version, at, { automatic: true });
  });
  return judged && reasonAgainst(judged);
}
