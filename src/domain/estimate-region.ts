import { ALONE } from './claims.ts';
import type { Duration, Instant } from './clock.ts';

/** All batches of a set in one zone, which it does without letting go of the zone. */
export interface ZoneRun {
  /** Null claims no zone; `*` (`ALONE`) claims all (rule B3). */
  zone: string | null;
  duration: Duration;
}

/** A set as the simulation sees it: when it may begin, and what it does then, in any order of zones. */
export interface SimulatedSet {
  dueAt: Instant;
  runs: ZoneRun[];
}

/** A set in the middle of its upgrade: in a zone until `busyUntil`, or waiting for one. */
interface ActiveSet {
  left: ZoneRun[];
  current: ZoneRun | null;
  busyUntil: Instant;
}

/**
 * When the first of a region's sets begins to upgrade VMs, and when the last one ends: a small simulation in which
 * zones take turns by the rule of `grantable` (rule D4) and at most `window` sets are under way.
 * @param sets in any order; of those due at the same moment the first one goes first
 * @returns null when there is nothing to do
 */
export function simulateRegion(
  sets: readonly SimulatedSet[],
  window: number,
): { start: Instant; end: Instant } | null {
  const due = sets.filter((set) => set.runs.length > 0).toSorted((a, b) => a.dueAt - b.dueAt);
  const first = due[0];
  if (first === undefined) return null;
  const slots = Math.max(1, window);
  let active: ActiveSet[] = [];
  let next = 0;
  let now = first.dueAt;
  while (next < due.length || active.length > 0) {
    for (let set = due[next]; set && set.dueAt <= now && active.length < slots; set = due[++next]) {
      active.push({ left: set.runs, current: null, busyUntil: now });
    }
    enterZones(active, now);
    now = nextMoment(active, active.length < slots ? due[next] : undefined);
    active = leaveZones(active, now);
  }
  // The first set that is due finds no zone held: it begins at once.
  return { start: first.dueAt, end: now };
}

/** The end of the run that ends first, or the moment at which the next set may join. */
function nextMoment(active: readonly ActiveSet[], joining: SimulatedSet | undefined): Instant {
  return active.reduce(
    (least, set) => (set.current ? Math.min(least, set.busyUntil) : least),
    joining?.dueAt ?? Infinity,
  );
}

/** Ends the runs that are over; a set with more to do queues up again behind those that wait, others are gone. */
function leaveZones(active: readonly ActiveSet[], now: Instant): ActiveSet[] {
  const over = (set: ActiveSet) => set.current !== null && set.busyUntil <= now;
  const again = active.filter((set) => over(set) && set.left.length > 0);
  for (const set of again) set.current = null;
  return [...active.filter((set) => !over(set) && !again.includes(set)), ...again];
}

/**
 * Lets those waiting into zones, in the order in which they wait: the open zone only while it is held, and none that
 * an earlier waiter could not share.
 */
function enterZones(active: readonly ActiveSet[], now: Instant): void {
  const waiting = active.filter((set) => set.current === null);
  let open = openZone(active);
  /** What all earlier waiters would accept too; undefined before the first of them. */
  let shared: Set<string | null> | undefined;
  for (const set of waiting) {
    const run = set.left.find(({ zone }) => {
      if (zone === null) return true;
      if (shared && (zone === ALONE || !shared.has(zone))) return false;
      return open === null || (zone === open && zone !== ALONE);
    });
    if (run) {
      enter(set, run, now);
      open = run.zone ?? open;
    } else {
      const before = shared;
      shared = new Set(set.left.map(({ zone }) => zone).filter((zone) => !before || before.has(zone)));
    }
  }
}

function openZone(active: readonly ActiveSet[]): string | null {
  return active.find((set) => set.current !== null && set.current.zone !== null)?.current?.zone ?? null;
}

function enter(set: ActiveSet, run: ZoneRun, now: Instant): void {
  set.current = run;
  set.busyUntil = now + run.duration;
  set.left = set.left.filter((other) => other !== run);
}
