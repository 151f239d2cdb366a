import type { Instant } from '../../domain/clock.ts';
import { phaseScope, regionScope, rolloutScope, ALL, scaleSetScope } from '../../domain/scopes.ts';
import { ALONE, type Claim } from '../../domain/claims.ts';
import type { Attempt, Batch, Order, PhaseRecord, Rollout, Target } from '../../ledger/port.ts';
import type { Wait } from './types.ts';

/** What stands in the ledger and holds something up: read once for a whole snapshot. */
export interface Holds {
  rollout: Rollout;
  now: Instant;
  /** Orders as they stand, by scope in lower case. */
  orders: ReadonlyMap<string, Order>;
  /** Claims that wait, by holder. */
  waitingClaims: ReadonlyMap<string, Claim>;
}

/** The orders and claims of the ledger, by what they are looked up by here. */
export function holdsOf(
  rollout: Rollout,
  now: Instant,
  orders: readonly Order[],
  claims: readonly Claim[],
): Holds {
  return {
    rollout,
    now,
    orders: new Map(orders.map((order) => [order.scope.toLowerCase(), order])),
    waitingClaims: new Map(
      claims.filter((claim) => claim.value === null).map((claim) => [claim.holder, claim]),
    ),
  };
}

/** What the rollout as a whole waits for (rule D2). */
export function rolloutWaits(holds: Holds): Wait[] {
  const { rollout } = holds;
  if (rollout.endedAt !== null) return [];
  if (rollout.status === 'Halted')
    return [{ kind: 'decision', what: 'a decision: proceed, retry or abort', until: null }];
  return pauseOf(holds, [ALL, rolloutScope(rollout.id)]);
}

/** What a phase waits for that is under way (rule D3). */
export function phaseWaits(holds: Holds, record: PhaseRecord): Wait[] {
  const paused = pauseOf(holds, [phaseScope(holds.rollout.id, record.phase)]);
  if (record.bakeUntil === null) return paused;
  return [...paused, { kind: 'bake', what: 'the end of the bake time', until: record.bakeUntil }];
}

/** What a region waits for: a resume, its geo-pair (rule D1), the next trigger (rule D6). */
export function regionWaits(holds: Holds, region: string, targets: readonly Target[]): Wait[] {
  const paused = pauseOf(holds, [regionScope(holds.rollout.id, region)]);
  // By this holder a region claims its turn among the geo-pairs: see `src/activities/claims.ts`.
  const claim = holds.waitingClaims.get(`${holds.rollout.id}#${region}`);
  const pair: Wait[] = claim
    ? [{ kind: 'geoPair', what: `its geo-pair ${partners(claim, region)}`, until: null }]
    : [];
  const waiting = targets.filter((target) => target.status === 'waiting');
  if (waiting.length === 0) return [...paused, ...pair];
  const next = Math.min(...waiting.map((target) => target.triggerAt));
  if (next > holds.now)
    return [...paused, ...pair, { kind: 'trigger', what: 'the next trigger', until: next }];
  return [...paused, ...pair];
}

function partners(claim: Claim, region: string): string {
  return (claim.excludes?.[region] ?? []).join(' or ');
}

/** What a set waits for between its batches: a resume, its turn in a zone (rule D4), the pause (rule B9). */
export function scaleSetWait(holds: Holds, attempt: Attempt, lastBatch: Batch | undefined): Wait | null {
  if (lastBatch && lastBatch.endedAt === null) return null;
  const claim = holds.waitingClaims.get(attempt.id);
  if (claim) return { kind: 'zone', what: `its turn in ${zonesText(claim)}`, until: null };
  const [paused] = pauseOf(holds, [scaleSetScope(attempt.scaleSetId)]);
  if (paused) return paused;
  const until = lastBatch?.endedAt ? lastBatch.endedAt + attempt.policy.pauseTimeBetweenBatches : holds.now;
  return until > holds.now ? { kind: 'batchPause', what: 'the pause between batches', until } : null;
}

function zonesText({ accepts }: Claim): string {
  return accepts.includes(ALONE) ? 'all zones at once' : `zone ${accepts.join(' or ')}`;
}

function pauseOf({ orders }: Holds, scopes: readonly string[]): Wait[] {
  for (const scope of scopes) {
    const order = orders.get(scope.toLowerCase());
    if (order?.state === 'paused')
      return [{ kind: 'resume', what: `a resume (paused by ${order.who}: ${order.why})`, until: null }];
  }
  return [];
}
