import type { Kysely, Migration } from 'kysely';

/** What a set's instances are known by, so that they need not be read again while they have not changed. */
export function instanceTagsMigration(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const column = 'instances_tag';
      await db.schema
        .alterTable('scale_sets')
        .addColumn(column, 'text', (tag) => tag.notNull().defaultTo(''))
        .execute();
    },
  };
}
