import type { Selectable } from 'kysely';
import type { Database, Lock, Queries } from '../database/database.ts';
import type { AttemptsTable } from '../database/tables-ledger.ts';
import { FencedError, NotRecordedError } from './errors.ts';
import type { Attempt, AttemptStatus, Progress, Writer } from './port.ts';
import { fromJson, fromJsonOrNull, keyOf, type Tx } from './rows.ts';

export type AttemptRow = Selectable<AttemptsTable>;

export function toAttempt(row: AttemptRow): Attempt {
  return {
    id: row.id,
    scaleSetId: row.scale_set_id,
    rolloutId: row.rollout_id,
    number: row.number,
    fence: row.fence,
    workflowId: row.workflow_id,
    kind: row.kind as Attempt['kind'],
    region: row.region,
    startedBy: row.started_by as Attempt['startedBy'],
    target: fromJson(row.target),
    policy: fromJson(row.policy),
    restoresOnFailure: row.restores_on_failure === 1,
    warnings: fromJsonOrNull(row.warnings) ?? [],
    status: row.status as AttemptStatus,
    reason: fromJsonOrNull(row.reason),
    progress: {
      successfulInstanceCount: row.successful_count,
      failedInstanceCount: row.failed_count,
      inProgressInstanceCount: row.in_progress_count,
      pendingInstanceCount: row.pending_count,
    },
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

/**
 * The columns of progress counts.
 * @throws RangeError when one is no count
 */
export function progressColumns(progress: Progress) {
  for (const [name, count] of Object.entries(progress)) {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`${name} is ${count}: a count is a whole number from 0.`);
    }
  }
  return {
    successful_count: progress.successfulInstanceCount,
    failed_count: progress.failedInstanceCount,
    in_progress_count: progress.inProgressInstanceCount,
    pending_count: progress.pendingInstanceCount,
  };
}

/** Everything about a set's attempts is written under one lock. */
export function attemptLock(scaleSetId: string): string {
  return `attempt:${keyOf(scaleSetId)}`;
}

export async function findAttempt(db: Queries, id: string): Promise<AttemptRow | null> {
  const row = await db.selectFrom('attempts').selectAll().where('id', '=', keyOf(id)).executeTakeFirst();
  return row ?? null;
}

/**
 * Runs `work` in a transaction that holds the lock of the attempt's set, and others if given, once the writer's fence has been
 * checked.
 * @throws FencedError when the attempt was taken over since; NotRecordedError when there is none of this id
 */
export async function writeFenced<T>(
  database: Database,
  writer: Writer,
  work: (tx: Tx, row: AttemptRow) => Promise<T>,
  locks: readonly Lock[] = [],
): Promise<T> {
  // The lock's name needs the attempt's set, which never changes: the row that counts is read under the lock.
  const scaleSetId =
    writer.scaleSetId ?? known(await findAttempt(database.db, writer.id), writer).scale_set_key;
  return database.write([attemptLock(scaleSetId), ...locks], async (tx) => {
    const row = known(await findAttempt(tx, writer.id), writer);
    if (writer.fence < row.fence) {
      throw new FencedError(
        `Attempt ${row.id} was taken over: fence ${writer.fence} is below ${row.fence}, held by ${row.workflow_id}.`,
      );
    }
    return work(tx, row);
  });
}

/** @throws FencedError when the attempt has ended: what still writes is left over from before */
export function refuseEnded(row: AttemptRow): void {
  if (row.status !== 'RollingForward') {
    throw new FencedError(`Attempt ${row.id} has ended as ${row.status}.`);
  }
}

function known(row: AttemptRow | null, writer: Writer): AttemptRow {
  if (row === null) throw new NotRecordedError(`No attempt "${writer.id}" is recorded.`);
  return row;
}
