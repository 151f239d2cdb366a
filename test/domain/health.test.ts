import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import {
  exceedsPercent,
  isHealthy,
  isSteadilyHealthy,
  judgeHealth,
  percentOf,
  steadilyHealthyAt,
} from '../../src/domain/health.ts';
import type { HealthyStretch, Instance } from '../../src/domain/scale-set.ts';
import { HEALTHY as healthy } from '../support/health.ts';

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
    ['an extension was not run', { extensions: [{ name: 'a', state: 'notRun' }] }, false],
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

describe('steadilyHealthyAt (rule B5)', () => {
  const cases: [string, HealthyStretch[], number, number | null][] = [
    ['it never was', [], 2, null],
    ['one reading is enough', [{ from: 10, to: 11 }], 1, 10],
    ['it is healthy on and on', [{ from: 10, to: null }], 3, 30],
    ['a stretch holds the readings', [{ from: 10, to: 31 }], 3, 30],
    ['the last reading is the one that failed', [{ from: 10, to: 30 }], 3, null],
    [
      'it flaps',
      [
        { from: 10, to: 20 },
        { from: 40, to: 49 },
      ],
      2,
      null,
    ],
    [
      'it flaps, then holds',
      [
        { from: 10, to: 20 },
        { from: 40, to: null },
      ],
      2,
      50,
    ],
    [
      'it held once, and flaps since',
      [
        { from: 10, to: 21 },
        { from: 40, to: 50 },
      ],
      2,
      20,
    ],
  ];

  it.each(cases)('when %s', (_, healthyStretches, readings, expected) => {
    expect(steadilyHealthyAt({ healthyStretches, readingInterval: 10 }, readings)).toBe(expected);
  });

  it('needs no second reading where there is no signal', () => {
    const stretches = { healthyStretches: [{ from: 10, to: null }], readingInterval: 0 };
    expect(steadilyHealthyAt(stretches, 24)).toBe(10);
  });
});

describe('isSteadilyHealthy (rules B1, B7, B8)', () => {
  const steady = (change: Partial<Instance>, at: number) =>
    isSteadilyHealthy({ ...healthy, readingInterval: 10, ...change, seenAt: at }, 3);

  it('counts an instance once its readings are complete', () => {
    const healthyStretches = [{ from: 100, to: null }];
    expect(steady({ healthyStretches }, 119)).toBe(false);
    expect(steady({ healthyStretches }, 120)).toBe(true);
  });

  it('counts an instance that was never upgraded, or has no signal', () => {
    expect(steady({}, 1_000)).toBe(true);
    expect(steady({ readingInterval: 0, applicationHealth: 'none' }, 0)).toBe(true);
  });

  it('goes by the stretch that lasts, not by an earlier one', () => {
    const healthyStretches = [
      { from: 0, to: 90 },
      { from: 100, to: null },
    ];
    expect(steady({ healthyStretches }, 110)).toBe(false);
    expect(steady({ healthyStretches: [{ from: 0, to: 90 }] }, 110)).toBe(false);
    expect(steady({ healthyStretches: [] }, 110)).toBe(false);
  });

  it('counts no instance that is not healthy for another reason', () => {
    expect(steady({ powerState: 'stopped' }, 1_000)).toBe(false);
    expect(steady({ provisioningState: 'Failed' }, 1_000)).toBe(false);
    expect(steady({ applicationHealth: 'unknown' }, 1_000)).toBe(false);
  });
});

describe('judgeHealth (rule B5)', () => {
  const configuredAt = 1_000;
  const until = configuredAt + 5 * MINUTE;
  const judge = (steadyAt: number | null, now: number) =>
    judgeHealth(configuredAt, steadyAt, 5 * MINUTE, now);

  it('waits until the time-out, counted from the end of the last extension', () => {
    expect(judge(null, configuredAt)).toEqual({ kind: 'waiting', from: configuredAt, until, nextAt: until });
    expect(judge(null, until - 1).kind).toBe('waiting');
    expect(judge(null, until)).toEqual({ kind: 'timedOut', from: configuredAt, at: until });
  });

  it('waits for the readings of one that has just become healthy, and no longer', () => {
    const nextAt = configuredAt + 20;
    expect(judge(nextAt, nextAt - 1)).toEqual({ kind: 'waiting', from: configuredAt, until, nextAt });
    expect(judge(nextAt, nextAt)).toEqual({ kind: 'healthy', from: configuredAt, at: nextAt });
  });

  it('goes by when the instance became healthy, however late the look', () => {
    expect(judge(until, until + 60 * MINUTE)).toEqual({ kind: 'healthy', from: configuredAt, at: until });
    expect(judge(until + 1, until)).toEqual({ kind: 'timedOut', from: configuredAt, at: until });
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
