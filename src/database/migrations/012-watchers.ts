import { type Kysely, type Migration, sql } from 'kysely';

/** What watchers are told of, and who they are. Of watchers all times are those of the clock on the wall. */
export function watchersMigration(dialect: 'sqlite' | 'postgres'): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await createEvents(db, dialect);
      await createWatchers(db, dialect);
    },
  };
}

/** `seq` rises in the order in which events were committed, and is never used again. */
async function createEvents({ schema }: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  await schema
    .createTable('events')
    .addColumn('seq', dialect === 'sqlite' ? 'integer' : 'bigserial', (column) =>
      dialect === 'sqlite' ? column.primaryKey().autoIncrement() : column.primaryKey(),
    )
    .addColumn('event_key', 'text', (c) => c.notNull().unique())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('data', 'text', (c) => c.notNull())
    .addColumn('recorded_at', 'bigint', (c) => c.notNull())
    .execute();
}

async function createWatchers({ schema }: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  await schema
    .createTable('watchers')
    // Names sort by code point on both engines.
    .addColumn('name', dialect === 'postgres' ? sql`text collate "C"` : sql`text`, (c) =>
      c.primaryKey().notNull(),
    )
    .addColumn('url', 'text', (c) => c.notNull())
    .addColumn('kinds', 'text')
    .addColumn('secret', 'text', (c) => c.notNull())
    .addColumn('who', 'text', (c) => c.notNull())
    .addColumn('added_at', 'bigint', (c) => c.notNull())
    .addColumn('last_seq', 'bigint', (c) => c.notNull())
    .addColumn('failures', 'bigint', (c) => c.notNull())
    .addColumn('failing_since', 'bigint')
    .addColumn('last_error', 'text')
    .addColumn('last_try_at', 'bigint')
    .addColumn('last_accepted_at', 'bigint')
    .addColumn('next_try_at', 'bigint', (c) => c.notNull())
    .addColumn('disabled_at', 'bigint')
    .addColumn('disabled_why', 'text')
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'bigint', (c) => c.notNull())
    .execute();
}
