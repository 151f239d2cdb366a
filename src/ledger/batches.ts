import type { Database } from '../database/database.ts';
import { insertRows } from '../database/insert-rows.ts';
import type { BatchInstancesTable } from '../database/tables-ledger.ts';
import { operationErrorCodes, type JournalEntry } from '../domain/operation.ts';
import { journalAttempt } from './attempt-journal.ts';
import { progressColumns, refuseEnded, writeFenced, type AttemptRow } from './attempt-rows.ts';
import { CALENDAR, revisionOf } from './calendar.ts';
import { NotRecordedError } from './errors.ts';
import { recordEvents } from './events.ts';
import { appendWaits } from './journal.ts';
import type { Attempts, Batch, EndedInstance, Progress, Writer } from './port.ts';
import { quarantineFailedRestores } from './quarantine.ts';
import { groupBy, inChunks, keyOf, toJsonOrNull, type Tx } from './rows.ts';
import { takenBy } from './taken.ts';
import { instancesRestored, isTold } from './told.ts';

type NewBatch = Parameters<Attempts['openBatch']>[1];
type NewInstance = Parameters<Attempts['openBatch']>[2][number];

/**
 * Records a batch with its instances in progress; one that is there already stays as it is, progress included, and is answered.
 * An attempt takes an instance into one batch only: the counts of rule B7 would be wrong otherwise. Where windows bind it, nobody
 * changes them while it is recorded (rule D10).
 * @returns null if they were changed after it was decided on
 * @throws FencedError when the attempt was taken over or has ended
 */
export async function openBatch(
  database: Database,
  writer: Writer,
  open: { batch: NewBatch; instances: readonly NewInstance[]; progress: Progress },
): Promise<Batch | null> {
  const progress = progressColumns(open.progress);
  const { number, zone, updateDomain, startedAt, action = 'swap', to = null, calendar } = open.batch;
  const locks = calendar === undefined ? [] : [{ shared: CALENDAR }];
  const record = async (tx: Tx, row: AttemptRow) => {
    if (await hasBatch(tx, row.id, number)) {
      const { batches } = await takenBy(tx, row.id);
      return batches.find((one) => one.number === number) as Batch;
    }
    refuseEnded(row);
    if (calendar !== undefined && (await revisionOf(tx)) !== calendar) return null;
    await tx
      .insertInto('batches')
      .values({
        attempt_id: row.id,
        number,
        zone,
        update_domain: updateDomain,
        action,
        to_version: toJsonOrNull(to),
        started_at: startedAt,
        ended_at: null,
      })
      .execute();
    const rows = open.instances.map((instance, i) => toRow(row.id, open.batch.number, instance, i));
    await insertRows(tx, 'batch_instances', rows);
    await tx.updateTable('attempts').set(progress).where('id', '=', row.id).execute();
    await journalOpened(tx, row, open.batch, open.instances);
    const instanceIds = open.instances.map((instance) => instance.instanceId);
    return { number, zone, updateDomain, action, to, instanceIds, startedAt, endedAt: null };
  };
  return writeFenced(database, writer, record, locks);
}

async function journalOpened(
  tx: Tx,
  row: AttemptRow,
  batch: NewBatch,
  instances: readonly NewInstance[],
): Promise<void> {
  const { zone, updateDomain, observed, action = 'swap', calendar } = batch;
  const members = instances.map((instance) => instance.instanceId);
  await journalAttempt(tx, row, {
    at: batch.startedAt,
    operation: 'batch',
    event: 'started',
    zone,
    updateDomain,
    ...(batch.to ? { toVersion: batch.to.version } : {}),
    detail: String(batch.number),
    observed: { ...observed, members, action, ...(calendar === undefined ? {} : { calendar }) },
  });
}

