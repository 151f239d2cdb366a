import { type Kysely, type Migration, sql } from 'kysely';

/** The journal: rule E4. `seq` rises in the order of recording. */
export function journalMigration(dialect: 'sqlite' | 'postgres'): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('journal')
        .addColumn('seq', dialect === 'sqlite' ? 'integer' : 'bigserial', (column) =>
          dialect === 'sqlite' ? column.primaryKey().autoIncrement() : column.primaryKey(),
        )
        .addColumn('at', 'bigint', (c) => c.notNull())
        .addColumn('recorded_at', 'bigint', (c) => c.notNull())
        .addColumn('operation', 'text', (c) => c.notNull())
        .addColumn('event', 'text', (c) => c.notNull())
        .addColumn('scale_set_key', 'text', (c) => c.notNull())
        .addColumn('scale_set_id', 'text', (c) => c.notNull())
        .addColumn('instance_id', 'text', (c) => c.notNull())
        .addColumn('region', 'text', (c) => c.notNull())
        .addColumn('zone', 'text')
        .addColumn('update_domain', 'integer')
        .addColumn('rollout_id', 'text', (c) => c.notNull())
        .addColumn('attempt_id', 'text', (c) => c.notNull())
        .addColumn('from_version', 'text')
        .addColumn('to_version', 'text')
        .addColumn('detail', 'text')
        .addColumn('error', 'text')
        .execute();
      await db.schema
        .createIndex('journal_by_rollout')
        .on('journal')
        .columns(['rollout_id', 'seq'])
        .execute();
      await db.schema
        .createIndex('journal_by_scale_set')
        .on('journal')
        .columns(['scale_set_key', 'seq'])
        .execute();
      await guardAgainstChange(db, dialect);
    },
  };
}

/** The journal only grows: the database itself refuses to change or remove a line. */
async function guardAgainstChange(db: Kysely<unknown>, dialect: 'sqlite' | 'postgres'): Promise<void> {
  if (dialect === 'sqlite') {
    for (const verb of ['update', 'delete']) {
      await sql`create trigger ${sql.raw(`journal_no_${verb}`)} before ${sql.raw(verb)} on journal
        begin select raise(abort, 'the journal only grows'); end`.execute(db);
    }
    return;
  }
  await sql`create function journal_only_grows() returns trigger language plpgsql as
    $$ begin raise exception 'the journal only grows'; end $$`.execute(db);
  await sql`create trigger journal_guard before update or delete on journal
    for each row execute function journal_only_grows()`.execute(db);
}
