import { PostgresAdapter, type Selectable, sql } from 'kysely';
import { insertRows } from '../database/insert-rows.ts';
import type { EventsTable } from '../database/tables-watchers.ts';
import type { EventKind, RolloutEvent } from '../domain/events.ts';
import { fromJson, toJson, type Tx } from './rows.ts';
import type { RecordedEvent } from './watcher-records.ts';

/**
 * Records events in the transaction of the change that they tell of; one that is recorded already stays as it is. It is the last
 * that a transaction does: others who have something to tell wait for its end.
 */
export async function recordEvents(tx: Tx, events: readonly RolloutEvent[]): Promise<void> {
  if (events.length === 0) return;
  await inOrderOfCommit(tx);
  const recordedAt = Date.now();
  const rows = events.map(({ key, kind, subject, at, data }) => ({
    event_key: key,
    kind,
    subject,
    at,
    data: toJson(data),
    recorded_at: recordedAt,
  }));
  await insertRows(tx, 'events', rows, { key: ['event_key'], update: [] });
}

/**
 * On PostgreSQL a number is drawn when a row is written and seen when its transaction is committed: whoever reads up to one number
 * would miss a lower one that comes later. So one transaction at a time draws. On SQLite that is so anyhow.
 */
export async function inOrderOfCommit(tx: Tx): Promise<void> {
  if (!(tx.getExecutor().adapter instanceof PostgresAdapter)) return;
  await sql`select pg_advisory_xact_lock(hashtextextended('events', 0))`.execute(tx);
}

export function toEvent(row: Selectable<EventsTable>): RecordedEvent {
  return {
    seq: row.seq,
    key: row.event_key,
    kind: row.kind as EventKind,
    subject: row.subject,
    at: row.at,
    data: fromJson(row.data),
  };
}
