import type { Kysely, Migration } from 'kysely';

/** When the status of a rollout was decided on: what a worker that was away decided before that comes too late. */
export function statusTimesMigration(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('rollouts')
        .addColumn('status_as_of', 'bigint', (column) => column.notNull().defaultTo(0))
        .execute();
    },
  };
}
