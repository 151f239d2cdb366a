import type { AttemptKind } from '../domain/attempt-kinds.ts';
import type { Instant } from '../domain/clock.ts';
import type { JournalEntry, Observed } from '../domain/operation.ts';
import type { RollingUpgradePolicy } from '../domain/scale-set.ts';

/*
 * A journal, put in order: attempts with their batches, and what was done to each instance. Nothing here asks the ledger or
 * the fleet: what the journal does not say is not known.
 */

export interface Story {
  attempts: AttemptStory[];
  entries: readonly JournalEntry[];
}

export interface AttemptStory {
  id: string;
  scaleSetId: string;
  region: string;
  rolloutId: string;
  kind: AttemptKind;
  startedBy: 'Platform' | 'User';
  restoresOnFailure: boolean;
  policy: RollingUpgradePolicy;
  healthTimeout: number;
  toVersion: string | null;
  start: Instant;
  /** Null while it runs. */
  end: Instant | null;
  status: string | null;
  takeOvers: number;
  batches: BatchStory[];
  lives: Life[];
}

export interface BatchStory {
  number: number;
  zone: string | null;
  updateDomain: number | null;
  start: Instant;
  end: Instant | null;
  observed: Observed;
  outcomes: Record<string, number> | null;
}

/** What an attempt did to one instance. */
export interface Life {
  instanceId: string;
  scaleSetId: string;
  attemptId: string;
  region: string;
  zone: string | null;
  updateDomain: number | null;
  /** In the order in which they happened. */
  entries: JournalEntry[];
}

/** Puts a journal in order. Attempts of which it does not tell the beginning are left out. */
export function tellStory(entries: readonly JournalEntry[]): Story {
  const inOrder = entries.toSorted((a, b) => a.at - b.at);
  const attempts = new Map<string, AttemptStory>();
  for (const entry of inOrder) {
    if (entry.operation !== 'attempt' || entry.event !== 'started' || !entry.observed?.attempt) continue;
    attempts.set(entry.attemptId, openingOf(entry, entry.observed.attempt));
  }
  const lives = new Map<string, Life>();
  for (const entry of inOrder) {
    const attempt = attempts.get(entry.attemptId);
    if (!attempt) continue;
    if (entry.instanceId === '') addEvent(attempt, entry);
    else addToLife(attempt, lives, entry);
  }
  return { attempts: [...attempts.values()], entries: inOrder };
}

function openingOf(entry: JournalEntry, by: NonNullable<Observed['attempt']>): AttemptStory {
  return {
    id: entry.attemptId,
    scaleSetId: entry.scaleSetId,
    region: entry.region,
    rolloutId: entry.rolloutId,
    ...by,
    toVersion: entry.toVersion,
    start: entry.at,
    end: null,
    status: null,
    takeOvers: 0,
    batches: [],
    lives: [],
  };
}

function addEvent(attempt: AttemptStory, entry: JournalEntry): void {
  if (entry.operation === 'takeOver') attempt.takeOvers++;
  if (entry.operation === 'attempt' && entry.event !== 'started') {
    attempt.end = entry.at;
    attempt.status = entry.detail;
  }
  if (entry.operation !== 'batch') return;
  const number = Number(entry.detail);
  if (entry.event === 'started') {
    attempt.batches.push({
      number,
      zone: entry.zone,
      updateDomain: entry.updateDomain,
      start: entry.at,
      end: null,
      observed: entry.observed ?? {},
      outcomes: null,
    });
    return;
  }
  const batch = attempt.batches.find((one) => one.number === number);
  if (!batch) return;
  batch.end = entry.at;
  batch.outcomes = entry.observed?.outcomes ?? null;
}

function addToLife(attempt: AttemptStory, lives: Map<string, Life>, entry: JournalEntry): void {
  const key = `${entry.attemptId} ${entry.instanceId}`;
  let life = lives.get(key);
  if (!life) {
    const { instanceId, scaleSetId, attemptId, region, zone, updateDomain } = entry;
    life = { instanceId, scaleSetId, attemptId, region, zone, updateDomain, entries: [] };
    lives.set(key, life);
    attempt.lives.push(life);
  }
  life.entries.push(entry);
}

// --- what happened in a life -----------------------------------------------------------------------------------------

type Operation = JournalEntry['operation'];

export function startsOf(life: Life, operation: Operation): JournalEntry[] {
  return life.entries.filter((entry) => entry.operation === operation && entry.event === 'started');
}

export function endOf(
  life: Life,
  operation: Operation,
  event: 'succeeded' | 'failed',
): JournalEntry | undefined {
  return life.entries.find((entry) => entry.operation === operation && entry.event === event);
}

/** The error of whatever failed in a life, first. */
export function failureOf(life: Life): JournalEntry | undefined {
  return life.entries.find((entry) => entry.event === 'failed');
}

/** True when every operation that was begun has ended. */
export function isSettled(life: Life): boolean {
  const balance = new Map<string, number>();
  for (const { operation, detail, event } of life.entries) {
    const key = `${operation} ${detail}`;
    balance.set(key, (balance.get(key) ?? 0) + (event === 'started' ? 1 : -1));
  }
  return [...balance.values()].every((open) => open <= 0);
}

/** An instance out of service for its upgrade: from the start of its swap until it is healthy, restored or left. */
export interface Flight {
  life: Life;
  attempt: AttemptStory;
  start: Instant;
  end: Instant;
}

/** When instances of an attempt were out of service. An operation without an end lasts for ever. */
export function flightsOf(attempt: AttemptStory): Flight[] {
  return attempt.lives.flatMap((life) => {
    const [swap] = startsOf(life, 'osDisk.swap');
    return swap ? [{ life, attempt, start: swap.at, end: landing(life) }] : [];
  });
}

function landing(life: Life): Instant {
  const healthy = endOf(life, 'health.wait', 'succeeded');
  if (healthy) return healthy.at;
  return isSettled(life) ? Math.max(...life.entries.map((entry) => entry.at)) : Infinity;
}

/** Two flights at the same time that differ in `key`: the first such, which is enough to know. */
export function firstOverlap(
  flights: readonly Flight[],
  key: (flight: Flight) => string,
): [Flight, Flight] | null {
  let open: Flight[] = [];
  for (const flight of flights.toSorted((a, b) => a.start - b.start)) {
    open = open.filter((other) => other.end > flight.start);
    const other = open.find((candidate) => key(candidate) !== key(flight));
    if (other && flight.end > flight.start) return [other, flight];
    open.push(flight);
  }
  return null;
}

export function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
