import type { Kysely, Migration } from 'kysely';

/** What was warned of before an attempt's first batch (rule C8). */
export function attemptWarningsMigration(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable('attempts').addColumn('warnings', 'text').execute();
    },
  };
}
