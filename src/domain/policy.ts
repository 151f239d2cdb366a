import { MINUTE, HOUR, type Duration } from './clock.ts';
import { isServiceFabric } from './extensions.ts';
import type { RollingUpgradePolicy, ScaleSet } from './scale-set.ts';

/** The defaults of Azure's rolling upgrade policy (rule B13). */
export const DEFAULT_ROLLING_POLICY: RollingUpgradePolicy = {
  maxBatchInstancePercent: 20,
  maxUnhealthyInstancePercent: 20,
  maxUnhealthyUpgradedInstancePercent: 20,
  pauseTimeBetweenBatches: 0,
  enableCrossZoneUpgrade: false,
  prioritizeUnhealthyInstances: false,
  rollbackFailedInstancesOnPolicyBreach: false,
};

/** Azure's limits of the percentages, both ends included (rule B13). */
export const POLICY_LIMITS = {
  maxBatchInstancePercent: { min: 5, max: 100 },
  maxUnhealthyInstancePercent: { min: 5, max: 100 },
  maxUnhealthyUpgradedInstancePercent: { min: 0, max: 100 },
} as const;

export interface PolicyViolation {
  /** The property's path as Azure's API spells it: `rollingUpgradePolicy.maxBatchInstancePercent`. */
  target: string;
  message: string;
}

/** What of a rolling policy lies outside Azure's limits; empty when nothing does (rule B13). */
export function policyViolations(policy: Partial<RollingUpgradePolicy>): PolicyViolation[] {
  const violations: PolicyViolation[] = [];
  for (const [name, { min, max }] of Object.entries(POLICY_LIMITS)) {
    const value = policy[name as keyof typeof POLICY_LIMITS];
    if (value !== undefined && !(Number.isInteger(value) && value >= min && value <= max)) {
      violations.push({
        target: `rollingUpgradePolicy.${name}`,
        message: `${name} is ${value}: give a whole number from ${min} to ${max}.`,
      });
    }
  }
  const pause = policy.pauseTimeBetweenBatches;
  if (pause !== undefined && !(Number.isFinite(pause) && pause >= 0)) {
    violations.push({
      target: 'rollingUpgradePolicy.pauseTimeBetweenBatches',
      message: 'pauseTimeBetweenBatches must be an ISO 8601 duration of PT0S or more.',
    });
  }
  return violations;
}

/**
 * The policy that an OS upgrade of the set goes by: its own where `useRollingUpgradePolicy` says so, filled up with
 * the defaults; otherwise the defaults (rule B13). A manual start goes by the set's own policy as well, if it has one.
 * @param over what is laid over it, such as what a person asks for of one upgrade; later ones win
 */
export function policyInForce(
  scaleSet: Pick<ScaleSet, 'upgradePolicy' | 'extensions'>,
  ...over: Partial<RollingUpgradePolicy>[]
): RollingUpgradePolicy {
  const own = scaleSet.upgradePolicy.automaticOSUpgradePolicy.useRollingUpgradePolicy
    ? scaleSet.upgradePolicy.rollingUpgradePolicy
    : {};
  const given = [own, ...over].flatMap(Object.entries).filter(([, value]) => value !== undefined);
  const policy: RollingUpgradePolicy = { ...DEFAULT_ROLLING_POLICY, ...Object.fromEntries(given) };
  // Its update domains are the cluster's, zone by zone: over zones, a batch would take down several of them (rule C5).
  return isServiceFabric(scaleSet) ? { ...policy, enableCrossZoneUpgrade: false } : policy;
}

/** Who is given the steps that change instances: any worker, or those alone that serve the instances' region. */
export const ACTIVITY_QUEUES = ['shared', 'region'] as const;
export type ActivityQueues = (typeof ACTIVITY_QUEUES)[number];

/** Waits and limits of a rollout: every one can be set per rollout. */
export interface RolloutSettings {
  /** How long an upgraded instance may take to become healthy (rule B5). */
  healthTimeout: Duration;
  /** Readings of its health signal, one after the other, that must be healthy before an instance is (rule B5). */
  healthyReadings: number;
  /** Between two looks at the health of a batch. */
  healthPollInterval: Duration;
  /** Shortest and longest delay between the moment an upgrade is due and its trigger (rule D6). */
  triggerDelay: { min: Duration; max: Duration };
  /** Longest delay of a set's first ever automatic upgrade, from when automatic upgrades were enabled on it (rule D6). */
  firstTriggerDelay: Duration;
  /** How long a phase's VMs run on the new version before they are judged (rule D3). */
  bakeTime: Duration;
  /** Share of a phase's eligible VMs that may fail before the rollout halts (rule D2). */
  failureTolerancePercent: number;
  /** Scale sets of one region that may be in the middle of an upgrade at the same time. */
  maxConcurrentScaleSets: number;
  /** Instances that one activity acts on. */
  chunkSize: number;
  /** Longest time between two looks at what a waiting workflow waits for, in case a wake-up was lost. */
  fallbackPoll: Duration;
  /** A workflow with a longer history continues as new, also when the server does not yet suggest it. */
  maxHistoryEvents: number;
  /** Absent in what was begun before regions could have queues of their own: `shared`. */
  activityQueues?: ActivityQueues;
}

export const DEFAULT_SETTINGS: RolloutSettings = {
  healthTimeout: 5 * MINUTE,
  healthyReadings: 2,
  healthPollInterval: MINUTE / 2,
  triggerDelay: { min: 30 * MINUTE, max: 60 * MINUTE },
  firstTriggerDelay: 3 * HOUR,
  bakeTime: HOUR,
  failureTolerancePercent: 0,
  maxConcurrentScaleSets: 50,
  chunkSize: 20,
  fallbackPoll: 15 * MINUTE,
  maxHistoryEvents: 4_000,
  activityQueues: 'shared',
};
