import type { Selectable } from 'kysely';
import type { Database, Queries } from '../database/database.ts';
import type { RolloutsTable } from '../database/tables-ledger.ts';
import { imageKey } from '../domain/image.ts';
import { DEFAULT_SETTINGS, type RolloutSettings } from '../domain/policy.ts';
import { AlreadyRecordedError, NotRecordedError } from './errors.ts';
import { recordEvents } from './events.ts';
import type { Reason, Rollout, RolloutKind, Rollouts, RolloutStatus } from './port.ts';
import { fromJson, fromJsonOrNull, keyOf, toJson, toJsonOrNull } from './rows.ts';
import { rolloutStarted, statusChanged } from './told.ts';

/** A halted rollout still waits for a person: it has not ended (rule D2). */
const ENDED: readonly RolloutStatus[] = ['Completed', 'Faulted', 'Cancelled', 'Superseded'];

/** Rollouts on the database: recorded for good, whatever becomes of their workflows (rule D9). */
export function rolloutsOn(database: Database): Rollouts {
  return {
    create: (rollout) => create(database, rollout),
    get: (id) => find(database.db, id),
    list: (filter) => list(database, filter ?? {}),
    lastGeneration: (target) => lastGeneration(database, target),
    setStatus: (id, status, at, reason, asOf = at) => setStatus(database, { id, status, at, reason, asOf }),
  };
}

function create(database: Database, rollout: Parameters<Rollouts['create']>[0]): Promise<Rollout> {
  return database.write([`rollout:${keyOf(rollout.id)}`], async (tx) => {
    const { numInsertedOrUpdatedRows: inserted } = await tx
      .insertInto('rollouts')
      .values({
        rollout_key: keyOf(rollout.id),
        id: rollout.id,
        kind: rollout.kind,
        image_key: imageKey(rollout.target.image),
        version: rollout.target.version,
        target: toJson(rollout.target),
        generation: rollout.generation,
        status: 'Running',
        reason: null,
        phases: toJson(rollout.phases),
        settings: toJson(rollout.settings),
        started_by: rollout.startedBy,
        started_at: rollout.startedAt,
        ended_at: null,
        action: rollout.action ?? 'osUpgrade',
        why: rollout.why ?? null,
        parameters: toJsonOrNull(rollout.parameters ?? null),
        status_as_of: 0,
      })
      .onConflict((conflict) => conflict.column('rollout_key').doNothing())
      .executeTakeFirst();
    if (inserted === 0n) throw new AlreadyRecordedError(`Rollout "${rollout.id}" is recorded already.`);
    const created = (await find(tx, rollout.id)) as Rollout;
    await recordEvents(tx, [rolloutStarted(created)]);
    return created;
  });
}

async function find(db: Queries, id: string): Promise<Rollout | null> {
  const row = await db
    .selectFrom('rollouts')
    .selectAll()
    .where('rollout_key', '=', keyOf(id))
    .executeTakeFirst();
  return row === undefined ? null : toRollout(row);
}

async function list(
  database: Database,
  filter: { imageKey?: string; status?: RolloutStatus; limit?: number },
): Promise<Rollout[]> {
  let query = database.db
    .selectFrom('rollouts')
    .selectAll()
    .orderBy('started_at', 'desc')
    .orderBy('generation', 'desc')
    .orderBy('rollout_key', 'desc');
  if (filter.imageKey !== undefined) query = query.where('image_key', '=', keyOf(filter.imageKey));
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.limit !== undefined) query = query.limit(filter.limit);
  return (await query.execute()).map(toRollout);
}

async function lastGeneration(database: Database, target: Rollout['target']): Promise<number> {
  const row = await database.db
    .selectFrom('rollouts')
    .select((select) => select.fn.max('generation').as('last'))
    .where('image_key', '=', imageKey(target.image))
    .where('version', '=', target.version)
    .executeTakeFirst();
  // Of no rows the maximum is null, whatever the column's type says.
  return (row?.last as number | null | undefined) ?? 0;
}

function setStatus(
  database: Database,
  change: { id: string; status: RolloutStatus; at: number; reason: Reason | null; asOf: number },
): Promise<void> {
  const key = keyOf(change.id);
  return database.write([`rollout:${key}`], async (tx) => {
    const rollout = await find(tx, change.id);
    if (rollout === null) throw new NotRecordedError(`No rollout "${change.id}" is recorded.`);
    const ends = ENDED.includes(change.status);
    const { numUpdatedRows } = await tx
      .updateTable('rollouts')
      .set((eb) => ({
        status: change.status,
        reason: toJsonOrNull(change.reason),
        ended_at: ends ? change.at : null,
        status_as_of: ends ? eb.ref('status_as_of') : change.asOf,
      }))
      .where('rollout_key', '=', key)
      .where('ended_at', 'is', null)
      // An end is one whoever reports it, by whatever clock; the rest is the rollout's own workflow's, by Temporal's.
      .$if(!ends, (update) => update.where('status_as_of', '<=', change.asOf))
      .executeTakeFirst();
    if (numUpdatedRows > 0n) await recordEvents(tx, statusChanged(rollout, change));
  });
}

function toRollout(row: Selectable<RolloutsTable>): Rollout {
  return {
    id: row.id,
    kind: row.kind as RolloutKind,
    target: fromJson(row.target),
    generation: row.generation,
    status: row.status as RolloutStatus,
    reason: fromJsonOrNull(row.reason),
    phases: fromJson(row.phases),
    // Rollouts of earlier releases know fewer settings.
    settings: { ...DEFAULT_SETTINGS, ...fromJson<Partial<RolloutSettings>>(row.settings) },
    action: row.action as Rollout['action'],
    parameters: fromJsonOrNull(row.parameters) ?? {},
    startedBy: row.started_by,
    why: row.why,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}
