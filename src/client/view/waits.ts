import { closedText, openingAt, rulesFor, type CalendarRule } from '../../domain/calendar.ts';
import type { Instant } from '../../domain/clock.ts';
import { phaseScope, regionScope, rolloutScope, ALL, scaleSetScope } from '../../domain/scopes.ts';
import { ALONE, blockers, type Claim } from '../../domain/claims.ts';
import type { Attempt, Batch, Order, PhaseRecord, Rollout, Target } from '../../ledger/port.ts';
import { parseWorkflowId } from '../../workflows/ids.ts';
import { awaitedBy } from '../gates.ts';
import { decideCommand, overrideCommand, resumeCommand } from '../give.ts';
import type { Wait, WaitHolder, WaitKind } from './types.ts';

/** What stands in the ledger and holds something up: read once for a whole snapshot. */
export interface Holds {
  rollout: Rollout;
  now: Instant;
  /** Orders as they stand, by scope in lower case. */
  orders: ReadonlyMap<string, Order>;
  /** Claims that wait, by holder. */
  waitingClaims: ReadonlyMap<string, Claim>;
  claims: readonly Claim[];
  /** When batches may begin. */
  calendar: readonly CalendarRule[];
}

/** The orders, claims and calendar of the ledger, by what they are looked up by here. */
export function holdsOf(
  rollout: Rollout,
  now: Instant,
  orders: readonly Order[],
  claims: readonly Claim[],
  calendar: readonly CalendarRule[],
): Holds {
  return {
    rollout,
    now,
    orders: new Map(orders.map((order) => [order.scope.toLowerCase(), order])),
    waitingClaims: new Map(
      claims.filter((claim) => claim.value === null).map((claim) => [claim.holder, claim]),
    ),
    claims,
    calendar,
  };
}

/** A wait that has no end on record, that nobody stands in the way of, and that no command ends, unless it says otherwise. */
export function waitFor(kind: WaitKind, what: string, more: Partial<Wait> = {}): Wait {
  return { kind, what, since: null, until: null, behind: [], command: null, ...more };
}

/** What the rollout as a whole waits for (rule D2). @param records of its phases */
export function rolloutWaits(holds: Holds, records: readonly PhaseRecord[]): Wait[] {
  const { rollout } = holds;
  if (rollout.endedAt !== null) return [];
  const awaited = awaitedBy(rollout, records);
  if (awaited === null) return pausesOf(holds, [ALL, rolloutScope(rollout.id)]);
  const { kind, phase, since } = awaited;
  const name = rollout.phases[phase - 1]?.name ?? 'regions';
  const what =
    kind === 'approval' ? `approval of phase ${phase} (${name})` : 'a decision: proceed, retry or abort';
  return [waitFor(kind, what, { since, command: decideCommand(rollout.id, kind) })];
}

/** What a phase waits for that is under way (rule D3). */
export function phaseWaits(holds: Holds, record: PhaseRecord): Wait[] {
  const paused = pausesOf(holds, [phaseScope(holds.rollout.id, record.phase)]);
  const { bakingSince: since, bakeUntil: until } = record;
  return until === null ? paused : [...paused, waitFor('bake', 'the end of the bake time', { since, until })];
}

/** What a region waits for: a resume, its geo-pair (rule D1), a window (rule D10), the next trigger (rule D6). */
export function regionWaits(holds: Holds, region: string, targets: readonly Target[]): Wait[] {
  const held = [
    ...pausesOf(holds, [regionScope(holds.rollout.id, region)]),
    ...pairWaits(holds, region),
    ...regionWindowWaits(holds, targets),
  ];
  const [next] = targets
    .filter((target) => target.status === 'waiting')
    .toSorted((a, b) => a.triggerAt - b.triggerAt);
  return next === undefined ? held : [...held, ...triggerWaits(holds, 'the next trigger', next)];
}

/** A trigger that lies ahead (rule D6). */
export function triggerWaits({ now }: Holds, what: string, { seenAt, triggerAt }: Target): Wait[] {
  return triggerAt > now ? [waitFor('trigger', what, { since: seenAt, until: triggerAt })] : [];
}

