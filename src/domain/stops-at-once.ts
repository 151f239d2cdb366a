import type { Instant } from './clock.ts';
import { policyInForce } from './policy.ts';
import type { ScaleSet } from './scale-set.ts';
import { nextSetStep, type ObservedInstance } from './set-planner.ts';
import type { StopReason } from './stop-codes.ts';

/**
 * Why an OS upgrade of a set that began now would stop before its first batch, by the planner's own word; null if it would
 * not. Only a threshold can do that (rule B1).
 */
export function stopsAtOnce(
  scaleSet: ScaleSet,
  instances: readonly ObservedInstance[],
  now: Instant,
): StopReason | null {
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
