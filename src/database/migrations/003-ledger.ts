import { type CreateTableBuilder, type Kysely, type Migration, type RawBuilder, sql } from 'kysely';

type Dialect = 'sqlite' | 'postgres';
type Schema = Kysely<unknown>['schema'];

/** What the orchestrator remembers: rollouts, attempts, claims, orders. */
export function ledgerMigration(dialect: Dialect): Migration {
  return {
    async up(db: Kysely<unknown>) {
      const key = keyType(dialect);
      await createRollouts(db.schema, key);
      await createPhases(db.schema, key);
      await createTargets(db.schema, key);
      await createAttempts(db.schema, key);
      await createBatches(db.schema, key);
      await createClaims(db.schema, key);
      await createOrders(db.schema, key, dialect);
      await createJournalWaits(db.schema, key);
    },
  };
}

/** Keys sort by code point on both engines: PostgreSQL would go by the server's language otherwise. */
function keyType(dialect: Dialect): RawBuilder<unknown> {
  return dialect === 'postgres' ? sql`text collate "C"` : sql`text`;
}

type Table = CreateTableBuilder<string, string>;
type ColumnType = 'text' | 'bigint' | RawBuilder<unknown>;

function table(schema: Schema, name: string): Table {
  // The builder's type would list its columns; here they are names.
  return schema.createTable(name) as Table;
}

/** Adds columns of one type that are never null. */
function required(table: Table, type: ColumnType, names: string[]): Table {
  return names.reduce((builder, name) => builder.addColumn(name, type, (c) => c.notNull()), table);
}

/** Adds columns of one type that may be null. */
function optional(table: Table, type: ColumnType, names: string[]): Table {
  return names.reduce((builder, name) => builder.addColumn(name, type), table);
}

async function index(schema: Schema, name: string, of: string, columns: string[]): Promise<void> {
  await schema.createIndex(name).on(of).columns(columns).execute();
}

async function createRollouts(schema: Schema, key: RawBuilder<unknown>): Promise<void> {
  let columns = table(schema, 'rollouts').addColumn('rollout_key', key, (c) => c.primaryKey().notNull());
  columns = required(columns, key, ['image_key', 'version']);
  columns = required(columns, 'text', ['id', 'kind', 'target', 'status', 'phases', 'settings', 'started_by']);
  columns = required(columns, 'bigint', ['generation', 'started_at']);
  columns = optional(columns, 'text', ['reason']);
  columns = optional(columns, 'bigint', ['ended_at']);
  await columns.execute();
  await index(schema, 'rollouts_by_version', 'rollouts', ['image_key', 'version', 'generation']);
  await index(schema, 'rollouts_by_start', 'rollouts', ['started_at']);
  await index(schema, 'rollouts_by_status', 'rollouts', ['status', 'started_at']);
}

async function createPhases(schema: Schema, key: RawBuilder<unknown>): Promise<void> {
  let phases = required(table(schema, 'phases'), key, ['rollout_key']);
  phases = required(phases, 'text', ['rollout_id']);
  phases = required(phases, 'bigint', ['phase', 'round', 'started_at']);
  phases = optional(phases, 'bigint', ['baking_since', 'bake_until', 'judged_at']);
  phases = optional(phases, 'text', ['verdict']);
  await phases.addPrimaryKeyConstraint('phases_key', ['rollout_key', 'phase', 'round']).execute();

  let decisions = required(table(schema, 'decisions'), key, ['rollout_key']);
  decisions = required(decisions, 'text', ['rollout_id', 'decision', 'who', 'why']);
  decisions = required(decisions, 'bigint', ['phase', 'round', 'aborts', 'at']);
  await decisions
    .addPrimaryKeyConstraint('decisions_key', ['rollout_key', 'phase', 'round', 'aborts'])
    .execute();

  let releases = required(table(schema, 'releases'), key, ['image_key', 'region_key', 'version']);
  releases = required(releases, 'text', ['region', 'rollout_id']);
  releases = required(releases, 'bigint', ['released_at']);
  await releases.addPrimaryKeyConstraint('releases_key', ['image_key', 'region_key', 'version']).execute();
}

async function createTargets(schema: Schema, key: RawBuilder<unknown>): Promise<void> {
  let columns = required(table(schema, 'targets'), key, ['rollout_key', 'scale_set_key', 'region_key']);
  columns = required(columns, 'text', ['rollout_id', 'scale_set_id', 'scale_set_name', 'region', 'status']);
  columns = required(columns, 'bigint', ['phase', 'round', 'seen_at', 'trigger_at']);
  columns = optional(columns, 'text', ['attempt_id', 'reason']);
  await columns.addPrimaryKeyConstraint('targets_key', ['rollout_key', 'scale_set_key']).execute();
  await index(schema, 'targets_by_region', 'targets', ['rollout_key', 'region_key', 'trigger_at']);
  await index(schema, 'targets_by_scale_set', 'targets', ['scale_set_key']);
}

