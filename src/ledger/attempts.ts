import type { Database, Queries } from '../database/database.ts';
import type { AttemptsTable } from '../database/tables-ledger.ts';
import { imageKey } from '../domain/image.ts';
import type { Observed } from '../domain/operation.ts';
import { shortHash } from '../domain/random.ts';
import { journalAttempt } from './attempt-journal.ts';
import {
  attemptLock,
  type AttemptRow,
  findAttempt,
  progressColumns,
  refuseEnded,
  toAttempt,
  writeFenced,
} from './attempt-rows.ts';
import { amendOutcomes, closeBatch, openBatch } from './batches.ts';
import { recordEvents } from './events.ts';
import { instancesOf, takenBy } from './taken.ts';
import { earlierImages } from './earlier-images.ts';
import type { Attempt, Attempts, AttemptStatus, Progress, Reason, Writer } from './port.ts';
import { keyOf, toJson, toJsonOrNull, type Tx } from './rows.ts';
import { setFaulted } from './told.ts';

type OpenRequest = Parameters<Attempts['open']>[0];
type OpenAnswer = Awaited<ReturnType<Attempts['open']>>;

const NO_PROGRESS: Progress = {
  successfulInstanceCount: 0,
  failedInstanceCount: 0,
  inProgressInstanceCount: 0,
  pendingInstanceCount: 0,
};

/** The attempts to upgrade scale sets: one at a time a set (rule B12), each write checked against its fence. */
export function attemptsOn(database: Database): Attempts {
  return {
    open: (request, mayTakeOver) => open(database, request, mayTakeOver),
    get: async (id) => toAttemptOrNull(await findAttempt(database.db, id)),
    openOf: async (scaleSetId) => toAttemptOrNull(whileOpen(await newest(database.db, scaleSetId))),
    listOpen: (filter) => listOpen(database, filter ?? {}),
    listOf: (filter) => listOf(database, filter),
    instances: (attemptId) => instancesOf(database.db, attemptId),
    batches: async (attemptId) => (await takenBy(database.db, attemptId)).batches,
    taken: (attemptId) => takenBy(database.db, attemptId),
    openBatch: (attempt, batch, instances, progress) =>
      openBatch(database, attempt, { batch, instances, progress }),
    closeBatch: (attempt, batch, outcomes, at, waits = []) =>
      closeBatch(database, attempt, { batch, outcomes, at, waits }),
    amendOutcomes: (attempt, outcomes, at) => amendOutcomes(database, attempt, { outcomes, at }),
    earlierImages: (scaleSetId) => earlierImages(database, scaleSetId),
    giveUp: (attempt, reason, at) => giveUp(database, attempt, reason, at),
    recordBreach: (attempt, reason) => change(database, attempt, { reason: toJson(reason) }),
    setProgress: async (attempt, progress) => change(database, attempt, progressColumns(progress)),
    close: (attempt, status, reason, progress, at) =>
      close(database, attempt, { status, reason, progress, at }),
  };
}

/**
 * `mayTakeOver` asks the world outside, so it is called between two transactions; the second one goes through only if
 * the attempt is still the one that was judged. A repeat means that another one has moved it on meanwhile.
 */
async function open(
  database: Database,
  request: OpenRequest,
  mayTakeOver: (open: Attempt) => Promise<boolean>,
): Promise<OpenAnswer> {
  for (;;) {
    const answer = await openUnlessTaken(database, request);
    if (answer.kind === 'opened') return answer;
    if (!(await mayTakeOver(answer.attempt))) return answer;
    const attempt = await takeOver(database, request, answer.attempt);
    if (attempt !== null) return { kind: 'takenOver', attempt };
  }
}

function openUnlessTaken(database: Database, request: OpenRequest): Promise<OpenAnswer> {
  return database.write([attemptLock(request.scaleSetId)], async (tx) => {
    const last = await newest(tx, request.scaleSetId);
    const own = last?.workflow_id === request.workflowId && last.run_id === request.runId;
    // A run that asks once more, since the first answer was lost, may have ended its attempt already.
    if (last !== null && own && last.rollout_key === keyOf(request.rolloutId))
      return { kind: 'opened', attempt: toAttempt(last) };
    if (last === null || whileOpen(last) === null) {
      const row = toRow(request, last);
      await tx.insertInto('attempts').values(row).execute();
      await journalAttempt(tx, row, {
        at: request.at,
        operation: 'attempt',
        event: 'started',
        detail: request.kind,
        observed: { attempt: whatItGoesBy(request), ...warnedOf(request) },
      });
      return { kind: 'opened', attempt: toAttempt(row) };
    }
    return { kind: own ? 'opened' : 'conflict', attempt: toAttempt(last) };
  });
}

/** The attempt with a higher fence and a new owner; null when it is no longer what `judged` was. */
function takeOver(database: Database, request: OpenRequest, judged: Attempt): Promise<Attempt | null> {
  return database.write([attemptLock(request.scaleSetId)], async (tx) => {
    const last = whileOpen(await newest(tx, request.scaleSetId));
    if (last === null || last.id !== judged.id || last.fence !== judged.fence) return null;
    const change = { fence: last.fence + 1, workflow_id: request.workflowId, run_id: request.runId };
    await tx.updateTable('attempts').set(change).where('id', '=', last.id).execute();
    await journalAttempt(tx, last, { at: request.at, operation: 'takeOver', event: 'succeeded' });
    return toAttempt({ ...last, ...change });
  });
}

