import type { Selectable } from 'kysely';
import type { Database, Queries } from '../database/database.ts';
import type { ClaimsTable } from '../database/tables-ledger.ts';
import { blockers, type Claim, type ClaimRequest, type ClaimRule, grantable } from '../domain/claims.ts';
import type { ClaimAnswer, Claims } from './port.ts';
import { fromJson, fromJsonOrNull, keyOf, toJson, toJsonOrNull, type Tx } from './rows.ts';

/**
 * Claims on the database: the rules are `domain/claims.ts`'s, the group's lock makes them hold among all processes.
 * Nobody is granted a value but by asking: a waiter that is gone must not hold one that it doesn't know of. So whoever
 * gives up a claim wakes those that wait, and they ask again.
 */
export function claimsOn(database: Database): Claims {
  return {
    request: (request, at) => ask(database, request, at),
    release: (group, holder, at) => release(database, [keyOf(group)], holder, at),
    releaseAll: async (holder, at) => release(database, await groupsOf(database, holder), holder, at),
    list: (filter) => list(database.db, filter ?? {}),
  };
}

function lockOf(groupKey: string): string {
  return `claims:${groupKey}`;
}

async function ask(database: Database, request: ClaimRequest, at: number): Promise<ClaimAnswer> {
  if (request.accepts.length === 0) {
    throw new RangeError(`"${request.holder}" asks for no value in "${request.group}".`);
  }
  return database.write([lockOf(keyOf(request.group))], async (tx) => {
    const claims = await list(tx, { group: request.group });
    const own = claims.find((claim) => keyOf(claim.holder) === keyOf(request.holder)) ?? null;
    if (own !== null && own.value !== null) {
      if (request.accepts.includes(own.value)) return keep(tx, own, request);
      // Held, but not what is wanted now: given up here, and asked for anew behind those who wait.
      await noteRelease(tx, own, at);
    }
    return askInLine(tx, { claims, own, request, at });
  });
}

/** A holder that asks again: the same answer as before, for whichever workflow acts for it now. */
async function keep(tx: Tx, own: Claim, request: ClaimRequest): Promise<ClaimAnswer> {
  await save(tx, { ...own, ...request, group: own.group, holder: own.holder });
  return { value: own.value, notBefore: own.grantedAt ?? own.requestedAt, blockedBy: [] };
}

async function askInLine(
  tx: Tx,
  ask: { claims: readonly Claim[]; own: Claim | null; request: ClaimRequest; at: number },
): Promise<ClaimAnswer> {
  const { claims, own, request, at } = ask;
  const waits = own !== null && own.value === null;
  const groupState = await enterGroup(tx, keyOf(request.group), waits ? 0 : 1);
  const waiting: Claim = {
    ...request,
    holder: own?.holder ?? request.holder,
    value: null,
    requestedAt: waits ? own.requestedAt : at,
    grantedAt: null,
    seq: waits ? own.seq : groupState.lastSeq,
  };
  const all = [...claims.filter((claim) => claim !== own), waiting];
  const value = grantable(all, waiting);
  // Clocks of two workers may differ: a grant never lies before the release that made it possible.
  const notBefore = Math.max(at, groupState.releasedAt ?? at);
  await save(tx, { ...waiting, value, grantedAt: value === null ? null : notBefore });
  return { value, notBefore, blockedBy: value === null ? blockers(all, waiting) : [] };
}

/** The group's state, after `places` more places in its queue were given out. */
async function enterGroup(
  tx: Tx,
  groupKey: string,
  places: 0 | 1,
): Promise<{ lastSeq: number; releasedAt: number | null }> {
  const row = await tx
    .insertInto('claim_groups')
    .values({ group_key: groupKey, last_seq: places, released_at: null })
    .onConflict((conflict) =>
      conflict
        .column('group_key')
        .doUpdateSet((set) => ({ last_seq: set('claim_groups.last_seq', '+', places) })),
    )
    .returning(['last_seq', 'released_at'])
    .executeTakeFirstOrThrow();
  return { lastSeq: row.last_seq, releasedAt: row.released_at };
}

async function noteRelease(tx: Tx, claim: Claim, at: number): Promise<void> {
  const groupKey = keyOf(claim.group);
  const { releasedAt } = await enterGroup(tx, groupKey, 0);
  const latest = Math.max(at, claim.grantedAt ?? at, releasedAt ?? at);
  await tx
    .updateTable('claim_groups')
    .set({ released_at: latest })
    .where('group_key', '=', groupKey)
    .execute();
}

/**
 * Gives up the holder's claims in these groups, held or waiting.
 * @returns workflows of those who wait there, the first come first. Also when there was nothing to give up: the caller
 *   may be repeating a release whose answer was lost.
 */
function release(
  database: Database,
  groupKeys: readonly string[],
  holder: string,
  at: number,
): Promise<string[]> {
  return database.write(groupKeys.map(lockOf), async (tx) => {
    const wake = new Set<string>();
    for (const group of groupKeys) {
      const claims = await list(tx, { group });
      const own = claims.find((claim) => keyOf(claim.holder) === keyOf(holder));
      if (own !== undefined) await remove(tx, own, at);
      for (const claim of claims) if (claim !== own && claim.value === null) wake.add(claim.workflowId);
    }
    return [...wake];
  });
}

async function remove(tx: Tx, claim: Claim, at: number): Promise<void> {
  await tx
    .deleteFrom('claims')
    .where('group_key', '=', keyOf(claim.group))
    .where('holder_key', '=', keyOf(claim.holder))
    .execute();
  if (claim.value !== null) await noteRelease(tx, claim, at);
}

async function groupsOf(database: Database, holder: string): Promise<string[]> {
  const rows = await database.db
    .selectFrom('claims')
    .select('group_key')
    .where('holder_key', '=', keyOf(holder))
    .execute();
  return rows.map((row) => row.group_key);
}

async function list(db: Queries, filter: { group?: string; holder?: string }): Promise<Claim[]> {
  let query = db.selectFrom('claims').selectAll().orderBy('group_key').orderBy('seq');
  if (filter.group !== undefined) query = query.where('group_key', '=', keyOf(filter.group));
  if (filter.holder !== undefined) query = query.where('holder_key', '=', keyOf(filter.holder));
  return (await query.execute()).map(toClaim);
}

async function save(tx: Tx, claim: Claim): Promise<void> {
  const row = toRow(claim);
  await tx
    .insertInto('claims')
    .values(row)
    .onConflict((conflict) => conflict.columns(['group_key', 'holder_key']).doUpdateSet(row))
    .execute();
}

function toRow(claim: Claim): ClaimsTable {
  return {
    group_key: keyOf(claim.group),
    group_name: claim.group,
    holder_key: keyOf(claim.holder),
    holder: claim.holder,
    rule: claim.rule,
    workflow_id: claim.workflowId,
    accepts: toJson(claim.accepts),
    excludes: toJsonOrNull(claim.excludes ?? null),
    value: claim.value,
    requested_at: claim.requestedAt,
    granted_at: claim.grantedAt,
    seq: claim.seq,
  };
}

function toClaim(row: Selectable<ClaimsTable>): Claim {
  const excludes = fromJsonOrNull(row.excludes);
  return {
    group: row.group_name,
    rule: row.rule as ClaimRule,
    holder: row.holder,
    workflowId: row.workflow_id,
    accepts: fromJson(row.accepts),
    ...(excludes === null ? {} : { excludes }),
    value: row.value,
    requestedAt: row.requested_at,
    grantedAt: row.granted_at,
    seq: row.seq,
  };
}
