import { sql, type Kysely, type Migration } from 'kysely';

/** Maintenance windows, freezes and overrides: those that stand and those that were taken back. */
export function calendarMigration(dialect: 'sqlite' | 'postgres'): Migration {
  return {
    async up(db: Kysely<unknown>) {
      // Keys sort by code point on both engines.
      const key = dialect === 'postgres' ? sql`text collate "C"` : sql`text`;
      await db.schema
        .createTable('calendar_rules')
        .addColumn('seq', dialect === 'sqlite' ? 'integer' : 'bigserial', (column) =>
          dialect === 'sqlite' ? column.primaryKey().autoIncrement() : column.primaryKey(),
        )
        .addColumn('kind', key, (c) => c.notNull())
        .addColumn('scope', 'text', (c) => c.notNull())
        .addColumn('definition', 'text', (c) => c.notNull())
        .addColumn('who', 'text', (c) => c.notNull())
        .addColumn('why', 'text', (c) => c.notNull())
        .addColumn('at', 'bigint', (c) => c.notNull())
        .addColumn('removed_at', 'bigint')
        .addColumn('removed_by', 'text')
        .addColumn('removed_why', 'text')
        .execute();
    },
  };
}
