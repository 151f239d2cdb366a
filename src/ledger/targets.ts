import type { Selectable } from 'kysely';
import type { Database } from '../database/database.ts';
import { insertRows } from '../database/insert-rows.ts';
import type { TargetsTable } from '../database/tables-ledger.ts';
import { NotRecordedError } from './errors.ts';
import type { Target, Targets, TargetStatus } from './port.ts';
import { fromJsonOrNull, keyOf, toJsonOrNull } from './rows.ts';

/** The scale sets of rollouts. */
export function targetsOn(database: Database): Targets {
  return {
    add: (targets) => add(database, targets),
    update: (key, change, whileIn) => update(database, key, change, whileIn),
    get: (rolloutId, scaleSetId) => get(database, rolloutId, scaleSetId),
    list: (filter) => list(database, filter),
    wasEverTriggered: (scaleSetId) => wasEverTriggered(database, scaleSetId),
  };
}

async function add(database: Database, targets: readonly Target[]): Promise<void> {
  if (targets.length === 0) return;
  // Always in the same order: two that add the same targets at once don't wait for each other in a circle.
  const rows = targets
    .map(toRow)
    .toSorted(
      (a, b) => compareText(a.rollout_key, b.rollout_key) || compareText(a.scale_set_key, b.scale_set_key),
    );
  await database.write([], (tx) =>
    insertRows(tx, 'targets', rows, { key: ['rollout_key', 'scale_set_key'], update: [] }),
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function update(
  database: Database,
  key: Parameters<Targets['update']>[0],
  change: Parameters<Targets['update']>[1],
  whileIn: TargetStatus | undefined,
): Promise<boolean> {
  const columns: Partial<TargetsTable> = {};
  if (change.status !== undefined) columns.status = change.status;
  if (change.attemptId !== undefined) columns.attempt_id = change.attemptId;
  if (change.reason !== undefined) columns.reason = toJsonOrNull(change.reason);
  if (change.round !== undefined) columns.round = change.round;
  if (change.seenAt !== undefined) columns.seen_at = change.seenAt;
  if (change.triggerAt !== undefined) columns.trigger_at = change.triggerAt;
  if (Object.keys(columns).length === 0) return true;
  const updated = await database.write([], async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('targets')
      .set(columns)
      .where('rollout_key', '=', keyOf(key.rolloutId))
      .where('scale_set_key', '=', keyOf(key.scaleSetId))
      .$if(whileIn !== undefined, (row) => row.where('status', '=', whileIn as TargetStatus))
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  });
  if (!updated && (whileIn === undefined || (await get(database, key.rolloutId, key.scaleSetId)) === null)) {
    throw new NotRecordedError(`"${key.scaleSetId}" is not a target of rollout "${key.rolloutId}".`);
  }
  return updated;
}

async function get(database: Database, rolloutId: string, scaleSetId: string): Promise<Target | null> {
  const row = await database.db
    .selectFrom('targets')
    .selectAll()
    .where('rollout_key', '=', keyOf(rolloutId))
    .where('scale_set_key', '=', keyOf(scaleSetId))
    .executeTakeFirst();
  return row === undefined ? null : toTarget(row);
}

async function list(database: Database, filter: Parameters<Targets['list']>[0]): Promise<Target[]> {
  if (filter.status?.length === 0) return [];
  let query = database.db
    .selectFrom('targets')
    .selectAll()
    .where('rollout_key', '=', keyOf(filter.rolloutId))
    .orderBy('trigger_at')
    .orderBy('scale_set_key');
  if (filter.region !== undefined) query = query.where('region_key', '=', keyOf(filter.region));
  if (filter.phase !== undefined) query = query.where('phase', '=', filter.phase);
  if (filter.status !== undefined) query = query.where('status', 'in', filter.status);
  return (await query.execute()).map(toTarget);
}

/** A manual start is nobody's trigger: only automatic rollouts and their attempts count. */
async function wasEverTriggered(database: Database, scaleSetId: string): Promise<boolean> {
  const key = keyOf(scaleSetId);
  const attempt = await database.db
    .selectFrom('attempts')
    .select('id')
    .where('scale_set_key', '=', key)
    .where('started_by', '=', 'Platform')
    .limit(1)
    .executeTakeFirst();
  if (attempt !== undefined) return true;
  const target = await database.db
    .selectFrom('targets')
    .leftJoin('rollouts', 'rollouts.rollout_key', 'targets.rollout_key')
    .select('targets.scale_set_key')
    .where('targets.scale_set_key', '=', key)
    // Between its trigger and its attempt a target is upgrading without one; skipped and superseded ones had no trigger.
    .where((e) => e.or([e('targets.status', '=', 'upgrading'), e('targets.attempt_id', 'is not', null)]))
    .where((e) => e.or([e('rollouts.kind', 'is', null), e('rollouts.kind', '!=', 'manual')]))
    .limit(1)
    .executeTakeFirst();
  return target !== undefined;
}

function toRow(target: Target): TargetsTable {
  return {
    rollout_key: keyOf(target.rolloutId),
    rollout_id: target.rolloutId,
    scale_set_key: keyOf(target.scaleSetId),
    scale_set_id: target.scaleSetId,
    scale_set_name: target.scaleSetName,
    region_key: keyOf(target.region),
    region: target.region,
    phase: target.phase,
    round: target.round,
    status: target.status,
    seen_at: target.seenAt,
    trigger_at: target.triggerAt,
    attempt_id: target.attemptId,
    reason: toJsonOrNull(target.reason),
  };
}

function toTarget(row: Selectable<TargetsTable>): Target {
  return {
    rolloutId: row.rollout_id,
    scaleSetId: row.scale_set_id,
    scaleSetName: row.scale_set_name,
    region: row.region,
    phase: row.phase,
    round: row.round,
    status: row.status as TargetStatus,
    seenAt: row.seen_at,
    triggerAt: row.trigger_at,
    attemptId: row.attempt_id,
    reason: fromJsonOrNull(row.reason),
  };
}
