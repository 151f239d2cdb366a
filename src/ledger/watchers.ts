import type { Database, Queries } from '../database/database.ts';
import { AlreadyRecordedError } from './errors.ts';
import { inOrderOfCommit, recordEvents, toEvent } from './events.ts';
import { toJsonOrNull, type Tx } from './rows.ts';
import type { NewWatcher, RecordedEvent, Watcher, Watchers } from './watcher-records.ts';
import { eventsAfter, lastSeq, toWatcher } from './watcher-rows.ts';

/** Who is told of what happens, as people add, remove and mend them. */
export function watchersOn(database: Database): Watchers {
  return {
    add: (watcher) => add(database, watcher),
    get: (name) => find(database.db, name),
    list: () => list(database),
    remove: (name) => remove(database, name),
    retry: (name, skip) => retry(database, name, skip),
    test: (name, event) =>
      write(database, name, async (tx) => {
        await tryAtOnce(tx, name);
        await recordEvents(tx, [event]);
        return lastSeq(tx);
      }),
  };
}

function write<T>(database: Database, name: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  return database.write([`watcher:${name}`], work);
}

function add(database: Database, { kinds, addedAt, ...watcher }: NewWatcher): Promise<Watcher> {
  return write(database, watcher.name, async (tx) => {
    // Whatever is being recorded just now has its number before this reads the last one.
    await inOrderOfCommit(tx);
    const { numInsertedOrUpdatedRows: inserted } = await tx
      .insertInto('watchers')
      .values({
        ...watcher,
        kinds: toJsonOrNull(kinds),
        added_at: addedAt,
        last_seq: await lastSeq(tx),
        failures: 0,
        next_try_at: 0,
        lease_until: 0,
      })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .executeTakeFirst();
    if (inserted === 0n) throw new AlreadyRecordedError(`There is a watcher "${watcher.name}" already.`);
    return (await find(tx, watcher.name)) as Watcher;
  });
}

async function find(db: Queries, name: string): Promise<Watcher | null> {
  const row = await db.selectFrom('watchers').selectAll().where('name', '=', name).executeTakeFirst();
  return row === undefined ? null : toWatcher(row);
}

async function list({ db }: Database): Promise<(Watcher & { pending: number })[]> {
  const rows = await db.selectFrom('watchers').selectAll().orderBy('name').execute();
  return Promise.all(
    rows.map(toWatcher).map(async (watcher) => {
      const { count } = await eventsAfter(db, watcher, watcher.lastSeq)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return { ...watcher, pending: count };
    }),
  );
}

async function remove(database: Database, name: string): Promise<boolean> {
  const { numDeletedRows } = await write(database, name, (tx) =>
    tx.deleteFrom('watchers').where('name', '=', name).executeTakeFirst(),
  );
  return numDeletedRows > 0n;
}

/** Whoever just sends the event that is left out may still do so, and then goes on after it. */
function retry(database: Database, name: string, skip: boolean): Promise<RecordedEvent | null> {
  return write(database, name, async (tx) => {
    const watcher = await find(tx, name);
    const head =
      watcher === null || !skip
        ? undefined
        : await eventsAfter(tx, watcher, watcher.lastSeq)
            .selectAll()
            .orderBy('seq')
            .limit(1)
            .executeTakeFirst();
    const change = { failures: 0, failing_since: null, disabled_at: null, disabled_why: null };
    await tx
      .updateTable('watchers')
      .set({ ...change, ...(head && { last_seq: head.seq, last_error: null }) })
      .where('name', '=', name)
      .execute();
    await tryAtOnce(tx, name);
    return head === undefined ? null : toEvent(head);
  });
}

async function tryAtOnce(tx: Tx, name: string): Promise<void> {
  await tx.updateTable('watchers').set({ next_try_at: 0 }).where('name', '=', name).execute();
}
