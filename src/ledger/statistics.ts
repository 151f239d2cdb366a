import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { AttemptKind } from '../domain/attempt-kinds.ts';
import type { AttemptStatus, DesiredState, LedgerStatistics, RolloutStatus, TargetStatus } from './port.ts';
import type { BatchDurations, FinalOutcome, Statistics, StatisticsRequest } from './statistics-records.ts';
import { waits } from './statistics-waits.ts';
import { watchersOn } from './watchers.ts';

/** Counts for metrics. They are read from what is recorded, so every worker tells the same, whoever died meanwhile. */
export function statisticsOn(database: Database): Statistics {
  return { read: (request) => read(database, request) };
}

async function read(database: Database, request: StatisticsRequest): Promise<LedgerStatistics> {
  return {
    rollouts: await rollouts(database),
    attempts: await attempts(database),
    instances: await instances(database),
    batches: await batches(database),
    batchDurations: await batchDurations(database, request.batchDurationBounds),
    targets: await targets(database, request.now),
    waits: await waits(database, request.now),
    orders: await orders(database),
    quarantined: await quarantined(database),
    heldVersions: await heldVersions(database),
    watchers: await watchers(database),
    journal: await journal(database),
  };
}

async function rollouts({ db }: Database): Promise<LedgerStatistics['rollouts']> {
  const rows = await db
    .selectFrom('rollouts')
    .select(['image_key', 'action', 'status', (eb) => eb.fn.countAll<number>().as('count')])
    .groupBy(['image_key', 'action', 'status'])
    .execute();
  return rows.map(({ image_key, action, status, count }) => ({
    imageKey: image_key,
    action: action as AttemptKind,
    status: status as RolloutStatus,
    count,
  }));
}

async function attempts({ db, engine }: Database): Promise<LedgerStatistics['attempts']> {
  const code: RawBuilder<string | null> =
    engine === 'postgres' ? sql`(a.reason::json ->> 'code')` : sql`json_extract(a.reason, '$.code')`;
  const rows = await db
    .selectFrom('attempts as a')
    .innerJoin('rollouts as r', 'r.rollout_key', 'a.rollout_key')
    .select(['r.image_key', 'a.region', 'a.kind', 'a.status', code.as('code')])
    .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.min('a.started_at').as('since')])
    .groupBy(['r.image_key', 'a.region', 'a.kind', 'a.status', code])
    .execute();
  return rows.map(({ status, code: why, count, since, ...group }) => ({
    ...upgradeGroup(group),
    status: status as AttemptStatus,
    code: why,
    count,
    since,
  }));
}

async function instances({ db }: Database): Promise<LedgerStatistics['instances']> {
  const outcome = sql<FinalOutcome>`case
    when a.status = 'RollingForward' and (i.outcome is null or i.outcome = 'left') then 'inProgress'
    else coalesce(i.outcome, 'abandoned') end`;
  const rows = await db
    .selectFrom('batch_instances as i')
    .innerJoin('attempts as a', 'a.id', 'i.attempt_id')
    .innerJoin('rollouts as r', 'r.rollout_key', 'a.rollout_key')
    .select(['r.image_key', 'a.region', 'a.kind', outcome.as('outcome')])
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .groupBy(['r.image_key', 'a.region', 'a.kind', outcome])
    .execute();
  return rows.map(({ outcome: ended, count, ...group }) => ({
    ...upgradeGroup(group),
    outcome: ended,
    count,
  }));
}

async function batches({ db }: Database): Promise<LedgerStatistics['batches']> {
  const rows = await db
    .selectFrom('batches as b')
    .innerJoin('attempts as a', 'a.id', 'b.attempt_id')
    .innerJoin('rollouts as r', 'r.rollout_key', 'a.rollout_key')
    .select(['r.image_key', 'a.region', 'a.kind'])
    .select((eb) => [eb.fn.countAll<number>().as('opened'), eb.fn.count<number>('b.ended_at').as('closed')])
    .groupBy(['r.image_key', 'a.region', 'a.kind'])
    .execute();
  return rows.map(({ opened, closed, ...group }) => ({ ...upgradeGroup(group), opened, closed }));
}

