import type { Instant } from '../domain/clock.ts';
import { policyInForce } from '../domain/policy.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import { nextSetStep, type ObservedInstance } from '../domain/set-planner.ts';
import type { Reason } from '../ledger/port.ts';

/**
 * Why an OS upgrade of a set that began now would stop before its first batch, by the planner's own word; null if it would
 * not. Only a threshold can do that (rule B1).
 */
export function stopsAtOnce(
  scaleSet: ScaleSet,
  instances: readonly ObservedInstance[],
  now: Instant,
): Reason | null {
  const step = nextSetStep({
    now,
    kind: 'osUpgrade',
    policy: policyInForce(scaleSet),
    instances: [...instances],
    taken: [],
    openBatch: null,
    lastBatch: null,
    paused: false,
    closed: null,
    breach: null,
    rollsBackOnBreach: false,
    stop: null,
    zonesTakeTurns: false,
    updateDomainsTakeTurns: false,
    zoneHeld: null,
  });
  return step.kind === 'finish' && step.status === 'Faulted' ? step.reason : null;
}
