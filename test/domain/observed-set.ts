import type { ImageVersion } from '../../src/domain/image.ts';
import { DEFAULT_ROLLING_POLICY } from '../../src/domain/policy.ts';
import type { ObservedInstance, SetObservation, TakenInstance } from '../../src/domain/set-planner.ts';

export const TARGET: ImageVersion = { image: { kind: 'gallery', id: '/images/web' }, version: '2.0.0' };

/** Ten instances in a set without zones, two to an update domain, all healthy and off the target. */
export function observation(change: Partial<SetObservation> = {}): SetObservation {
  return {
    now: 1_000_000,
    kind: 'osUpgrade',
    policy: DEFAULT_ROLLING_POLICY,
    instances: instances(10),
    taken: [],
    openBatch: null,
    lastBatch: null,
    paused: false,
    closed: null,
    breach: null,
    rollsBackOnBreach: false,
    stop: null,
    updateDomainsTakeTurns: false,
    zonesTakeTurns: true,
    zoneHeld: null,
    ...change,
  };
}

export function instances(
  count: number,
  change: (index: number) => Partial<ObservedInstance> = () => ({}),
): ObservedInstance[] {
  return Array.from({ length: count }, (_, index) => ({
    instanceId: String(index),
    zone: null,
    updateDomain: index % 5,
    healthy: true,
    destination: { version: TARGET, action: 'swap' },
    leftAlone: null,
    hasPreviousDisk: false,
    ...change(index),
  }));
}

export function took(
  instanceId: string,
  outcome: TakenInstance['outcome'],
  change: Partial<TakenInstance> = {},
): TakenInstance {
  return { instanceId, batch: 1, outcome, error: null, fatal: false, ...change };
}

/** Why an attempt ends whose policy is broken (rule B7). */
export const BROKEN = {
  code: 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade',
  message: 'too many',
};

/** A first batch that has ended. */
export const afterBatch = { number: 1, zone: null, updateDomain: 0, endedAt: 900_000 };
