import type { ColumnDataType, Kysely, Migration } from 'kysely';

type Column = [name: string, type: ColumnDataType, nullable?: 'nullable'];

/** The simulated fleet: see `tables-fleet.ts`. */
export function fleetMigration(): Migration {
  return {
    async up(db: Kysely<unknown>) {
      await addCatalog(db);
      await addScaleSets(db);
      await addSurroundings(db);
    },
  };
}

async function addScaleSets(db: Kysely<unknown>): Promise<void> {
  await addTable(db, 'scale_sets', 1, [
    ['key', 'text'],
    ['id', 'text'],
    ['region', 'text'],
    ['image_key', 'text'],
    ['arm', 'text'],
    ['spec', 'text'],
    ['fence', 'bigint'],
    ['sim_time', 'bigint'],
  ]);
  await addIndex(db, 'scale_sets', ['region', 'image_key']);
  await addIndex(db, 'scale_sets', ['image_key']);
  await addTable(db, 'instances', 2, [
    ['scale_set_key', 'text'],
    ['instance_id', 'text'],
    ['position', 'integer'],
    ['zone', 'text', 'nullable'],
    ['update_domain', 'integer', 'nullable'],
    ['fault_domain', 'integer', 'nullable'],
    ['version', 'text', 'nullable'],
    ['state', 'text'],
    ['due_at', 'bigint', 'nullable'],
    ['fence', 'bigint'],
    ['operation_rank', 'integer'],
  ]);
  // Finds what is due in a set without reading its instances.
  await addIndex(db, 'instances', ['scale_set_key', 'due_at']);
  await addTable(db, 'instance_operations', 2, [
    ['scale_set_key', 'text'],
    ['key', 'text'],
    ['started_at', 'bigint'],
    ['ends_at', 'bigint'],
    ['error', 'text', 'nullable'],
  ]);
}

async function addCatalog(db: Kysely<unknown>): Promise<void> {
  await addTable(db, 'regions', 1, [
    ['name', 'text'],
    ['display_name', 'text'],
    ['geography', 'text'],
    ['paired_region', 'text', 'nullable'],
    ['availability_zones', 'text'],
  ]);
  await addTable(db, 'images', 1, [
    ['key', 'text'],
    ['image', 'text'],
  ]);
  await addTable(db, 'image_versions', 2, [
    ['image_key', 'text'],
    ['version', 'text'],
    ['published_at', 'bigint'],
    ['exclude_from_latest', 'integer'],
  ]);
  await addTable(db, 'image_replicas', 3, [
    ['image_key', 'text'],
    ['version', 'text'],
    ['region', 'text'],
    ['replicated_at', 'bigint', 'nullable'],
    ['exclude_from_latest', 'integer'],
  ]);
}

async function addSurroundings(db: Kysely<unknown>): Promise<void> {
  await addTable(db, 'fleet', 1, [
    ['id', 'integer'],
    ['epoch_virtual', 'bigint'],
    ['epoch_wall', 'bigint'],
    ['speed', 'double precision'],
    ['seed', 'text'],
    ['behaviour', 'text'],
    ['revision', 'bigint'],
  ]);
  await addTable(db, 'faults', 1, [
    ['id', 'integer'],
    ['fault', 'text'],
    ['remaining', 'integer', 'nullable'],
  ]);
  await addTable(db, 'external_resources', 1, [
    ['url', 'text'],
    ['credential_expires_at', 'bigint', 'nullable'],
    ['gone_at', 'bigint', 'nullable'],
  ]);
  for (const table of ['load_balancers', 'service_fabric_clusters']) {
    await addTable(db, table, 1, [
      ['key', 'text'],
      ['arm', 'text'],
    ]);
  }
}

/** A table whose primary key is its first `keyLength` columns. */
async function addTable(
  db: Kysely<unknown>,
  table: string,
  keyLength: number,
  columns: Column[],
): Promise<void> {
  let builder = db.schema.createTable(table);
  for (const [name, type, nullable] of columns) {
    builder = builder.addColumn(name, type, (c) => (nullable ? c : c.notNull()));
  }
  const key = columns.slice(0, keyLength).map(([name]) => name);
  await builder.addPrimaryKeyConstraint(`${table}_key`, key as never[]).execute();
}

async function addIndex(db: Kysely<unknown>, table: string, columns: string[]): Promise<void> {
  await db.schema
    .createIndex(`${table}_by_${columns.join('_')}`)
    .on(table)
    .columns(columns)
    .execute();
}