async function batchDurations({ db }: Database, bounds: readonly number[]): Promise<BatchDurations[]> {
  const duration = sql<number>`b.ended_at - b.started_at`;
  const atMost = bounds.map((bound, i) =>
    sql<number | string>`sum(case when ${duration} <= ${bound} then 1 else 0 end)`.as(`bound_${i}`),
  );
  const rows = await db
    .selectFrom('batches as b')
    .innerJoin('attempts as a', 'a.id', 'b.attempt_id')
    .where('b.ended_at', 'is not', null)
    .select('a.kind')
    .select((eb) => [eb.fn.countAll<number>().as('count'), sql<number | string>`sum(${duration})`.as('sum')])
    .select(atMost)
    .groupBy('a.kind')
    .execute();
  // PostgreSQL adds up integers to a number of any size, which the driver hands over as text.
  return rows.map((row) => ({
    kind: row.kind as AttemptKind,
    count: row.count,
    sum: Number(row.sum),
    atMost: bounds.map((_, i) => Number(row[`bound_${i}`])),
  }));
}

async function targets({ db }: Database, now: number): Promise<LedgerStatistics['targets']> {
  const isDue = sql<number>`case when t.trigger_at <= ${now} then 1 else 0 end`;
  const rows = await db
    .selectFrom('targets as t')
    .innerJoin('rollouts as r', 'r.rollout_key', 't.rollout_key')
    .where('r.ended_at', 'is', null)
    .select(['t.region', 't.status', isDue.as('is_due')])
    .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.min('t.seen_at').as('since')])
    .groupBy(['t.region', 't.status', 'is_due'])
    .execute();
  return rows.map(({ region, status, is_due, count, since }) => ({
    region,
    status: status as TargetStatus,
    isDue: is_due === 1,
    count,
    since,
  }));
}

async function orders({ db }: Database): Promise<LedgerStatistics['orders']> {
  const rows = await db
    .selectFrom('orders')
    .where('state', '<>', 'running')
    .select(['state', (eb) => eb.fn.countAll<number>().as('count')])
    .groupBy('state')
    .execute();
  return rows.map(({ state, count }) => ({ state: state as DesiredState, count }));
}

async function quarantined({ db }: Database): Promise<LedgerStatistics['quarantined']> {
  return db
    .selectFrom('quarantine as q')
    .innerJoin('attempts as a', 'a.id', 'q.attempt_id')
    .where('q.released_at', 'is', null)
    .select('a.region')
    .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.min('q.since').as('since')])
    .groupBy('a.region')
    .execute();
}

async function heldVersions({ db }: Database): Promise<LedgerStatistics['heldVersions']> {
  const rows = await db
    .selectFrom('held_versions')
    .where('lifted_at', 'is', null)
    .select(['image_key', (eb) => eb.fn.countAll<number>().as('count')])
    .groupBy('image_key')
    .execute();
  return rows.map(({ image_key, count }) => ({ imageKey: image_key, count }));
}

async function watchers(database: Database): Promise<LedgerStatistics['watchers']> {
  return (await watchersOn(database).list()).map(({ name, pending, failingSince, disabledAt }) => ({
    name,
    pending,
    failingSince,
    isDisabled: disabledAt !== null,
  }));
}

/** Its lines have numbers that rise; those of a transaction that was undone are missing. Counting them would read them all. */
async function journal({ db }: Database): Promise<LedgerStatistics['journal']> {
  const last = await db
    .selectFrom('journal')
    .select(['seq', 'recorded_at'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return { lines: last?.seq ?? 0, lastRecordedAt: last?.recorded_at ?? null };
}

function upgradeGroup({ image_key, region, kind }: { image_key: string; region: string; kind: string }) {
  return { imageKey: image_key, region, kind: kind as AttemptKind };
}
