import type { Kysely, Migration } from 'kysely';

/** Numbers that instances have had: see `tables-fleet.ts`. */
export function instanceNumbersMigration(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('instance_numbers')
        .addColumn('scale_set_key', 'text', (c) => c.notNull().primaryKey())
        .addColumn('next_number', 'integer', (c) => c.notNull())
        .execute();
    },
  };
}
