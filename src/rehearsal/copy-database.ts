import { sql, type Kysely } from 'kysely';
import type { Database, Engine } from '../database/database.ts';
import { insertRows } from '../database/insert-rows.ts';
import type { Tables } from '../database/tables.ts';

/** Rows that are read and written at a time. */
const ROWS_AT_ONCE = 500;

/**
 * What has happened is no fact that a rehearsal goes by, and it can be long: of the journal see `copyCalendarLines`. Nobody is told
 * of what happens in one, so it knows of no watcher either.
 */
const LEFT_OUT = new Set(['journal', 'journal_waits', 'events', 'watchers']);

/** Reads that see the database as it is at one moment, without keeping anybody from writing. */
const BEGIN_READING: Record<Engine, string> = {
  sqlite: 'begin deferred',
  postgres: 'begin isolation level repeatable read read only',
};

/**
 * Copies every table but those of watchers and the journal, and of that the lines about windows, from a database of either engine
 * into an empty one on SQLite of the same schema. The source is only read, a few rows at a time.
 */
export async function copyDatabase(source: Database, copy: Database): Promise<void> {
  await source.db.connection().execute(async (from) => {
    await sql.raw(BEGIN_READING[source.engine]).execute(from);
    try {
      for (const { name, key } of await tablesOf(copy)) await copyTable(from, copy, name, key);
      await copyCalendarLines(from, copy);
    } finally {
      await sql.raw('commit').execute(from);
    }
  });
}

interface Table {
  name: string;
  /** The columns of its primary key. */
  key: string[];
}

async function tablesOf({ db }: Database): Promise<Table[]> {
  const { rows } = await sql<{ name: string; column: string }>`
    select tables.name, columns.name as "column"
    from sqlite_master as tables, pragma_table_info(tables.name) as columns
    where tables.type = 'table' and columns.pk > 0
    order by tables.name, columns.pk`.execute(db);
  const tables = new Map<string, string[]>();
  for (const { name, column } of rows) tables.set(name, [...(tables.get(name) ?? []), column]);
  return [...tables]
    .filter(([name]) => !LEFT_OUT.has(name) && !name.startsWith('kysely_') && !name.startsWith('sqlite_'))
    .map(([name, key]) => ({ name, key }));
}

async function copyTable(from: Kysely<Tables>, copy: Database, name: string, key: string[]): Promise<void> {
  const order = sql.join(key.map((column) => sql.ref(column)));
  for (let offset = 0; ; offset += ROWS_AT_ONCE) {
    const { rows } = await sql<Record<string, unknown>>`
      select * from ${sql.table(name)} order by ${order} limit ${ROWS_AT_ONCE} offset ${offset}`.execute(
      from,
    );
    if (rows.length > 0) {
      await copy.write([], (tx) => insertRows(tx, name as keyof Tables, rows as never[]));
    }
    if (rows.length < ROWS_AT_ONCE) return;
  }
}

/** Lines that are of no rollout tell of windows and freezes: what an audit judges batches by (rule D10). */
async function copyCalendarLines(from: Kysely<Tables>, copy: Database): Promise<void> {
  const lines = await from
    .selectFrom('journal')
    .selectAll()
    .where('rollout_id', '=', '')
    .orderBy('seq')
    .execute();
  await copy.write([], (tx) => insertRows(tx, 'journal', lines));
}
