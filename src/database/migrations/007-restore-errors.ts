import type { Kysely, Migration } from 'kysely';

/** Why an instance's restore failed, beside why it had to be restored (rules B6, E1). */
export function restoreErrorsMigration(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema.alterTable('batch_instances').addColumn('restore_error', 'text').execute();
    },
  };
}
