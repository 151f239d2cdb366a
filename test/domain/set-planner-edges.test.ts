import { describe, expect, it } from 'vitest';
import { ALONE } from '../../src/domain/claims.ts';
import { DEFAULT_ROLLING_POLICY } from '../../src/domain/policy.ts';
import type { RollingUpgradePolicy } from '../../src/domain/scale-set.ts';
import { countsOf, nextSetStep, type SetObservation } from '../../src/domain/set-planner.ts';
import { afterBatch, instances, observation, took } from './observed-set.ts';

/** What each threshold counts, and against what, where two ways of counting would differ. */

const policy = (change: Partial<RollingUpgradePolicy>) => ({ ...DEFAULT_ROLLING_POLICY, ...change });
const isDone = { destination: null };

/** `batch`, or the code with which the attempt ends, or how. */
function next(seen: Partial<SetObservation>): string {
  const step = nextSetStep(observation(seen));
  return step.kind === 'finish' ? (step.reason?.code ?? step.status) : step.kind;
}

const TOO_MANY_BEFORE = 'MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade';
const TOO_MANY_IN = 'MaxUnhealthyInstancePercentExceededInRollingUpgrade';
const TOO_MANY_UPGRADED = 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade';

describe('before the first batch (B1)', () => {
  it('protected instances count, as unhealthy ones and in the whole', () => {
    const sick = (count: number) =>
      instances(10, (i) => ({ leftAlone: i < count ? 'protected' : null, healthy: i >= count }));
    expect(next({ instances: sick(2) })).toBe('batch');
    expect(next({ instances: sick(3) })).toBe(TOO_MANY_BEFORE);
  });

  it('the whole is all instances, those on the target as well', () => {
    const mostlyDone = (sick: number) =>
      instances(10, (i) => ({ healthy: i >= sick, ...(i >= 4 && isDone) }));
    expect(next({ instances: mostlyDone(2) })).toBe('batch');
    expect(next({ instances: mostlyDone(3) })).toBe(TOO_MANY_BEFORE);
  });

  it('the limit is the one for the whole set, not the one for upgraded instances', () => {
    const sick = instances(10, (i) => ({ healthy: i > 2 }));
    const limits = { maxUnhealthyInstancePercent: 30, maxUnhealthyUpgradedInstancePercent: 0 };
    expect(next({ instances: sick, policy: policy(limits) })).toBe('batch');
    const others = { maxUnhealthyInstancePercent: 20, maxUnhealthyUpgradedInstancePercent: 100 };
    expect(next({ instances: sick, policy: policy(others) })).toBe(TOO_MANY_BEFORE);
  });
});

describe('after a batch (B7)', () => {
  /** So many of ten upgraded instances failed; all ten exist and are healthy, and ten more are left to do. */
  const failed = (count: number, batchOf: (id: number) => number = () => 1) => ({
    instances: instances(20, (i) => (i < 10 ? isDone : {})),
    taken: instances(10).map(({ instanceId }, i) =>
      took(instanceId, i < count ? 'restored' : 'upgraded', { batch: batchOf(i) }),
    ),
    lastBatch: afterBatch,
  });

  it('the limit is the one for upgraded instances, not the one for the whole set', () => {
    const limits = { maxUnhealthyInstancePercent: 5, maxUnhealthyUpgradedInstancePercent: 50 };
    expect(next({ ...failed(5), policy: policy(limits) })).toBe('batch');
    expect(next({ ...failed(6), policy: policy(limits) })).toBe(TOO_MANY_UPGRADED);
  });

  it('the share is of all that were upgraded so far, not of the last batch', () => {
    expect(next(failed(2, (i) => (i < 2 ? 5 : 1)))).toBe('batch');
    expect(next(failed(3, (i) => (i < 3 ? 1 : 5)))).toBe(TOO_MANY_UPGRADED);
  });

  it('the last batch is judged as well: nothing is left to do, and the attempt is not Completed', () => {
    const { taken } = failed(3);
    const all = instances(10, () => isDone);
    expect(next({ instances: all, taken, lastBatch: afterBatch })).toBe(TOO_MANY_UPGRADED);
  });

  it('an order to stop does not hide that the policy is broken', () => {
    const stop = { code: 'Cancelled', message: 'x' };
    expect(next({ ...failed(3), stop })).toBe(TOO_MANY_UPGRADED);
    expect(next({ ...failed(2), stop })).toBe('Cancelled');
  });
});