async function hasBatch(tx: Tx, attemptId: string, number: number): Promise<boolean> {
  const row = await tx
    .selectFrom('batches')
    .select('number')
    .where('attempt_id', '=', attemptId)
    .where('number', '=', number)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Records outcomes where there was none, and the batch's end: that of the last call that brought any.
 * @throws FencedError when the attempt was taken over or has ended; NotRecordedError when the batch was never opened
 */
export function closeBatch(
  database: Database,
  writer: Writer,
  close: {
    batch: number;
    outcomes: readonly EndedInstance[];
    at: number;
    waits?: readonly JournalEntry[];
  },
): Promise<void> {
  return writeFenced(database, writer, async (tx, row) => {
    await appendWaits(tx, close.waits ?? []);
    const batch = await tx
      .selectFrom('batches')
      .select('ended_at')
      .where('attempt_id', '=', row.id)
      .where('number', '=', close.batch)
      .executeTakeFirst();
    if (batch === undefined) {
      throw new NotRecordedError(`Batch ${close.batch} of attempt ${row.id} was never opened.`);
    }
    const { recorded, told } = await recordOutcomes(tx, row.id, close.batch, close.outcomes);
    await quarantineFailedRestores(tx, row, close.outcomes, close.at);
    if (batch.ended_at !== null && recorded === 0) return;
    refuseEnded(row);
    if (batch.ended_at === null) await journalClosed(tx, row, close);
    await tx
      .updateTable('batches')
      .set({ ended_at: Math.max(close.at, batch.ended_at ?? close.at) })
      .where('attempt_id', '=', row.id)
      .where('number', '=', close.batch)
      .execute();
    await recordEvents(tx, instancesRestored(row, told, close.at));
  });
}

async function journalClosed(
  tx: Tx,
  row: AttemptRow,
  { batch, outcomes, at }: { batch: number; outcomes: readonly EndedInstance[]; at: number },
): Promise<void> {
  const counts: Record<string, number> = {};
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  const gone = outcomes
    .filter(({ error }) => error?.startsWith(`${operationErrorCodes.InstanceNotFound}:`))
    .map(({ instanceId }) => instanceId);
  await journalAttempt(tx, row, {
    at,
    operation: 'batch',
    event: 'succeeded',
    detail: String(batch),
    observed: { outcomes: counts, ...(gone.length > 0 ? { gone } : {}) },
  });
}

/**
 * Records that instances which an attempt had left were restored after all (rule B7); any other outcome stays.
 * @throws FencedError when the attempt was taken over or has ended
 */
export function amendOutcomes(
  database: Database,
  writer: Writer,
  { outcomes, at }: { outcomes: readonly EndedInstance[]; at: number },
): Promise<void> {
  return writeFenced(database, writer, async (tx, row) => {
    refuseEnded(row);
    const amended: EndedInstance[] = [];
    for (const ended of outcomes) {
      const { instanceId, outcome, error, restoreError = null } = ended;
      const { numUpdatedRows } = await tx
        .updateTable('batch_instances')
        .set({ outcome, error, restore_error: restoreError })
        .where('attempt_id', '=', row.id)
        .where('instance_key', '=', keyOf(instanceId))
        .where('outcome', '=', 'left')
        .executeTakeFirst();
      if (numUpdatedRows > 0n) amended.push(ended);
    }
    await quarantineFailedRestores(tx, row, outcomes, at);
    await recordEvents(tx, instancesRestored(row, amended, at));
  });
}

/**
 * Instances that ended alike share a statement: a batch in which all goes well is one.
 * @returns how many had no outcome before, and those of them that watchers are told of
 */
async function recordOutcomes(
  tx: Tx,
  attemptId: string,
  batch: number,
  outcomes: readonly EndedInstance[],
): Promise<{ recorded: number; told: EndedInstance[] }> {
  let recorded = 0;
  const told: EndedInstance[] = [];
  for (const group of groupBy(outcomes, (o) => JSON.stringify([o.outcome, o.error, o.restoreError]))) {
    const { outcome, error, restoreError = null } = group[0];
    for (const chunk of inChunks(group)) {
      const update = tx
        .updateTable('batch_instances')
        .set({ outcome, error, restore_error: restoreError })
        .where('attempt_id', '=', attemptId)
        .where('batch', '=', batch)
        .where('outcome', 'is', null)
        .where(
          'instance_key',
          'in',
          chunk.map((o) => keyOf(o.instanceId)),
        );
      if (!isTold(outcome)) {
        recorded += Number((await update.executeTakeFirst()).numUpdatedRows);
        continue;
      }
      const rows = await update.returning('instance_key').execute();
      const fresh = new Set(rows.map((row) => row.instance_key));
      recorded += fresh.size;
      told.push(...chunk.filter((o) => fresh.has(keyOf(o.instanceId))));
    }
  }
  return { recorded, told };
}

function toRow(
  attemptId: string,
  batch: number,
  instance: NewInstance,
  position: number,
): BatchInstancesTable {
  return {
    attempt_id: attemptId,
    instance_key: keyOf(instance.instanceId),
    instance_id: instance.instanceId,
    batch,
    position,
    zone: instance.zone,
    update_domain: instance.updateDomain,
    from_version: toJsonOrNull(instance.from),
    outcome: null,
    error: null,
    restore_error: null,
    was_healthy: instance.wasHealthy ? 1 : 0,
  };
}
