import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { exceedsPercent, isHealthy, judgeHealth, percentOf } from '../../src/domain/health.ts';
import type { Instance } from '../../src/domain/scale-set.ts';

const healthy: Instance = {
  instanceId: '0',
  scaleSetId: 'web',
  zone: null,
  updateDomain: 0,
  faultDomain: 0,
  osDisk: {
    id: 'disk',
    source: { image: { kind: 'gallery', id: 'image' }, version: '1.0.0' },
    createdAt: 0,
  },
  previousOsDisk: null,
  dataDisks: [],
  extensions: [{ name: 'health', state: 'succeeded' }],
  powerState: 'running',
  provisioningState: 'Succeeded',
  applicationHealth: 'healthy',
  latestModelApplied: true,
  protectFromScaleSetActions: false,
  configuredAt: 0,
  firstHealthyAt: 0,
};

describe('isHealthy (rule B5)', () => {
  const cases: [string, Partial<Instance>, boolean][] = [
    ['everything is well', {}, true],
    ['there is no health source', { applicationHealth: 'none' }, true],
    ['there are no extensions', { extensions: [] }, true],
    ['it does not have the latest model', { latestModelApplied: false }, true],
    ['the application is unhealthy', { applicationHealth: 'unhealthy' }, false],
    ['the application is unknown', { applicationHealth: 'unknown' }, false],
    ['the application is initializing', { applicationHealth: 'initializing' }, false],
    ['it is stopped', { powerState: 'stopped' }, false],
    ['it is deallocated', { powerState: 'deallocated' }, false],
    ['it is starting', { powerState: 'starting' }, false],
    ['it is being updated', { provisioningState: 'Updating' }, false],
    ['it failed to provision', { provisioningState: 'Failed' }, false],
    ['it has no OS disk', { osDisk: null }, false],
    ['an extension is still running', { extensions: [{ name: 'a', state: 'creating' }] }, false],
    [
      'one of its extensions failed',
      {
        extensions: [
          { name: 'a', state: 'succeeded' },
          { name: 'b', state: 'failed' },
        ],
      },
      false,
    ],
  ];

  it.each(cases)('when %s', (_, change, expected) => {
    expect(isHealthy({ ...healthy, ...change })).toBe(expected);
  });
});

describe('exceedsPercent (rule B13)', () => {
  it.each([
    [20, 100, 20, false],
    [21, 100, 20, true],
    [1, 5, 20, false],
    [2, 9, 20, true],
    [1, 6, 20, false],
    [0, 0, 20, false],
    [0, 10, 0, false],
    [1, 1_000, 0, true],
    [10, 10, 100, false],
  ])('%i of %i is more than %i %%: %s', (part, whole, percent, expected) => {
    expect(exceedsPercent(part, whole, percent)).toBe(expected);
  });

  it('passes exactly the limit, and nothing above it, without rounding', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 1, max: 1_000 }),
        (percent, hundreds) => {
          const whole = hundreds * 100;
          const limit = hundreds * percent;
          expect(exceedsPercent(limit, whole, percent)).toBe(false);
          expect(exceedsPercent(limit + 1, whole, percent)).toBe(true);
        },
      ),
    );
  });
});

describe('percentOf', () => {
  it.each([
    [1, 3, 33.4],
    [200, 999, 20.1],
    [2, 3, 66.7],
    [1, 4, 25],
    [0, 0, 0],
  ])('%i of %i is %d', (part, whole, expected) => {
    expect(percentOf(part, whole)).toBe(expected);
  });
});

describe('judgeHealth (rule B5)', () => {
  const configuredAt = 1_000;
  const until = configuredAt + 5 * MINUTE;
  const judge = (firstHealthyAt: number | null, now: number) =>
    judgeHealth(configuredAt, firstHealthyAt, 5 * MINUTE, now);

  it('waits until the time-out, counted from the end of the last extension', () => {
    expect(judge(null, configuredAt)).toEqual({ kind: 'waiting', from: configuredAt, until });
    expect(judge(null, until - 1).kind).toBe('waiting');
    expect(judge(null, until)).toEqual({ kind: 'timedOut', from: configuredAt, at: until });
  });

  it('goes by when the instance became healthy, however late the look', () => {
    expect(judge(until, until + 60 * MINUTE)).toEqual({ kind: 'healthy', from: configuredAt, at: until });
    expect(judge(until + 1, until + 60 * MINUTE)).toEqual({
      kind: 'timedOut',
      from: configuredAt,
      at: until,
    });
  });

  it('takes one that was healthy all along as healthy from the end of the last extension', () => {
    expect(judge(configuredAt - 500, configuredAt)).toEqual({
      kind: 'healthy',
      from: configuredAt,
      at: configuredAt,
    });
  });
});
