import type { Instant } from '../domain/clock.ts';
import { endOf, isGone, isSettled, startsOf, type AttemptStory, type Life } from './story.ts';

/** An instance out of service for its upgrade: from the first thing done to it until it is healthy, restored or left. */
export interface Flight {
  life: Life;
  attempt: AttemptStory;
  start: Instant;
  end: Instant;
}

/**
 * When instances of an attempt were out of service. An operation without an end lasts for ever; where the set was given up, until then:
 * whatever takes it up again is a flight of its own.
 */
export function flightsOf(attempt: AttemptStory): Flight[] {
  return flightsUntil(attempt, [...attempt.givenUpAt, Infinity]);
}

/**
 * The same as the set has it: whoever was in a batch that nobody has ended, and was not seen healthy nor restored, stays out of
 * service, whether or not anybody acts for it.
 */
export function absencesOf(attempt: AttemptStory): Flight[] {
  return flightsUntil(attempt, [Infinity]).map((flight) =>
    isHalfDone(attempt, flight.life) ? { ...flight, end: Infinity } : flight,
  );
}

function isHalfDone(attempt: AttemptStory, life: Life): boolean {
  const isDone = endOf(life, 'health.wait', 'succeeded') ?? endOf(life, 'osDisk.restore', 'succeeded');
  return attempt.batchOf.get(life.instanceId)?.end === null && !isDone && !isGone(attempt, life);
}

function flightsUntil(attempt: AttemptStory, ends: readonly Instant[]): Flight[] {
  return attempt.lives.flatMap((life) =>
    spellsOf(attempt, life, ends).flatMap(({ spell, until }) => {
      const first = spell.entries.find(
        ({ event, operation }) => event === 'started' && operation !== 'health.wait',
      );
      const end = Math.min(landing(attempt, spell), until);
      return first ? [{ life, attempt, start: first.at, end }] : [];
    }),
  );
}

function spellsOf(
  attempt: AttemptStory,
  life: Life,
  ends: readonly Instant[],
): { spell: Life; until: Instant }[] {
  return ends.flatMap((until, i) => {
    const since = ends[i - 1] ?? -Infinity;
    const entries = life.entries.filter(({ at }) => since < at && at <= until);
    return restoresApart(attempt, { ...life, entries }).map((spell) => ({ spell, until }));
  });
}

/** One that was left when its batch ended, and is restored after that (rule B7), is out of service twice. */
function restoresApart(attempt: AttemptStory, life: Life): Life[] {
  const [restore] = startsOf(life, 'osDisk.restore');
  const left = attempt.batchOf.get(life.instanceId)?.end ?? null;
  if (!restore || left === null || restore.at < left) return [life];
  const from = life.entries.indexOf(restore);
  return [
    { ...life, entries: life.entries.slice(0, from) },
    { ...life, entries: life.entries.slice(from) },
  ];
}

function landing(attempt: AttemptStory, life: Life): Instant {
  const healthy = endOf(life, 'health.wait', 'succeeded');
  if (healthy) return healthy.at;
  const last = Math.max(...life.entries.map((entry) => entry.at));
  return isSettled(life) || isGone(attempt, life) ? last : Infinity;
}

/**
 * Two flights at the same time that differ in `key`: the first such, which is enough to know.
 * @param concerns of which two
 */
export function firstOverlap(
  flights: readonly Flight[],
  key: (flight: Flight) => string,
  concerns: (a: Flight, b: Flight) => boolean = () => true,
): [Flight, Flight] | null {
  let open: Flight[] = [];
  for (const flight of flights.toSorted((a, b) => a.start - b.start)) {
    open = open.filter((other) => other.end > flight.start);
    const other = open.find((candidate) => key(candidate) !== key(flight) && concerns(candidate, flight));
    if (other && flight.end > flight.start) return [other, flight];
    open.push(flight);
  }
  return null;
}

/** The most flights at the same time; one that begins when another ends is not at the same time. */
export function peak(flights: readonly Flight[]): number {
  const moments = flights
    .filter(({ start, end }) => end > start)
    .flatMap(({ start, end }) => [
      { at: start, change: 1 },
      { at: end, change: -1 },
    ])
    .toSorted((a, b) => a.at - b.at || a.change - b.change);
  let now = 0;
  let most = 0;
  for (const { change } of moments) {
    now += change;
    most = Math.max(most, now);
  }
  return most;
}