async function createAttempts(schema: Schema, key: RawBuilder<unknown>): Promise<void> {
  let columns = table(schema, 'attempts').addColumn('id', key, (c) => c.primaryKey().notNull());
  columns = required(columns, key, ['scale_set_key', 'rollout_key']);
  columns = required(columns, 'text', ['scale_set_id', 'rollout_id', 'workflow_id', 'run_id']);
  columns = required(columns, 'text', ['started_by', 'target', 'policy', 'status']);
  columns = required(columns, 'bigint', ['number', 'fence', 'restores_on_failure', 'started_at']);
  columns = required(columns, 'bigint', [
    'successful_count',
    'failed_count',
    'in_progress_count',
    'pending_count',
  ]);
  columns = optional(columns, 'text', ['reason']);
  columns = optional(columns, 'bigint', ['ended_at']);
  await columns.addUniqueConstraint('attempts_number', ['scale_set_key', 'number']).execute();
  await index(schema, 'attempts_by_status', 'attempts', ['status', 'rollout_key']);
  await index(schema, 'attempts_by_rollout', 'attempts', ['rollout_key', 'started_at']);
  // Rule B12, held by the database itself: a set has at most one attempt that is open.
  await schema
    .createIndex('attempts_one_open')
    .on('attempts')
    .columns(['scale_set_key'])
    .unique()
    .where(sql.ref('status'), '=', 'RollingForward')
    .execute();
}

async function createBatches(schema: Schema, key: RawBuilder<unknown>): Promise<void> {
  let batches = required(table(schema, 'batches'), key, ['attempt_id']);
  batches = required(batches, 'bigint', ['number', 'started_at']);
  batches = optional(batches, 'text', ['zone']);
  batches = optional(batches, 'bigint', ['update_domain', 'ended_at']);
  await batches.addPrimaryKeyConstraint('batches_key', ['attempt_id', 'number']).execute();

  let instances = required(table(schema, 'batch_instances'), key, ['attempt_id', 'instance_key']);
  instances = required(instances, 'text', ['instance_id']);
  instances = required(instances, 'bigint', ['batch', 'position']);
  instances = optional(instances, 'text', ['zone', 'from_version', 'outcome', 'error']);
  instances = optional(instances, 'bigint', ['update_domain']);
  await instances.addPrimaryKeyConstraint('batch_instances_key', ['attempt_id', 'instance_key']).execute();
}

async function createClaims(schema: Schema, key: RawBuilder<unknown>): Promise<void> {
  let claims = required(table(schema, 'claims'), key, ['group_key', 'holder_key']);
  claims = required(claims, 'text', ['group_name', 'holder', 'rule', 'workflow_id', 'accepts']);
  claims = required(claims, 'bigint', ['requested_at', 'seq']);
  claims = optional(claims, 'text', ['excludes', 'value']);
  claims = optional(claims, 'bigint', ['granted_at']);
  await claims.addPrimaryKeyConstraint('claims_key', ['group_key', 'holder_key']).execute();
  await index(schema, 'claims_by_holder', 'claims', ['holder_key']);

  let groups = table(schema, 'claim_groups').addColumn('group_key', key, (c) => c.primaryKey().notNull());
  groups = required(groups, 'bigint', ['last_seq']);
  groups = optional(groups, 'bigint', ['released_at']);
  await groups.execute();
}

async function createOrders(schema: Schema, key: RawBuilder<unknown>, dialect: Dialect): Promise<void> {
  let orders = table(schema, 'orders').addColumn('scope_key', key, (c) => c.primaryKey().notNull());
  orders = required(orders, 'text', ['scope', 'state', 'who', 'why']);
  orders = required(orders, 'bigint', ['at', 'seq']);
  await orders.execute();

  let log = table(schema, 'order_log').addColumn(
    'seq',
    dialect === 'sqlite' ? 'integer' : 'bigserial',
    (column) => (dialect === 'sqlite' ? column.primaryKey().autoIncrement() : column.primaryKey()),
  );
  log = required(log, key, ['scope_key']);
  log = required(log, 'text', ['scope', 'state', 'who', 'why']);
  log = required(log, 'bigint', ['at']);
  await log.execute();
  await index(schema, 'order_log_by_scope', 'order_log', ['scope_key', 'seq']);
}

async function createJournalWaits(schema: Schema, key: RawBuilder<unknown>): Promise<void> {
  const columns = required(table(schema, 'journal_waits'), key, [
    'attempt_id',
    'instance_key',
    'operation',
    'event',
  ]);
  await columns
    .addPrimaryKeyConstraint('journal_waits_key', ['attempt_id', 'instance_key', 'operation', 'event'])
    .execute();
}