describe('before a further batch (B8)', () => {
  it('upgraded instances that became unhealthy count', () => {
    const sick = instances(20, (i) => ({ healthy: i >= 5, ...(i < 10 && isDone) }));
    const taken = instances(10).map(({ instanceId }) => took(instanceId, 'upgraded'));
    const limits = policy({ maxUnhealthyUpgradedInstancePercent: 100 });
    expect(next({ instances: sick, taken, lastBatch: afterBatch, policy: limits })).toBe(TOO_MANY_IN);
  });

  it('the whole is what the set is now: deleted instances have left it', () => {
    const now = instances(10, (i) => ({ healthy: i !== 5 && i !== 6 })).slice(5);
    const taken = instances(5).map(({ instanceId }) => took(instanceId, 'upgraded'));
    expect(next({ instances: now, taken, lastBatch: afterBatch })).toBe(TOO_MANY_IN);
  });

  it('the set is looked at also where the batch before ended this very moment', () => {
    const sick = instances(10, (i) => ({ healthy: i > 2 }));
    const ended = { ...afterBatch, endedAt: observation().now };
    expect(next({ instances: sick, lastBatch: ended })).toBe(TOO_MANY_IN);
  });
});

describe('between two batches', () => {
  it('no pause comes before the first (B9)', () => {
    expect(next({ policy: policy({ pauseTimeBetweenBatches: 60_000 }) })).toBe('batch');
  });

  it('the update domain of the last one is finished, also where a lower one has work (B3)', () => {
    const lastBatch = { ...afterBatch, updateDomain: 3 };
    const step = nextSetStep(observation({ instances: instances(20), lastBatch }));
    expect(step).toMatchObject({ kind: 'batch', updateDomain: 3 });
    // Not so where that was in another zone.
    const zonal = instances(20, () => ({ zone: '2' }));
    const elsewhere = { ...lastBatch, zone: '1' };
    expect(nextSetStep(observation({ instances: zonal, lastBatch: elsewhere, zoneHeld: '2' }))).toMatchObject(
      {
        updateDomain: 0,
      },
    );
  });
});

describe('a set that may span zones (B3, D4)', () => {
  it('waits to be alone also where some of its VMs are in no zone', () => {
    const mixed = instances(10, (i) => ({ zone: i < 5 ? null : '1' }));
    const spanning = policy({ enableCrossZoneUpgrade: true });
    expect(nextSetStep(observation({ instances: mixed, policy: spanning }))).toEqual({
      kind: 'claimZone',
      accepts: ['*'],
    });
  });
});

describe('the counts that the journal gets with a batch (E4)', () => {
  it('tell how many are still to be taken, by zone and update domain', () => {
    const zonal = instances(6, (i) => ({
      zone: i < 4 ? '1' : null,
      updateDomain: i % 2,
      ...(i === 0 && isDone),
    }));
    const { pending } = countsOf(observation({ instances: zonal, taken: [took('1', 'upgraded')] }));
    expect(pending).toEqual({ '1/0': 1, '1/1': 1, '-/0': 1, '-/1': 1 });
    expect(countsOf(observation({ instances: instances(10) })).pending).toMatchObject({ '-/0': 2, '-/4': 2 });
  });
});

describe('a batch that is half done (D4)', () => {
  const openBatch = { number: 2, zone: '1' };
  const inZone = (seen: Partial<SetObservation>) =>
    nextSetStep(observation({ openBatch, zonesTakeTurns: true, zoneHeld: null, ...seen }));
  const resumed = { kind: 'resumeBatch', number: 2 };

  it('that has left its zone, since it was given up, asks for that zone again before it goes on', () => {
    expect(inZone({})).toEqual({ kind: 'claimZone', accepts: ['1'] });
    expect(inZone({ zoneHeld: '1' })).toEqual(resumed);
  });

  it('waits for no zone where zones take no turns, or it is in none', () => {
    expect(inZone({ zonesTakeTurns: false })).toEqual(resumed);
    expect(inZone({ openBatch: { number: 2, zone: null } })).toEqual(resumed);
  });

  it('that may span zones asks for the region to itself', () => {
    const spanning = {
      policy: policy({ enableCrossZoneUpgrade: true }),
      openBatch: { number: 2, zone: null },
    };
    const zoned = { ...spanning, instances: instances(2, () => ({ zone: '1' })) };
    expect(inZone(zoned)).toEqual({ kind: 'claimZone', accepts: [ALONE] });
    expect(inZone({ ...zoned, zoneHeld: ALONE })).toEqual(resumed);
  });
});
