import type { Selectable } from 'kysely';
import type { Queries } from '../database/database.ts';
import type { BatchInstancesTable, BatchesTable } from '../database/tables-ledger.ts';
import type { BatchAction } from '../domain/attempt-kinds.ts';
import type { AttemptInstance, Batch, InstanceOutcome, TakenInstance } from './port.ts';
import { fromJsonOrNull, groupBy, keyOf } from './rows.ts';

/** The instances that an attempt has taken, batch by batch, each in its batch's order. */
export async function instancesOf(db: Queries, attemptId: string): Promise<AttemptInstance[]> {
  const rows = await db
    .selectFrom('batch_instances')
    .selectAll()
    .where('attempt_id', '=', keyOf(attemptId))
    .orderBy('batch')
    .orderBy('position')
    .execute();
  return rows.map(toInstance);
}

/**
 * An attempt's batches in order of number, and their instances. A batch is recorded together with its instances: read first, it
 * is never seen without them, and those of one that came in between are left out.
 */
export async function takenBy(
  db: Queries,
  attemptId: string,
): Promise<{ batches: Batch[]; instances: TakenInstance[] }> {
  const rows = await db
    .selectFrom('batches')
    .selectAll()
    .where('attempt_id', '=', keyOf(attemptId))
    .orderBy('number')
    .execute();
  if (rows.length === 0) return { batches: [], instances: [] };
  const numbers = new Set(rows.map(({ number }) => number));
  const taken = await db
    .selectFrom('batch_instances')
    // Every look reads them all: no more than it goes by.
    .select(['instance_id', 'batch', 'outcome', 'error'])
    .where('attempt_id', '=', keyOf(attemptId))
    .orderBy('batch')
    .orderBy('position')
    .execute();
  const instances = taken
    .filter(({ batch }) => numbers.has(batch))
    .map(({ instance_id: instanceId, batch, outcome, error }) => {
      return { instanceId, batch, outcome: outcome as InstanceOutcome | null, error };
    });
  const members = new Map(groupBy(instances, ({ batch }) => batch).map((group) => [group[0].batch, group]));
  return { batches: rows.map((row) => toBatch(row, members.get(row.number) ?? [])), instances };
}

function toBatch(row: Selectable<BatchesTable>, members: readonly TakenInstance[]): Batch {
  return {
    number: row.number,
    zone: row.zone,
    updateDomain: row.update_domain,
    action: row.action as BatchAction,
    to: fromJsonOrNull(row.to_version),
    instanceIds: members.map(({ instanceId }) => instanceId),
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

function toInstance(row: Selectable<BatchInstancesTable>): AttemptInstance {
  return {
    instanceId: row.instance_id,
    batch: row.batch,
    zone: row.zone,
    updateDomain: row.update_domain,
    from: fromJsonOrNull(row.from_version),
    wasHealthy: row.was_healthy === 1,
    outcome: row.outcome as InstanceOutcome | null,
    error: row.error,
    restoreError: row.restore_error,
  };
}
