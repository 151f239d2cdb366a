import type { Kysely, Migration } from 'kysely';

/** Attempts of several kinds, what reverts and repairs need to know, and what the journal's lines observed. */
export function attemptKindsMigration(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const { schema } = db;
      await addColumns(db, 'rollouts', { action: 'osUpgrade' }, ['why', 'parameters']);
      await addColumns(db, 'attempts', { kind: 'osUpgrade', region: '' }, []);
      await addColumns(db, 'batches', { action: 'swap' }, ['to_version']);
      await schema
        .alterTable('batch_instances')
        .addColumn('was_healthy', 'bigint', (c) => c.notNull().defaultTo(1))
        .execute();
      await schema.alterTable('journal').addColumn('observed', 'text').execute();
      await createQuarantine(db);
      await createHeldVersions(db);
    },
  };
}

async function addColumns(
  db: Kysely<unknown>,
  table: string,
  required: Record<string, string>,
  optional: readonly string[],
): Promise<void> {
  for (const [column, value] of Object.entries(required)) {
    await db.schema
      .alterTable(table)
      .addColumn(column, 'text', (c) => c.notNull().defaultTo(value))
      .execute();
  }
  for (const column of optional) await db.schema.alterTable(table).addColumn(column, 'text').execute();
}

/** One row for each time that an instance was quarantined; of one instance at most one is open. */
async function createQuarantine({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('quarantine')
    .addColumn('scale_set_key', 'text', (c) => c.notNull())
    .addColumn('instance_key', 'text', (c) => c.notNull())
    .addColumn('attempt_id', 'text', (c) => c.notNull())
    .addColumn('scale_set_id', 'text', (c) => c.notNull())
    .addColumn('instance_id', 'text', (c) => c.notNull())
    .addColumn('since', 'bigint', (c) => c.notNull())
    .addColumn('error', 'text', (c) => c.notNull())
    .addColumn('released_at', 'bigint')
    .addColumn('released_by', 'text')
    .addPrimaryKeyConstraint('quarantine_key', ['scale_set_key', 'instance_key', 'attempt_id'])
    .execute();
}

/** Versions that were reverted on a set: held back from it until a person lifts that. */
async function createHeldVersions({ schema }: Kysely<unknown>): Promise<void> {
  await schema
    .createTable('held_versions')
    .addColumn('scale_set_key', 'text', (c) => c.notNull())
    .addColumn('image_key', 'text', (c) => c.notNull())
    .addColumn('version', 'text', (c) => c.notNull())
    .addColumn('scale_set_id', 'text', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('who', 'text', (c) => c.notNull())
    .addColumn('why', 'text', (c) => c.notNull())
    .addColumn('since', 'bigint', (c) => c.notNull())
    .addColumn('lifted_at', 'bigint')
    .addColumn('lifted_by', 'text')
    .addPrimaryKeyConstraint('held_versions_key', ['scale_set_key', 'image_key', 'version', 'since'])
    .execute();
}
