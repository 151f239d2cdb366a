import type { Selectable } from 'kysely';
import type { Database, Queries } from '../database/database.ts';
import type { DecisionsTable, PhasesTable, ReleasesTable } from '../database/tables-ledger.ts';
import { compareVersions, type Image, imageKey } from '../domain/image.ts';
import { NotRecordedError } from './errors.ts';
import { recordEvents } from './events.ts';
import type { Decision, DecisionKind, PhaseRecord, Phases, PhaseVerdict, Release } from './port.ts';
import { fromJsonOrNull, keyOf, toJson, type Tx } from './rows.ts';
import { decided, phaseDone } from './told.ts';

interface RoundKey {
  rolloutId: string;
  phase: number;
  round: number;
}

/** Failures that a verdict keeps: enough for a person to start from, little enough for a row. */
const MAX_FAILURES = 50;

/** Phases, the releases that they make and the decisions on them (rules D2, D6, D9). */
export function phasesOn(database: Database): Phases {
  return {
    open: (record) => open(database, record),
    bake: (key, since, until) =>
      database.write([lockOf(key.rolloutId)], (tx) =>
        update(tx, key, { baking_since: since, bake_until: until }),
      ),
    judge: (key, verdict, at) => judge(database, key, verdict, at),
    list: (rolloutId) => list(database, rolloutId),
    decide: (decision) => decide(database, decision),
    decisions: (rolloutId) => decisions(database.db, rolloutId),
    releases: (image, region) => releases(database, image, region),
  };
}

function lockOf(rolloutId: string): string {
  return `phases:${keyOf(rolloutId)}`;
}

function open(database: Database, record: Parameters<Phases['open']>[0]): Promise<void> {
  return database.write([lockOf(record.rolloutId)], async (tx) => {
    await tx
      .insertInto('phases')
      .values({
        rollout_key: keyOf(record.rolloutId),
        rollout_id: record.rolloutId,
        phase: record.phase,
        round: record.round,
        started_at: record.at,
        baking_since: null,
        bake_until: null,
        judged_at: null,
        verdict: null,
      })
      .onConflict((conflict) => conflict.columns(['rollout_key', 'phase', 'round']).doNothing())
      .execute();
    await release(tx, record);
  });
}

/** A version is released in a region once: the first release stands, so what is due is due since then (rule D6). */
async function release(tx: Tx, record: Parameters<Phases['open']>[0]): Promise<void> {
  if (record.regions.length === 0) return;
  await tx
    .insertInto('releases')
    .values(
      record.regions.map((region) => ({
        image_key: imageKey(record.target.image),
        version: record.target.version,
        region_key: keyOf(region),
        region,
        rollout_id: record.rolloutId,
        released_at: record.at,
      })),
    )
    .onConflict((conflict) => conflict.columns(['image_key', 'region_key', 'version']).doNothing())
    .execute();
}

function judge(database: Database, key: RoundKey, verdict: PhaseVerdict, at: number): Promise<void> {
  return database.write([lockOf(key.rolloutId)], async (tx) => {
    const kept = { ...verdict, failures: verdict.failures.slice(0, MAX_FAILURES) };
    await update(tx, key, { judged_at: at, verdict: toJson(kept) });
    await recordEvents(tx, [await phaseDone(tx, key, verdict, at)]);
  });
}

async function update(
  tx: Tx,
  key: RoundKey,
  change: Partial<Pick<PhasesTable, 'baking_since' | 'bake_until' | 'judged_at' | 'verdict'>>,
): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('phases')
    .set(change)
    .where('rollout_key', '=', keyOf(key.rolloutId))
    .where('phase', '=', key.phase)
    .where('round', '=', key.round)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) {
    throw new NotRecordedError(
      `Round ${key.round} of phase ${key.phase} of rollout "${key.rolloutId}" was never opened.`,
    );
  }
}

async function list(database: Database, rolloutId: string): Promise<PhaseRecord[]> {
  const rows = await database.db
    .selectFrom('phases')
    .selectAll()
    .where('rollout_key', '=', keyOf(rolloutId))
    .orderBy('phase')
    .orderBy('round')
    .execute();
  return rows.map(toRecord);
}

/** The first decision of a round stands; `abort` overrides any other, which stays in the table beside it. */
function decide(database: Database, decision: Decision): Promise<Decision> {
  return database.write([lockOf(decision.rolloutId)], async (tx) => {
    const standing = await inForce(tx, decision);
    if (standing !== null && (decision.decision !== 'abort' || standing.decision === 'abort')) {
      return standing;
    }
    await tx
      .insertInto('decisions')
      .values({
        rollout_key: keyOf(decision.rolloutId),
        rollout_id: decision.rolloutId,
        phase: decision.phase,
        round: decision.round,
        aborts: decision.decision === 'abort' ? 1 : 0,
        decision: decision.decision,
        who: decision.who,
        why: decision.why,
        at: decision.at,
      })
      .execute();
    await recordEvents(tx, [await decided(tx, decision)]);
    return decision;
  });
}

async function inForce(db: Queries, key: RoundKey): Promise<Decision | null> {
  const all = await decisions(db, key.rolloutId);
  return all.find((other) => other.phase === key.phase && other.round === key.round) ?? null;
}

/** Those in force: one for each round that was decided on. */
async function decisions(db: Queries, rolloutId: string): Promise<Decision[]> {
  const rows = await db
    .selectFrom('decisions')
    .selectAll()
    .where('rollout_key', '=', keyOf(rolloutId))
    .orderBy('phase')
    .orderBy('round')
    .orderBy('aborts', 'desc')
    .execute();
  return rows
    .filter((row, i) => row.phase !== rows[i - 1]?.phase || row.round !== rows[i - 1]?.round)
    .map(toDecision);
}

async function releases(database: Database, image: Image, region: string): Promise<Release[]> {
  const rows = await database.db
    .selectFrom('releases')
    .selectAll()
    .where('image_key', '=', imageKey(image))
    .where('region_key', '=', keyOf(region))
    .execute();
  return rows.map(toRelease).toSorted((a, b) => compareVersions(b.version, a.version));
}

function toRecord(row: Selectable<PhasesTable>): PhaseRecord {
  return {
    rolloutId: row.rollout_id,
    phase: row.phase,
    round: row.round,
    startedAt: row.started_at,
    bakingSince: row.baking_since,
    bakeUntil: row.bake_until,
    judgedAt: row.judged_at,
    verdict: fromJsonOrNull(row.verdict),
  };
}

function toDecision(row: Selectable<DecisionsTable>): Decision {
  return {
    rolloutId: row.rollout_id,
    phase: row.phase,
    round: row.round,
    decision: row.decision as DecisionKind,
    who: row.who,
    why: row.why,
    at: row.at,
  };
}

function toRelease(row: Selectable<ReleasesTable>): Release {
  return {
    imageKey: row.image_key,
    version: row.version,
    region: row.region,
    rolloutId: row.rollout_id,
    releasedAt: row.released_at,
  };
}