/** The set's last attempt. Attempts are kept for good, so its number and fence are the highest there were. */
async function newest(db: Queries | Tx, scaleSetId: string): Promise<AttemptRow | null> {
  const row = await db
    .selectFrom('attempts')
    .selectAll()
    .where('scale_set_key', '=', keyOf(scaleSetId))
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

function whileOpen(row: AttemptRow | null): AttemptRow | null {
  return row?.status === 'RollingForward' ? row : null;
}

async function listOpen(database: Database, filter: { rolloutId?: string }): Promise<Attempt[]> {
  let query = database.db
    .selectFrom('attempts')
    .selectAll()
    .where('status', '=', 'RollingForward')
    .orderBy('started_at')
    .orderBy('id');
  if (filter.rolloutId !== undefined) query = query.where('rollout_key', '=', keyOf(filter.rolloutId));
  return (await query.execute()).map(toAttempt);
}

async function listOf(database: Database, filter: Parameters<Attempts['listOf']>[0]): Promise<Attempt[]> {
  let query = database.db.selectFrom('attempts').selectAll();
  if (filter.scaleSetId !== undefined) query = query.where('scale_set_key', '=', keyOf(filter.scaleSetId));
  else query = query.orderBy('started_at', 'desc');
  if (filter.rolloutId !== undefined) query = query.where('rollout_key', '=', keyOf(filter.rolloutId));
  if (filter.kinds !== undefined) query = query.where('kind', 'in', filter.kinds);
  query = query.orderBy('number', 'desc').orderBy('id', 'desc');
  if (filter.limit !== undefined) query = query.limit(filter.limit);
  return (await query.execute()).map(toAttempt);
}

async function change(
  database: Database,
  writer: Writer,
  columns: Partial<Pick<AttemptRow, 'reason' | keyof ReturnType<typeof progressColumns>>>,
): Promise<void> {
  await writeFenced(database, writer, async (tx, row) => {
    refuseEnded(row);
    await tx.updateTable('attempts').set(columns).where('id', '=', row.id).execute();
  });
}

/** The first end stands: a repeated one changes nothing. */
async function close(
  database: Database,
  writer: Writer,
  end: { status: AttemptStatus; reason: Reason | null; progress: Progress; at: number },
): Promise<void> {
  const columns = progressColumns(end.progress);
  await writeFenced(database, writer, async (tx, row) => {
    if (whileOpen(row) === null) return;
    await tx
      .updateTable('attempts')
      .set({ ...columns, status: end.status, reason: toJsonOrNull(end.reason), ended_at: end.at })
      .where('id', '=', row.id)
      .execute();
    await journalAttempt(tx, row, {
      at: end.at,
      operation: 'attempt',
      event: end.status === 'Completed' ? 'succeeded' : 'failed',
      detail: end.status,
      error: end.reason && end.status !== 'Completed' ? `${end.reason.code}: ${end.reason.message}` : null,
    });
    if (end.status === 'Faulted') await recordEvents(tx, [setFaulted(row, end, 'faulted')]);
  });
}

async function giveUp(database: Database, writer: Writer, reason: Reason, at: number): Promise<void> {
  await writeFenced(database, writer, async (tx, row) => {
    refuseEnded(row);
    const error = `${reason.code}: ${reason.message}`;
    await journalAttempt(tx, row, { at, operation: 'giveUp', event: 'failed', error });
    await recordEvents(tx, [setFaulted(row, { reason, progress: null, at }, `givenUp/${row.fence}`)]);
  });
}

function whatItGoesBy({ kind, target, startedBy, restoresOnFailure, policy, healthTimeout }: OpenRequest) {
  const { image } = target;
  const what = { kind, image: imageKey(image), imageKind: image.kind };
  return { ...what, startedBy, restoresOnFailure, policy, healthTimeout };
}

function warnedOf({ warnings = [] }: OpenRequest): Pick<Observed, 'warnings'> {
  return warnings.length === 0 ? {} : { warnings: warnings.map(({ message }) => message) };
}

function toRow(request: OpenRequest, last: AttemptRow | null): AttemptsTable {
  const key = keyOf(request.scaleSetId);
  const number = (last?.number ?? 0) + 1;
  return {
    id: `${shortHash(key)}-${number}`,
    scale_set_key: key,
    scale_set_id: request.scaleSetId,
    rollout_key: keyOf(request.rolloutId),
    rollout_id: request.rolloutId,
    number,
    fence: (last?.fence ?? 0) + 1,
    workflow_id: request.workflowId,
    run_id: request.runId,
    kind: request.kind,
    region: request.region,
    started_by: request.startedBy,
    target: toJson(request.target),
    policy: toJson(request.policy),
    restores_on_failure: request.restoresOnFailure ? 1 : 0,
    warnings: toJsonOrNull(request.warnings?.length ? request.warnings : null),
    status: 'RollingForward',
    reason: null,
    ...progressColumns(NO_PROGRESS),
    started_at: request.at,
    ended_at: null,
  };
}

function toAttemptOrNull(row: AttemptRow | null): Attempt | null {
  return row === null ? null : toAttempt(row);
}
