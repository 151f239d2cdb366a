import type { Instant } from '../domain/clock.ts';
import type { JournalEntry, Observed } from '../domain/operation.ts';

/*
 * A journal, put in order: attempts with their batches, and what was done to each instance. Nothing here asks the ledger or
 * the fleet: what the journal does not say is not known.
 */

export interface Story {
  attempts: AttemptStory[];
  /** Lines of attempts of which the journal does not tell the beginning: nothing can be said of them. */
  leftOut: number;
}

export interface AttemptStory extends NonNullable<Observed['attempt']> {
  id: string;
  scaleSetId: string;
  region: string;
  rolloutId: string;
  toVersion: string | null;
  start: Instant;
  /** Null while it runs. */
  end: Instant | null;
  status: string | null;
  /** Why it ended, if not well: `<code>: <message>`. */
  error: string | null;
  takeOvers: number;
  /** When it was given up: nobody acts for it then, until it is taken over. */
  givenUpAt: Instant[];
  batches: BatchStory[];
  /** In which batch an instance was. */
  batchOf: Map<string, BatchStory>;
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
  /** Those that were deleted while it ran. */
  gone: string[];
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

/** Puts a journal in order. */
export function tellStory(entries: readonly JournalEntry[]): Story {
  const inOrder = entries.toSorted((a, b) => a.at - b.at);
  const attempts = new Map<string, AttemptStory>();
  for (const entry of inOrder) {
    if (entry.operation !== 'attempt' || entry.event !== 'started' || !entry.observed?.attempt) continue;
    attempts.set(entry.attemptId, openingOf(entry, entry.observed.attempt));
  }
  const lives = new Map<string, Life>();
  let leftOut = 0;
  for (const entry of inOrder) {
    const attempt = attempts.get(entry.attemptId);
    // Of rules about when batches may begin, which are of no attempt, see `calendar.ts`.
    if (entry.observed?.rule) continue;
    if (!attempt) leftOut++;
    else if (entry.instanceId === '') addEvent(attempt, entry);
    else addToLife(attempt, lives, entry);
  }
  return { attempts: [...attempts.values()], leftOut };
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
    error: null,
    takeOvers: 0,
    givenUpAt: [],
    batches: [],
    batchOf: new Map(),
    lives: [],
  };
}

function addEvent(attempt: AttemptStory, entry: JournalEntry): void {
  if (entry.operation === 'takeOver') attempt.takeOvers++;
  if (entry.operation === 'giveUp') attempt.givenUpAt.push(entry.at);
  if (entry.operation === 'attempt' && entry.event !== 'started') {
    attempt.end = entry.at;
    attempt.status = entry.detail;
    attempt.error = entry.error;
  }
  if (entry.operation !== 'batch') return;
  if (entry.event === 'started') beginBatch(attempt, entry);
  else endBatch(attempt, entry);
}

function beginBatch(attempt: AttemptStory, { detail, zone, updateDomain, at, observed = {} }: JournalEntry) {
  const batch = {
    number: Number(detail),
    zone,
    updateDomain,
    start: at,
    end: null,
    observed,
    outcomes: null,
    gone: [],
  };
  attempt.batches.push(batch);
  for (const id of observed.members ?? []) attempt.batchOf.set(id, batch);
}

function endBatch(attempt: AttemptStory, { detail, at, observed }: JournalEntry): void {
  const batch = attempt.batches.find((one) => one.number === Number(detail));
  if (!batch) return;
  batch.end = at;
  batch.outcomes = observed?.outcomes ?? null;
  batch.gone = observed?.gone ?? [];
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

/** True for an instance that was deleted while the attempt was at work on it, alone or with its set: nothing more is told of it. */
export function isGone(attempt: AttemptStory, { instanceId, entries }: Life): boolean {
  if (attempt.error?.startsWith('ScaleSetDeleted:')) return true;
  if (attempt.batchOf.get(instanceId)?.gone.includes(instanceId)) return true;
  // While failed instances are rolled back no batch is open that could say so (rule B7).
  const last = entries.at(-1);
  const { rollbackFailedInstancesOnPolicyBreach } = attempt.policy;
  return (
    rollbackFailedInstancesOnPolicyBreach && last?.operation === 'osDisk.restore' && last.event === 'started'
  );
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
