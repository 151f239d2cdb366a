import type { Place } from '../domain/calendar.ts';
import { CANCELLED_THROUGH_TEMPORAL } from '../domain/cancel.ts';
import type { Instant } from '../domain/clock.ts';
import { isServiceFabric } from '../domain/extensions.ts';
import { observedInstance } from '../domain/observed-instance.ts';
import { isModelFault, isSpared } from '../domain/operation.ts';
import type { Instance, ScaleSet } from '../domain/scale-set.ts';
import { scopesOf } from '../domain/scopes.ts';
import type { SetObservation } from '../domain/set-planner.ts';
import { stopCodes } from '../domain/stop-codes.ts';
import type { Attempt, Batch, Order, Reason, Rollout } from '../ledger/port.ts';
import { readCalendar, type SeenCalendar } from './calendar.ts';
import { zoneGroup } from './claims.ts';
import type { ActivityDependencies } from './context.ts';
import { eligibilityOf, reasonAgainst } from './eligibility.ts';
import { goalOf, rollsBackOnBreach } from './goal.ts';
import { endByOrder } from './standing-order.ts';
import type { ScaleSetLookInput } from './types.ts';

/** All that a decision about a scale set needs, read at one moment. */
export interface Observation {
  scaleSet: ScaleSet;
  rollout: Rollout;
  attempt: Attempt;
  instances: Instance[];
  batches: Batch[];
  calendar: SeenCalendar;
  seen: SetObservation;
}

/** Reads the fleet and the ledger, and reduces them to what the planner decides on. */
export async function observe(
  deps: ActivityDependencies,
  input: ScaleSetLookInput,
  rollout: Rollout,
  scaleSet: ScaleSet,
  attempt: Attempt,
  at: Instant,
): Promise<Observation> {
  const { fleet, ledger } = deps;
  const [instances, goal, { batches, instances: taken }, order, claims, lost, calendar] = await Promise.all([
    fleet.instances(scaleSet.id, at),
    goalOf(deps, rollout, scaleSet, at),
    ledger.attempts.taken(attempt.id),
    ledger.orders.inForce(
      scopesOf({
        rolloutId: rollout.id,
        ...(input.phase === null ? {} : { phase: input.phase }),
        region: scaleSet.region,
        scaleSetId: scaleSet.id,
      }),
    ),
    ledger.claims.list({ holder: attempt.id }),
    lostEligibility(deps, rollout, scaleSet, attempt, at),
    readCalendar(deps, attempt.startedBy),
  ]);
  const last = batches.at(-1);
  const zones = claims.find((claim) => claim.group === zoneGroup(scaleSet.region, rollout.target).group);
  // An attempt takes an instance once: of one that was protected then it keeps off for good.
  const spared = new Set(taken.filter(({ error }) => isSpared(error)).map((one) => one.instanceId));
  const upgraded = taken.filter((one) => !spared.has(one.instanceId));
  const seen: SetObservation = {
    now: at,
    kind: attempt.kind,
    policy: attempt.policy,
    instances: instances
      .map((instance) => observedInstance(goal, scaleSet, instance, rollout.settings.healthyReadings))
      .map((one) => (spared.has(one.instanceId) ? { ...one, leftAlone: 'protected' } : one)),
    taken: upgraded.map((instance) => ({ ...instance, fatal: isModelFault(instance.error) })),
    openBatch: last && last.endedAt === null ? last : null,
    lastBatch: last?.endedAt ? { ...last, endedAt: last.endedAt } : null,
    paused: order?.state === 'paused',
    closed: calendar.closedFor(placeOf({ rollout, scaleSet }), at),
    breach: attempt.reason,
    stop: orderToStop(input, attempt, order) ?? lost,
    rollsBackOnBreach: rollsBackOnBreach(attempt),
    updateDomainsTakeTurns: isServiceFabric(scaleSet),
    zonesTakeTurns: attempt.startedBy === 'Platform' || attempt.kind === 'revert',
    zoneHeld: zones?.value ?? null,
  };
  return { scaleSet, rollout, attempt, instances, batches, calendar, seen };
}

/** Where its batches are, for the calendar (rule D10). */
export function placeOf({ rollout, scaleSet }: Pick<Observation, 'rollout' | 'scaleSet'>): Place {
  return { rolloutId: rollout.id, region: scaleSet.region, scaleSetId: scaleSet.id };
}

/** Why a person, or Temporal, has the attempt end at this batch boundary, if they do. */
function orderToStop(input: ScaleSetLookInput, attempt: Attempt, order: Order | null): Reason | null {
  if (input.windDown || attempt.rolloutId !== input.rolloutId) {
    return {
      code: stopCodes.interrupted,
      message: 'Its workflow was terminated; what was half done has been finished.',
    };
  }
  if (input.cancelRequested) {
    return CANCELLED_THROUGH_TEMPORAL;
  }
  return endByOrder(order);
}

/**
 * Why an OS upgrade can't go on since the set or what is around it has changed, if it has: it was opted out (rule C1), or
 * a durability is mismatched by now (rule C5), say. The batch that runs is finished; another would be as wrong as a first.
 */
async function lostEligibility(
  deps: ActivityDependencies,
  { action }: Rollout,
  scaleSet: ScaleSet,
  { target, startedBy }: Attempt,
  at: Instant,
): Promise<Reason | null> {
  if (action !== 'osUpgrade') return null;
  const judged = await eligibilityOf(deps, scaleSet, target, at, { automatic: startedBy === 'Platform' });
  if (judged.reasons.some(({ code }) => code === 'AutomaticOSUpgradeDisabled')) {
    return { code: stopCodes.optedOut, message: 'Automatic OS upgrades were switched off on the scale set.' };
  }
  const reason = reasonAgainst(judged);
  return (
    reason && { code: stopCodes.notEligible, message: `It is not eligible any longer. ${reason.message}` }
  );
}
