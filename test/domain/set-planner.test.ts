import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ImageVersion } from '../../src/domain/image.ts';
import { DEFAULT_ROLLING_POLICY } from '../../src/domain/policy.ts';
import {
  nextSetStep,
  progressOf,
  type ObservedInstance,
  type SetObservation,
} from '../../src/domain/set-planner.ts';
import { BROKEN, TARGET, afterBatch, instances, observation, took } from './observed-set.ts';

describe('the steps of one scale set', () => {
  it('B1: touches nothing when more than 20 % of all instances are unhealthy', () => {
    const sick = (count: number) =>
      observation({ instances: instances(10, (i) => ({ healthy: i >= count })) });
    expect(nextSetStep(sick(2)).kind).toBe('batch');
    expect(nextSetStep(sick(3))).toMatchObject({
      kind: 'finish',
      status: 'Faulted',
      reason: { code: 'MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade' },
    });
  });

  it('B2: counts protected instances in the size of a batch', () => {
    const seen = observation({
      instances: instances(20, (i) => ({ updateDomain: 0, leftAlone: i < 10 ? 'protected' : null })),
    });
    expect(nextSetStep(seen)).toMatchObject({ kind: 'batch', instanceIds: ['10', '11', '12', '13'] });
  });

  it('B3: does not touch an instance that does not run, and counts it as unhealthy', () => {
    const one = observation({
      instances: instances(10, (i) => ({ leftAlone: i === 0 ? 'stopped' : null, healthy: i !== 0 })),
    });
    expect(nextSetStep(one)).toMatchObject({ kind: 'batch', instanceIds: ['5'] });
    const three = observation({
      instances: instances(10, (i) => ({ leftAlone: i > 2 ? null : 'stopped', healthy: i > 2 })),
    });
    expect(nextSetStep(three)).toMatchObject({ kind: 'finish', status: 'Faulted' });
  });

  it('B3: resumes the batch that is open before anything else, even when it is to stop', () => {
    const stop = { code: 'Cancelled', message: 'x' };
    expect(nextSetStep(observation({ openBatch: { number: 3, zone: null }, stop, paused: true }))).toEqual({
      kind: 'resumeBatch',
      number: 3,
    });
  });

  it('B7: stops when more than 20 % of those upgraded so far are unhealthy; a restored one counts, though healthy again', () => {
    const taken = (bad: number) =>
      instances(5).map((i, n) => took(i.instanceId, n < bad ? 'restored' : 'upgraded'));
    expect(nextSetStep(observation({ taken: taken(1), lastBatch: afterBatch })).kind).toBe('batch');
    expect(nextSetStep(observation({ taken: taken(2), lastBatch: afterBatch }))).toMatchObject({
      status: 'Faulted',
      reason: { code: 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade' },
    });
  });

  it('B7: an upgraded instance that became unhealthy later counts, a deleted one leaves the sum', () => {
    const seen = observation({
      instances: instances(10, (i) => ({ healthy: i !== 0, ...(i < 4 && { destination: null }) })),
      taken: ['0', '1', '2', '3'].map((id) => took(id, 'upgraded')),
      lastBatch: afterBatch,
    });
    expect(nextSetStep(seen)).toMatchObject({ status: 'Faulted' });
    const without = { ...seen, instances: seen.instances.filter((instance) => instance.instanceId !== '0') };
    expect(nextSetStep(without).kind).toBe('batch');
  });

  it('B8: stops between batches when the whole set has become too unhealthy', () => {
    const sick = instances(10, (i) => ({ healthy: i < 7 }));
    expect(nextSetStep(observation({ instances: sick, lastBatch: afterBatch }))).toMatchObject({
      status: 'Faulted',
      reason: { code: 'MaxUnhealthyInstancePercentExceededInRollingUpgrade' },
    });
  });

  it('B9: lets the pause between batches pass', () => {
    const policy = { ...DEFAULT_ROLLING_POLICY, pauseTimeBetweenBatches: 200_000 };
    const seen = observation({ policy, lastBatch: afterBatch });
    expect(nextSetStep(seen)).toEqual({ kind: 'wait', for: 'pauseTimeBetweenBatches', until: 1_100_000 });
    expect(nextSetStep({ ...seen, now: 1_100_000 }).kind).toBe('batch');
  });

  it('B10: leaves instances on the target alone and completes when all others are done', () => {
    const seen = observation({
      instances: instances(10, (i) => ({ ...(i !== 7 && { destination: null }) })),
    });
    expect(nextSetStep(seen)).toMatchObject({ kind: 'batch', instanceIds: ['7'] });
    expect(
      nextSetStep(observation({ instances: instances(10, () => ({ destination: null })) })),
    ).toMatchObject({
      status: 'Completed',
    });
    expect(nextSetStep(observation({ instances: [] }))).toMatchObject({ status: 'Completed' });
  });

  it('B11: an expired credential ends the attempt whatever the percentages say', () => {
    const taken = [took('0', 'left', { fatal: true, error: 'CredentialExpired: agent' })];
    const policy = { ...DEFAULT_ROLLING_POLICY, maxUnhealthyUpgradedInstancePercent: 100 };
    expect(nextSetStep(observation({ taken, policy, lastBatch: afterBatch }))).toMatchObject({
      status: 'Faulted',
      reason: { code: 'ExtensionResourceUnavailable' },
    });
  });

  it('D4: asks for a zone, keeps the one it holds until its instances are done, then asks for the rest', () => {
    const zonal = instances(9, (i) => ({ zone: String((i % 3) + 1), updateDomain: 0 }));
    expect(nextSetStep(observation({ instances: zonal }))).toEqual({
      kind: 'claimZone',
      accepts: ['1', '2', '3'],
    });
    expect(nextSetStep(observation({ instances: zonal, zoneHeld: '2' }))).toMatchObject({
      kind: 'batch',
      zone: '2',
    });
    const zoneTwoDone = zonal.map((instance) => ({
      ...instance,
      ...(instance.zone === '2' && { destination: null }),
    }));
    expect(nextSetStep(observation({ instances: zoneTwoDone, zoneHeld: '2' }))).toEqual({
      kind: 'claimZone',
      accepts: ['1', '3'],
    });
  });

  it('B3: finishes the zone that it has begun, also when it gave that up for a pause and others are left', () => {
    const zonal = instances(9, (i) => ({ zone: String((i % 3) + 1), updateDomain: 0 }));
    const lastBatch = { ...afterBatch, zone: '2' };
    expect(nextSetStep(observation({ instances: zonal, lastBatch }))).toEqual({
      kind: 'claimZone',
      accepts: ['2'],
    });
    const manual = observation({ instances: zonal, lastBatch, zonesTakeTurns: false });
    expect(nextSetStep(manual)).toMatchObject({ kind: 'batch', zone: '2' });
    const zoneTwoDone = zonal.map((instance) => ({
      ...instance,
      ...(instance.zone === '2' && { destination: null }),
    }));
    expect(nextSetStep(observation({ instances: zoneTwoDone, lastBatch }))).toEqual({
      kind: 'claimZone',
      accepts: ['1', '3'],
    });
  });

  it('D4: a set whose batches span zones asks to be alone', () => {
    const zonal = instances(9, (i) => ({ zone: String((i % 3) + 1), updateDomain: 0 }));
    const policy = { ...DEFAULT_ROLLING_POLICY, enableCrossZoneUpgrade: true };
    expect(nextSetStep(observation({ instances: zonal, policy }))).toEqual({
      kind: 'claimZone',
      accepts: ['*'],
    });
    expect(nextSetStep(observation({ instances: zonal, policy, zoneHeld: '*' }))).toMatchObject({
      kind: 'batch',
      zone: '*',
    });
  });

  it('B7: restores what was left, where the policy asks for it, and only then ends', () => {
    const failed = ['0', '1', '2'].map((id) => took(id, id === '0' ? 'upgraded' : 'left'));
    const kept = instances(10, (i) => ({
      ...{ updateDomain: 0, hasPreviousDisk: i === 1 || i === 2, healthy: i === 0 || i > 2 },
    }));
    const broken = observation({ instances: kept, taken: failed, lastBatch: afterBatch });
    expect(nextSetStep(broken)).toMatchObject({ kind: 'finish', status: 'Faulted' });
    const undecided = { ...broken, rollsBackOnBreach: true };
    const breach = nextSetStep(undecided);
    expect(breach).toMatchObject({ kind: 'breach', reason: { code: BROKEN.code } });
    const asked = { ...undecided, breach: BROKEN };
    expect(nextSetStep(asked)).toEqual({ kind: 'rollBack', instanceIds: ['1', '2'] });
    const back = failed.map((taken) => ({ ...taken, outcome: 'restored' as const }));
    expect(nextSetStep({ ...asked, taken: back })).toMatchObject({ kind: 'finish', status: 'Faulted' });
    // Also if what was left has recovered meanwhile.
    const recovered = {
      ...asked,
      instances: instances(10),
      taken: [took('0', 'upgraded'), took('1', 'restored')],
    };
    expect(nextSetStep(recovered)).toEqual({ kind: 'finish', status: 'Faulted', reason: BROKEN });
  });

  it('B7: restores no more at a time than a batch may have, one place after the other (B2, B3, D4)', () => {
    const taken = Array.from({ length: 6 }, (_, i) => took(String(i), 'left'));
    const rollsBack = (
      place: (i: number) => Partial<ObservedInstance>,
      change: Partial<SetObservation> = {},
    ) =>
      nextSetStep(
        observation({
          instances: instances(20, (i) => ({ updateDomain: 0, hasPreviousDisk: true, ...place(i) })),
          ...{ taken, lastBatch: afterBatch, rollsBackOnBreach: true, breach: BROKEN, ...change },
        }),
      );
    expect(rollsBack(() => ({}))).toEqual({ kind: 'rollBack', instanceIds: ['0', '1', '2', '3'] });
    const domains = (i: number) => ({ updateDomain: i % 2 });
    expect(rollsBack(domains)).toEqual({ kind: 'rollBack', instanceIds: ['0', '2', '4'] });
    const zones = (i: number) => ({ zone: i < 2 ? '1' : '2' });
    expect(rollsBack(zones)).toEqual({ kind: 'claimZone', accepts: ['1', '2'] });
    expect(rollsBack(zones, { zoneHeld: '1' })).toEqual({ kind: 'rollBack', instanceIds: ['0', '1'] });
  });

  it('B11: a fault of the model rolls nothing back', () => {
    const failed = [took('0', 'left', { fatal: true, error: 'CredentialExpired: x' })];
    const kept = instances(10, () => ({ hasPreviousDisk: true }));
    const seen = observation({
      instances: kept,
      taken: failed,
      lastBatch: afterBatch,
      rollsBackOnBreach: true,
    });
    expect(nextSetStep(seen)).toMatchObject({ reason: { code: 'ExtensionResourceUnavailable' } });
  });

  it('B14: an update at once takes all in one batch, whatever their zone and health, and stops by no threshold', () => {
    const spread = instances(10, (i) => ({ zone: String((i % 3) + 1), healthy: false }));
    const seen = observation({ kind: 'modelUpdate', instances: spread, zonesTakeTurns: false });
    expect(nextSetStep(seen)).toMatchObject({ kind: 'batch', zone: null, instanceIds: { length: 10 } });
    const allLeft = spread.map(({ instanceId }) => took(instanceId, 'left'));
    const after = { ...seen, taken: allLeft, lastBatch: afterBatch };
    expect(nextSetStep(after)).toMatchObject({ status: 'Faulted', reason: { code: 'InstancesNotHealthy' } });
    const fine = { ...after, taken: spread.map(({ instanceId }) => took(instanceId, 'upgraded')) };
    expect(nextSetStep(fine)).toMatchObject({ status: 'Completed' });
  });

  it('B14: a rolling upgrade to the model goes by batches and thresholds like one of the image', () => {
    const sick = instances(10, (i) => ({ healthy: i > 2 }));
    expect(nextSetStep(observation({ kind: 'modelUpgrade' }))).toMatchObject({ instanceIds: ['0', '5'] });
    expect(nextSetStep(observation({ kind: 'modelUpgrade', instances: sick }))).toMatchObject({
      status: 'Faulted',
    });
  });

  it('takes into a batch only instances that want the same: what its first one wants', () => {
    const old: ImageVersion = { ...TARGET, version: '1.0.0' };
    const mixed = instances(20, (i) => ({
      updateDomain: 0,
      destination: { version: i % 2 === 0 ? TARGET : old, action: 'swap' as const },
    }));
    const step = nextSetStep(observation({ kind: 'revert', instances: mixed }));
    expect(step).toMatchObject({ instanceIds: ['0', '2'], destination: { version: TARGET } });
  });

  it('mends VMs of a set that is unhealthy as a whole, within the bounds of a batch', () => {
    const sick = instances(10, () => ({ healthy: false }));
    const step = nextSetStep(observation({ kind: 'repair', instances: sick }));
    expect(step).toMatchObject({ kind: 'batch', instanceIds: ['0', '5'] });
  });

  it('is completed, not cancelled, when an order to stop finds nothing left to do', () => {
    const done = instances(10, () => ({ destination: null }));
    const stop = { code: 'Cancelled', message: 'x' };
    expect(nextSetStep(observation({ instances: done, stop }))).toMatchObject({ status: 'Completed' });
  });

  it('C1: is not completed by an opt-out in its middle that leaves all the others behind the model (C9)', () => {
    const stop = { code: 'OptedOut', message: 'x' };
    const seen = (change: Partial<ObservedInstance>, stopped: SetObservation['stop'] = stop) =>
      observation({
        ...{ stop: stopped, taken: [took('0', 'upgraded'), took('5', 'upgraded')], lastBatch: afterBatch },
        instances: instances(10, (i) => (i % 5 === 0 ? { destination: null } : change)),
      });
    const cancelled = { status: 'Cancelled', reason: { code: 'OptedOut' } };
    expect(nextSetStep(seen({ leftAlone: 'behindModel' }))).toMatchObject(cancelled);
    expect(nextSetStep(seen({}))).toMatchObject(cancelled);
    expect(nextSetStep(seen({ destination: null }))).toMatchObject({ status: 'Completed', reason: null });
    expect(nextSetStep(seen({ leftAlone: 'behindModel' }, null))).toMatchObject({ status: 'Completed' });
  });

  it('stops where it is told to, and waits while paused', () => {
    expect(nextSetStep(observation({ stop: { code: 'OptedOut', message: 'x' } }))).toMatchObject({
      status: 'Cancelled',
    });
    expect(nextSetStep(observation({ stop: { code: 'NotEligible', message: 'x' } }))).toMatchObject({
      status: 'Faulted',
    });
    expect(nextSetStep(observation({ paused: true }))).toEqual({ kind: 'wait', for: 'resume' });
  });
});

describe('a whole upgrade, step by step, over random sets', () => {
  const sets = fc.record({
    size: fc.integer({ min: 0, max: 60 }),
    zones: fc.constantFrom(0, 3),
    flexible: fc.boolean(),
    failing: fc.double({ min: 0, max: 0.3, noNaN: true }),
    crossZone: fc.boolean(),
  });

  it('ends, upgrades each instance at most once, stays inside zone, update domain and batch size, and its counts add up', () => {
    fc.assert(
      fc.property(sets, ({ size, zones, flexible, failing, crossZone }) => {
        const policy = { ...DEFAULT_ROLLING_POLICY, enableCrossZoneUpgrade: crossZone };
        const all = instances(size, (i) => ({
          zone: zones === 0 ? null : String((i % zones) + 1),
          updateDomain: flexible ? null : Math.floor(i / Math.max(1, zones)) % 5,
        }));
        const seen = observation({ instances: all, policy });
        const limit = Math.max(1, Math.floor(size * 0.2));
        for (let steps = 0; steps <= size + 10; steps++) {
          const step = nextSetStep(seen);
          if (step.kind === 'finish') return;
          if (step.kind === 'claimZone') {
            seen.zoneHeld = step.accepts[0] as string;
            continue;
          }
          if (step.kind !== 'batch') throw new Error(`unexpected ${step.kind}`);
          const members = all.filter((instance) => step.instanceIds.includes(instance.instanceId));
          expect(members.length).toBe(step.instanceIds.length);
          expect(members.length).toBeGreaterThan(0);
          expect(members.length).toBeLessThanOrEqual(limit);
          expect(new Set(members.map((m) => m.updateDomain)).size).toBe(1);
          if (!crossZone) expect(new Set(members.map((m) => m.zone)).size).toBe(1);
          for (const member of members) {
            expect(seen.taken.some((taken) => taken.instanceId === member.instanceId)).toBe(false);
            const failed =
              Number(member.instanceId) % 100 < failing * 100 && Number(member.instanceId) % 3 === 0;
            seen.taken.push(
              took(member.instanceId, failed ? 'restored' : 'upgraded', { batch: step.number }),
            );
            if (!failed) member.destination = null;
          }
          seen.lastBatch = {
            number: step.number,
            zone: step.zone,
            updateDomain: step.updateDomain,
            endedAt: seen.now,
          };
          const progress = progressOf(seen);
          expect(Object.values(progress).reduce((a, b) => a + b, 0)).toBe(size);
        }
        throw new Error('it did not end');
      }),
      { numRuns: 300 },
    );
  });
});