/** What a region's rollout waits for while its pair has VMs upgrading (rule D1). */
export function pairWaits(holds: Holds, region: string): Wait[] {
  // By this holder a region claims its turn among the geo-pairs: see `src/activities/claims.ts`.
  const claim = holds.waitingClaims.get(`${holds.rollout.id}#${region}`);
  if (claim === undefined) return [];
  const partners = (claim.excludes?.[region] ?? []).join(' or ');
  return [waitFor('geoPair', `its geo-pair ${partners}`, queueOf(holds, claim))];
}

/** What a set waits for between its batches: a resume, its turn in a zone (rule D4), a window (rule D10), the pause (rule B9). */
export function scaleSetWait(holds: Holds, attempt: Attempt, lastBatch: Batch | undefined): Wait | null {
  if (lastBatch && lastBatch.endedAt === null) return null;
  const claim = holds.waitingClaims.get(attempt.id);
  if (claim) return waitFor('zone', `its turn in ${zonesText(claim)}`, queueOf(holds, claim));
  const [paused] = pausesOf(holds, [scaleSetScope(attempt.scaleSetId)]);
  if (paused) return paused;
  const since = lastBatch?.endedAt ?? null;
  const [closed] =
    attempt.startedBy === 'Platform' ? windowWaits(holds, attempt, since ?? attempt.startedAt) : [];
  if (closed) return closed;
  const until = since === null ? holds.now : since + attempt.policy.pauseTimeBetweenBatches;
  return until > holds.now ? waitFor('batchPause', 'the pause between batches', { since, until }) : null;
}

function zonesText({ accepts }: Claim): string {
  return accepts.includes(ALONE) ? 'all zones at once' : `zone ${accepts.join(' or ')}`;
}

/** Since when a claim waits, and behind whom. */
function queueOf({ claims }: Holds, waiting: Claim): Pick<Wait, 'since' | 'behind'> {
  const rivals = claims.filter((claim) => claim.group === waiting.group);
  return { since: waiting.requestedAt, behind: blockers(rivals, waiting).map(holderOf) };
}

function holderOf({ workflowId, value, requestedAt, grantedAt }: Claim): WaitHolder {
  const parsed = parseWorkflowId(workflowId);
  const name =
    parsed?.level === 'region' ? parsed.region : parsed?.level === 'scaleSet' ? parsed.name : workflowId;
  return { name, workflowId, holds: value, since: grantedAt ?? requestedAt };
}

/** Every pause of these scopes: each has to be taken back by itself. */
export function pausesOf({ orders }: Holds, scopes: readonly string[]): Wait[] {
  return scopes.flatMap((scope) => {
    const order = orders.get(scope.toLowerCase());
    if (order?.state !== 'paused') return [];
    const { at: since, who, why } = order;
    return [
      waitFor('resume', `a resume (paused by ${who}: ${why})`, {
        since,
        command: resumeCommand(order.scope),
      }),
    ];
  });
}

/** What an automatic upgrade of a set waits for while windows and freezes let no batch begin (rule D10). @param since when it waits */
export function windowWaits(
  { rollout, calendar, now }: Holds,
  { region, scaleSetId }: { region: string; scaleSetId: string },
  since: Instant | null,
): Wait[] {
  if (rollout.kind === 'manual' || rollout.action !== 'osUpgrade') return [];
  const opening = openingAt(calendar, { rolloutId: rollout.id, region, scaleSetId }, now);
  if (opening.open) return [];
  const command = overrideCommand(scaleSetScope(scaleSetId));
  return [waitFor('window', closedText(opening), { since, until: opening.until, command })];
}

/** The same of sets whose trigger has come: of the one that may begin first. */
export function regionWindowWaits(holds: Holds, targets: readonly Target[]): Wait[] {
  const due = targets.filter(({ status, triggerAt }) => status === 'waiting' && triggerAt <= holds.now);
  // Sets that the same rules are about wait for the same: there may be thousands, and zones are slow to compute.
  const byRules = new Map<string, Target>();
  for (const target of due) {
    const key = rulesFor(holds.calendar, target)
      .map(({ id }) => id)
      .join(' ');
    if (!byRules.has(key)) byRules.set(key, target);
  }
  const last = Number.MAX_SAFE_INTEGER;
  return [...byRules.values()]
    .flatMap((target) => windowWaits(holds, target, target.triggerAt))
    .toSorted((a, b) => (a.until ?? last) - (b.until ?? last))
    .slice(0, 1);
}
