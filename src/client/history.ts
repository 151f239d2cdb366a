import { attemptsOfHistory, historyItem, type HistoryItem } from '../arm/history.ts';
import type { AttemptKind } from '../domain/attempt-kinds.ts';
import type { Instant } from '../domain/clock.ts';
import type { EligibilityWarning } from '../domain/eligibility.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import { scopesOf } from '../domain/scopes.ts';
import type { Attempt, InstanceOutcome, Order, Reason, Rollout } from '../ledger/port.ts';
import { currentInstant, type ClientContext } from './context.ts';
import { findScaleSet } from './find.ts';

/** An attempt in the shape of Azure's history, and what else people want to know of it. */
export interface HistoryEntry extends HistoryItem {
  attempt: {
    id: string;
    number: number;
    kind: AttemptKind;
    rolloutId: string;
    /** Who started it, and what they said; of an automatic upgrade who started the rollout. */
    who: string;
    why: string | null;
    startedAt: Instant;
    endedAt: Instant | null;
    /** Why it stopped before all was done. */
    reason: Reason | null;
    /** What was warned of before its first batch (rule C8). */
    warnings: EligibilityWarning[];
    outcomes: Record<InstanceOutcome, number>;
    /** Pauses, resumes and cancels that concerned it, the oldest first. */
    orders: Order[];
  };
}

export interface History {
  scaleSetId: string;
  name: string;
  region: string;
  now: Instant;
  value: HistoryEntry[];
}

/**
 * What was done to a set, newest first (rule E1): OS upgrades and reverts, the last five of two months.
 * @param all every attempt that was ever recorded, also updates to the model and repairs
 */
export async function readHistory(
  context: ClientContext,
  { scaleSet: id, all = false }: { scaleSet: string; all?: boolean | undefined },
): Promise<History> {
  const { ledger } = context;
  const scaleSet = await findScaleSet(context, id);
  const now = await currentInstant(context);
  const [attempts, orders] = await Promise.all([
    ledger.attempts.listOf({ scaleSetId: scaleSet.id }),
    ledger.orders.list({ all: true }),
  ]);
  const shown = all ? attempts : attemptsOfHistory(attempts, now);
  const value = await Promise.all(shown.map((attempt) => entryOf(context, scaleSet, attempt, orders, now)));
  const { name, region } = scaleSet;
  return { scaleSetId: scaleSet.id, name, region, now, value };
}

async function entryOf(
  { ledger }: ClientContext,
  scaleSet: ScaleSet,
  attempt: Attempt,
  orders: readonly Order[],
  now: Instant,
): Promise<HistoryEntry> {
  const [instances, rollout, target] = await Promise.all([
    ledger.attempts.instances(attempt.id),
    ledger.rollouts.get(attempt.rolloutId),
    ledger.targets.get(attempt.rolloutId, attempt.scaleSetId),
  ]);
  const outcomes = { upgraded: 0, restored: 0, restoreFailed: 0, left: 0 };
  for (const { outcome } of instances) if (outcome !== null) outcomes[outcome]++;
  const scopes = scopesOf({
    rolloutId: attempt.rolloutId,
    ...(target === null ? {} : { phase: target.phase }),
    region: scaleSet.region,
    scaleSetId: scaleSet.id,
  });
  const { id, number, kind, rolloutId, startedAt, endedAt, reason, warnings } = attempt;
  return {
    ...historyItem(attempt, instances, scaleSet.region),
    attempt: {
      id,
      number,
      kind,
      rolloutId,
      ...initiativeOf(rollout),
      startedAt,
      endedAt,
      reason,
      warnings,
      outcomes,
      orders: ordersDuring(orders, scopes, startedAt, endedAt ?? now),
    },
  };
}

function initiativeOf(rollout: Rollout | null): { who: string; why: string | null } {
  return rollout === null ? { who: 'unknown', why: null } : { who: rollout.startedBy, why: rollout.why };
}

/** Orders given while it ran, and those that stood when it began and held it up. @param orders newest first */
function ordersDuring(
  orders: readonly Order[],
  scopes: readonly string[],
  from: Instant,
  to: Instant,
): Order[] {
  const keys = scopes.map((scope) => scope.toLowerCase());
  const concerned = orders.filter((order) => keys.includes(order.scope.toLowerCase()) && order.at <= to);
  const during = concerned.filter((order) => order.at >= from);
  const standing = keys.flatMap((key) => {
    const last = concerned.find((order) => order.scope.toLowerCase() === key && order.at < from);
    return last === undefined || last.state === 'running' ? [] : [last];
  });
  return [...standing, ...during.toReversed()];
}
