import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Wait } from './statistics-records.ts';

/** What is waited for now, of each kind how often, and since when by the one that has waited longest. */
export async function waits(database: Database, now: number): Promise<Wait[]> {
  return [
    ...(await turns(database, now)),
    ...(await claims(database)),
    ...(await betweenBatches(database)),
    ...(await bakes(database)),
    ...(await decisions(database)),
  ];
}

/** Scale sets before their attempt (rule D6). */
async function turns({ db }: Database, now: number): Promise<Wait[]> {
  const kind = sql<Wait['kind']>`case when t.trigger_at <= ${now} then 'turn' else 'trigger' end`;
  const rows = await db
    .selectFrom('targets as t')
    .innerJoin('rollouts as r', 'r.rollout_key', 't.rollout_key')
    .where('r.ended_at', 'is', null)
    .where('t.status', '=', 'waiting')
    .select([kind.as('wait'), (eb) => eb.fn.countAll<number>().as('count')])
    .select(
      sql<number>`min(case when t.trigger_at <= ${now} then t.trigger_at else t.seen_at end)`.as('since'),
    )
    .groupBy('wait')
    .execute();
  return rows.map(({ wait, count, since }) => ({ kind: wait, count, since }));
}

/** Scale sets that wait for a zone (rule D4), and regions for the other of their pair (rule D1). */
async function claims({ db }: Database): Promise<Wait[]> {
  const kind = sql<Wait['kind']>`case when rule = 'listed' then 'geoPair' else 'zone' end`;
  const rows = await db
    .selectFrom('claims')
    .where('value', 'is', null)
    .select([kind.as('wait'), (eb) => eb.fn.countAll<number>().as('count')])
    .select((eb) => eb.fn.min('requested_at').as('since'))
    .groupBy('wait')
    .execute();
  return rows.map(({ wait, count, since }) => ({ kind: wait, count, since }));
}

/** Scale sets whose attempt has no batch under way: a pause (rule B9), an order, or a zone, which is counted as such besides. */
async function betweenBatches({ db }: Database): Promise<Wait[]> {
  const since = sql<number>`coalesce(
    (select max(b.ended_at) from batches b where b.attempt_id = a.id), a.started_at)`;
  const idle = db
    .selectFrom('attempts as a')
    .where('a.status', '=', 'RollingForward')
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('batches as open')
            .select('open.number')
            .whereRef('open.attempt_id', '=', 'a.id')
            .where('open.ended_at', 'is', null),
        ),
      ),
    )
    .select(since.as('since'));
  return counted('betweenBatches', await idle.execute());
}

/** Phases that bake (rule D3). */
async function bakes({ db }: Database): Promise<Wait[]> {
  const baking = db
    .selectFrom('phases as p')
    .innerJoin('rollouts as r', 'r.rollout_key', 'p.rollout_key')
    .where('r.ended_at', 'is', null)
    .where('p.judged_at', 'is', null)
    .where('p.baking_since', 'is not', null)
    .select('p.baking_since as since')
    .$narrowType<{ since: number }>();
  return counted('bake', await baking.execute());
}

/** Rollouts that are halted, since their phase was judged (rule D2). */
async function decisions({ db }: Database): Promise<Wait[]> {
  const judgedAt = sql<number>`coalesce(
    (select max(p.judged_at) from phases p where p.rollout_key = r.rollout_key), r.started_at)`;
  const halted = db.selectFrom('rollouts as r').where('r.status', '=', 'Halted').select(judgedAt.as('since'));
  return counted('decision', await halted.execute());
}

function counted(kind: Wait['kind'], rows: readonly { since: number }[]): Wait[] {
  if (rows.length === 0) return [];
  return [{ kind, count: rows.length, since: Math.min(...rows.map((row) => row.since)) }];
}
