import type { Selectable } from 'kysely';
import type { Database } from '../database/database.ts';
import { insertRows } from '../database/insert-rows.ts';
import { appendJournal, journalKeysOf } from '../database/journal.ts';
import type { JournalTables } from '../database/tables-journal.ts';
import type { JournalWaitsTable } from '../database/tables-ledger.ts';
import type { JournalEntry, Observed } from '../domain/operation.ts';
import { attemptLock } from './attempt-rows.ts';
import type { Journal, RecordedEntry } from './port.ts';
import { keyOf, type Tx } from './rows.ts';

/** The journal's entries of waits, and the reading of all of it (rule E4). Operations are written by the fleet. */
export function journalOn(database: Database): Journal {
  return {
    appendOnce: (entries) => appendOnce(database, entries),
    read: (filter) => read(database, filter),
  };
}

async function appendOnce(database: Database, entries: readonly JournalEntry[]): Promise<void> {
  const locks = entries.map(({ scaleSetId }) => attemptLock(scaleSetId));
  if (entries.length > 0) await database.write(locks, (tx) => appendWaits(tx, entries));
}

/** Appends lines of waits, each once, in a transaction that holds the locks of their sets' attempts. */
export async function appendWaits(tx: Tx, entries: readonly JournalEntry[]): Promise<void> {
  if (entries.length === 0) return;
  // Of two lines of one wait the first counts.
  const fresh = new Map<string, JournalEntry>();
  for (const entry of entries) {
    const key = textOf(toKey(entry));
    if (!fresh.has(key)) fresh.set(key, entry);
  }
  for (const known of await knownOf(tx, entries)) fresh.delete(textOf(known));
  const news = [...fresh.values()];
  await insertRows(tx, 'journal_waits', news.map(toKey));
  await appendJournal(tx, news);
}

/** What is recorded already of the waits of these attempts on these instances. */
async function knownOf(tx: Tx, entries: readonly JournalEntry[]): Promise<JournalWaitsTable[]> {
  const unique = (values: string[]) => [...new Set(values)];
  return tx
    .selectFrom('journal_waits')
    .selectAll()
    .where('attempt_id', 'in', unique(entries.map(({ attemptId }) => keyOf(attemptId))))
    .where('instance_key', 'in', unique(entries.map(({ instanceId }) => keyOf(instanceId))))
    .execute();
}

function toKey(entry: JournalEntry): JournalWaitsTable {
  return {
    attempt_id: keyOf(entry.attemptId),
    instance_key: keyOf(entry.instanceId),
    operation: entry.operation,
    event: entry.event,
  };
}

function textOf(key: JournalWaitsTable): string {
  return JSON.stringify([key.attempt_id, key.instance_key, key.operation, key.event]);
}

async function read(database: Database, filter: Parameters<Journal['read']>[0]): Promise<RecordedEntry[]> {
  let query = database.db.selectFrom('journal').selectAll().orderBy('seq');
  if (filter.rolloutId !== undefined) {
    query = query.where('rollout_id', 'in', await spellings(database, filter.rolloutId));
  }
  if (filter.scaleSetId !== undefined)
    query = query.where('scale_set_key', 'in', journalKeysOf(filter.scaleSetId));
  if (filter.after !== undefined) query = query.where('seq', '>', filter.after);
  if (filter.limit !== undefined) query = query.limit(filter.limit);
  return (await query.execute()).map(toEntry);
}

/** The journal has rollout ids as they were written, which is as the rollout itself was recorded. */
async function spellings(database: Database, rolloutId: string): Promise<string[]> {
  const row = await database.db
    .selectFrom('rollouts')
    .select('id')
    .where('rollout_key', '=', keyOf(rolloutId))
    .executeTakeFirst();
  return row === undefined || row.id === rolloutId ? [rolloutId] : [rolloutId, row.id];
}

function toEntry(row: Selectable<JournalTables['journal']>): RecordedEntry {
  return {
    seq: row.seq,
    recordedAt: row.recorded_at,
    at: row.at,
    operation: row.operation as RecordedEntry['operation'],
    event: row.event as RecordedEntry['event'],
    scaleSetId: row.scale_set_id,
    instanceId: row.instance_id,
    region: row.region,
    zone: row.zone,
    updateDomain: row.update_domain,
    rolloutId: row.rollout_id,
    attemptId: row.attempt_id,
    fromVersion: row.from_version,
    toVersion: row.to_version,
    detail: row.detail,
    error: row.error,
    ...(row.observed === null ? {} : { observed: JSON.parse(row.observed) as Observed }),
  };
}
