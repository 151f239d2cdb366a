import type { Updateable } from 'kysely';
import type { Database } from '../database/database.ts';
import type { WatchersTable } from '../database/tables-watchers.ts';
import type { AfterFailure } from '../domain/delivery.ts';
import { toEvent } from './events.ts';
import type { Deliveries, Lease, RecordedEvent, Watcher } from './watcher-records.ts';
import { eventsAfter, lastSeq, toWatcher } from './watcher-rows.ts';

const NO_LEASE = { lease_owner: null, lease_until: 0 };

/** How far each watcher has been told, and who is at it: any number of processes deliver, each watcher has one at a time. */
export function deliveriesOn(database: Database): Deliveries {
  return {
    due: (now) => due(database, now),
    claim: (lease, now, until) => claim(database, lease, now, until),
    after: (watcher, seq, limit) => after(database, watcher, seq, limit),
    passed: (lease, seq, acceptedAt, until) => passed(database, lease, { seq, acceptedAt, until }),
    failed: (lease, failure, now) => failed(database, lease, failure, now),
    release: async (lease) => void (await change(database, lease, NO_LEASE)),
    prune: (before) => prune(database, before),
  };
}

async function due({ db }: Database, now: number): Promise<string[]> {
  const rows = await db
    .selectFrom('watchers')
    .select('name')
    .where('disabled_at', 'is', null)
    .where('next_try_at', '<=', now)
    .where('lease_until', '<=', now)
    .where((eb) => eb.exists(eb.selectFrom('events').select('seq').whereRef('seq', '>', 'watchers.last_seq')))
    .orderBy('name')
    .execute();
  return rows.map(({ name }) => name);
}

function claim(
  database: Database,
  { name, owner }: Lease,
  now: number,
  until: number,
): Promise<Watcher | null> {
  return database.write([], async (tx) => {
    const row = await tx
      .updateTable('watchers')
      .set({ lease_owner: owner, lease_until: until })
      .where('name', '=', name)
      .where('disabled_at', 'is', null)
      .where('next_try_at', '<=', now)
      .where('lease_until', '<=', now)
      .returningAll()
      .executeTakeFirst();
    return row === undefined ? null : toWatcher(row);
  });
}

async function after(
  { db }: Database,
  watcher: Pick<Watcher, 'name' | 'kinds'>,
  seq: number,
  limit: number,
): Promise<{ events: RecordedEvent[]; upTo: number }> {
  // Read first: what is recorded between the two reads comes with the next ones.
  const last = await lastSeq(db);
  const rows = await eventsAfter(db, watcher, seq).selectAll().orderBy('seq').limit(limit).execute();
  const end = rows.length === limit ? rows.at(-1)?.seq : undefined;
  return { events: rows.map(toEvent), upTo: end ?? Math.max(seq, last, rows.at(-1)?.seq ?? 0) };
}

function passed(
  database: Database,
  lease: Lease,
  { seq, acceptedAt, until }: { seq: number; acceptedAt: number | null; until: number },
): Promise<boolean> {
  const accepted = { failures: 0, failing_since: null, last_error: null };
  return change(database, lease, {
    last_seq: seq,
    lease_until: until,
    ...(acceptedAt === null ? {} : { ...accepted, last_try_at: acceptedAt, last_accepted_at: acceptedAt }),
  });
}

async function failed(
  database: Database,
  lease: Lease,
  { failures, failingSince, nextTryAt, error, disabledWhy }: AfterFailure,
  now: number,
): Promise<void> {
  const tried = { failures, failing_since: failingSince, last_error: error, last_try_at: now };
  const disabled = disabledWhy === null ? {} : { disabled_at: now, disabled_why: disabledWhy };
  await change(database, lease, { ...tried, ...disabled, ...NO_LEASE, next_try_at: nextTryAt });
}

/** @returns false when another one has the watcher now, or it is gone */
function change(
  database: Database,
  { name, owner }: Lease,
  columns: Updateable<WatchersTable>,
): Promise<boolean> {
  return database.write([], async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('watchers')
      .set(columns)
      .where('name', '=', name)
      .where('lease_owner', '=', owner)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  });
}

function prune(database: Database, before: number): Promise<number> {
  return database.write([], async (tx) => {
    const { had } = await tx
      .selectFrom('watchers')
      .select((eb) => eb.fn.min<number | null>('last_seq').as('had'))
      .where('disabled_at', 'is', null)
      .executeTakeFirstOrThrow();
    const { numDeletedRows } = await tx
      .deleteFrom('events')
      .where('recorded_at', '<', before)
      .$if(had !== null, (events) => events.where('seq', '<=', had as number))
      .executeTakeFirst();
    return Number(numDeletedRows);
  });
}
