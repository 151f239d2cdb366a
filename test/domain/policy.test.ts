import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/clock.ts';
import {
  DEFAULT_ROLLING_POLICY,
  DEFAULT_SETTINGS,
  policyInForce,
  policyViolations,
} from '../../src/domain/policy.ts';
import type { RollingUpgradePolicy, ScaleSet } from '../../src/domain/scale-set.ts';

describe('policyViolations (rule B13)', () => {
  it('finds nothing in the defaults, nor in nothing', () => {
    expect(policyViolations(DEFAULT_ROLLING_POLICY)).toEqual([]);
    expect(policyViolations({})).toEqual([]);
  });

  it.each([
    ['maxBatchInstancePercent', 5, 100],
    ['maxUnhealthyInstancePercent', 5, 100],
    ['maxUnhealthyUpgradedInstancePercent', 0, 100],
  ] as const)('takes %s from %i to %i', (name, least, most) => {
    expect(policyViolations({ [name]: least })).toEqual([]);
    expect(policyViolations({ [name]: most })).toEqual([]);
    for (const value of [least - 1, most + 1, 20.5, Number.NaN]) {
      const [violation] = policyViolations({ [name]: value });
      expect(violation?.target).toBe(`rollingUpgradePolicy.${name}`);
      expect(violation?.message).toContain(`from ${least} to ${most}`);
    }
  });

  it.each([[-1], [Number.NaN], [Infinity]])('takes no pause of %d ms', (pauseTimeBetweenBatches) => {
    expect(policyViolations({ pauseTimeBetweenBatches })[0]?.target).toBe(
      'rollingUpgradePolicy.pauseTimeBetweenBatches',
    );
  });

  it('finds everything that is wrong', () => {
    const policy = {
      maxBatchInstancePercent: 0,
      maxUnhealthyInstancePercent: 101,
      pauseTimeBetweenBatches: -5,
    };
    expect(policyViolations(policy)).toHaveLength(3);
  });
});

describe('policyInForce (rule B13)', () => {
  const own: Partial<RollingUpgradePolicy> = { maxBatchInstancePercent: 40, pauseTimeBetweenBatches: MINUTE };
  const scaleSet = (useRollingUpgradePolicy: boolean): Pick<ScaleSet, 'upgradePolicy' | 'extensions'> => ({
    extensions: [],
    upgradePolicy: {
      mode: 'Automatic',
      rollingUpgradePolicy: own,
      automaticOSUpgradePolicy: {
        enableAutomaticOSUpgrade: true,
        disableAutomaticRollback: false,
        useRollingUpgradePolicy,
      },
    },
  });

  it("is the set's own, filled up with the defaults, where the set says so", () => {
    expect(policyInForce(scaleSet(true))).toEqual({ ...DEFAULT_ROLLING_POLICY, ...own });
  });

  it('is the defaults otherwise', () => {
    expect(policyInForce(scaleSet(false))).toEqual(DEFAULT_ROLLING_POLICY);
  });
});

describe('defaults', () => {
  it('are those of the article (rules B1, B2, B5, B7, B9, D6)', () => {
    expect(DEFAULT_ROLLING_POLICY).toEqual({
      maxBatchInstancePercent: 20,
      maxUnhealthyInstancePercent: 20,
      maxUnhealthyUpgradedInstancePercent: 20,
      pauseTimeBetweenBatches: 0,
      enableCrossZoneUpgrade: false,
      prioritizeUnhealthyInstances: false,
      rollbackFailedInstancesOnPolicyBreach: false,
    });
    expect(DEFAULT_SETTINGS).toMatchObject({
      healthTimeout: 5 * MINUTE,
      triggerDelay: { min: 30 * MINUTE, max: 60 * MINUTE },
      firstTriggerDelay: 3 * HOUR,
    });
  });

  it('are ours where the article is silent (rules D2, D3)', () => {
    expect(DEFAULT_SETTINGS).toMatchObject({ bakeTime: HOUR, failureTolerancePercent: 0 });
  });
});
