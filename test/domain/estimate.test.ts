import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/clock.ts';
import {
  expectedBatchDuration,
  expectedSlowest,
  type DurationRange,
} from '../../src/domain/estimate-batch.ts';
import {
  STEP_OVERHEAD_WALL,
  estimateRollout,
  type EstimateInput,
  type EstimatedScaleSet,
} from '../../src/domain/estimate.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { uniform } from '../../src/domain/random.ts';
import { triggerTime } from '../../src/domain/trigger.ts';
import type { FleetTimings } from '../../src/fleet/port.ts';

const fixed = (duration: number): DurationRange => ({ min: duration, max: duration });

/** A fleet on which everything takes one minute, so that sums can be done in the head. Also: a fleet's timings fit. */
const evenTimings: FleetTimings = {
  osDiskSwap: fixed(MINUTE),
  modelApply: fixed(MINUTE),
  extensionRun: fixed(MINUTE),
  becomeHealthy: fixed(MINUTE),
  osDiskRestore: fixed(MINUTE),
};

describe('expectedSlowest', () => {
  const seconds = (min: number, max: number): DurationRange => ({ min: min * SECOND, max: max * SECOND });

  it('is exact where there is nothing to guess', () => {
    expect(expectedSlowest([fixed(3), fixed(4)], 20)).toBe(7);
    expect(expectedSlowest([{ min: 10, max: 20 }], 1)).toBe(15);
    expect(expectedSlowest([fixed(5), { min: 10, max: 20 }], 4)).toBe(23);
    expect(expectedSlowest([], 4)).toBe(0);
  });

  it.each([
    [1, [seconds(10, 30), seconds(2, 5), seconds(20, 90)]],
    [2, [seconds(10, 30), seconds(2, 5), seconds(20, 90)]],
    [20, [seconds(10, 30), seconds(2, 5), seconds(20, 90)]],
    [200, [seconds(10, 30), seconds(2, 5), seconds(20, 90)]],
    [5, [seconds(5, 10), seconds(5, 10)]],
    [50, [seconds(0, 60), seconds(0, 60), seconds(0, 60), seconds(0, 60)]],
    [100, [seconds(1, 2), seconds(0, 300)]],
  ])('is within 6 %% of the truth for %i instances', (count, ranges) => {
    const draw = (run: number, instance: number) =>
      ranges.reduce((sum, { min, max }, part) => sum + min + uniform(run, instance, part) * (max - min), 0);
    const runs = 400;
    let total = 0;
    for (let run = 0; run < runs; run++)
      total += Math.max(...Array.from({ length: count }, (_, instance) => draw(run, instance)));
    const truth = total / runs;
    expect(expectedSlowest(ranges, count) / truth).toBeGreaterThan(0.94);
    expect(expectedSlowest(ranges, count) / truth).toBeLessThan(1.06);
  });
});

describe('expectedBatchDuration (rules B4, B5)', () => {
  const batch = {
    size: 4,
    extensionsCount: 2,
    timings: evenTimings,
    readingInterval: 0,
    settings: { healthPollInterval: 30 * SECOND, healthTimeout: 5 * MINUTE, healthyReadings: 2 },
    stepOverhead: 0,
  };

  it('is swap, model, extensions one after the other, and the wait for health', () => {
    expect(expectedBatchDuration(batch)).toBe((1 + 1 + 2 + 1) * MINUTE);
    expect(expectedBatchDuration({ ...batch, extensionsCount: 0 })).toBe(3 * MINUTE);
  });

  it.each([
    [0, 0],
    [1, 30],
    [30, 30],
    [31, 60],
    [61, 90],
    [3_600, 300],
  ])('waits until the look after %i s, at %i s, and never longer than the time-out', (healthy, waited) => {
    const timings = { ...evenTimings, becomeHealthy: fixed(healthy * SECOND) };
    expect(expectedBatchDuration({ ...batch, timings }) - 4 * MINUTE).toBe(waited * SECOND);
  });

  it.each([
    [0, 15],
    [1, 30],
    [15, 30],
    [20, 45],
    [31, 60],
    [300, 300],
  ])(
    'of one healthy after %i s takes two readings of a probe that asks every 15 s: %i s',
    (healthy, waited) => {
      const timings = { ...evenTimings, becomeHealthy: fixed(healthy * SECOND) };
      const probed = { ...batch, timings, readingInterval: 15 * SECOND };
      expect(expectedBatchDuration(probed) - 4 * MINUTE).toBe(waited * SECOND);
    },
  );

  it('adds half an interval where nobody knows when it gets healthy, and the look for its readings', () => {
    const timings = { ...evenTimings, becomeHealthy: { min: 0, max: 40 * SECOND } };
    const probed = { ...batch, size: 1, timings, readingInterval: 20 * SECOND, stepOverhead: 7 };
    // Seen healthy after 20 + 10 s, at the first poll; the second reading, a look later, at 50 s.
    expect(expectedBatchDuration(probed)).toBe(4 * MINUTE + 50 * SECOND + 9 * 7);
  });

  it('adds what the steps take: plan, record, swap, apply, two extensions, three looks', () => {
    expect(expectedBatchDuration({ ...batch, stepOverhead: 7 }) - 5 * MINUTE).toBe(9 * 7);
  });
});

const scaleSet = (scaleSetId: string, change: Partial<EstimatedScaleSet> = {}): EstimatedScaleSet => ({
  scaleSetId,
  extensionsCount: 0,
  readingInterval: 0,
  batches: [
    { zone: null, updateDomain: 0, size: 1 },
    { zone: null, updateDomain: 1, size: 1 },
  ],
  pauseTimeBetweenBatches: 0,
  triggerAt: null,
  everTriggered: true,
  automaticUpgradesSince: 0,
  ...change,
});

const startAt = Date.parse('2026-01-05T10:00:00Z');
const estimate = (scaleSets: EstimatedScaleSet[], change: Partial<EstimateInput> = {}) =>
  estimateRollout({
    rolloutId: 'rollout-1',
    startAt,
    phases: [{ name: 'all', regions: ['eastus'] }],
    regions: [{ name: 'eastus', scaleSets }],
    timings: evenTimings,
    settings: DEFAULT_SETTINGS,
    clockSpeed: 1,
    stepOverheadWall: 0,
    ...change,
  });
const zoned = (zone: string) => ({
  triggerAt: startAt,
  batches: [0, 1].map((updateDomain) => ({ zone, updateDomain, size: 1 })),
});

describe('estimateRollout', () => {
  it('is trigger, batches and bake of one set', () => {
    const set = scaleSet('web');
    const trigger = triggerTime({
      settings: DEFAULT_SETTINGS,
      rolloutId: 'rollout-1',
      ...set,
      seenAt: startAt,
    });
    const end = trigger + 2 * 3 * MINUTE;
    expect(estimate([set])).toEqual({
      phases: [
        {
          name: 'all',
          start: startAt,
          end,
          bakeEnd: end + HOUR,
          regions: [{ name: 'eastus', start: trigger, end, batches: 2 }],
        },
      ],
      start: startAt,
      end: end + HOUR,
      duration: end + HOUR - startAt,
    });
  });

  it('goes by a trigger that is known, unless it lies before the phase', () => {
    const region = (triggerAt: number) => estimate([scaleSet('web', { triggerAt })]).phases[0]?.regions[0];
    expect(region(startAt + 5 * MINUTE)?.start).toBe(startAt + 5 * MINUTE);
    expect(region(startAt - HOUR)?.start).toBe(startAt);
  });

  it('runs phases one after the other, each from the end of the bake before it (rules D1, D3)', () => {
    const phases = [
      { name: 'canary', regions: ['East US'] },
      { name: 'broad', regions: ['uksouth', 'nowhere'] },
    ];
    const regions = [
      { name: 'eastus', scaleSets: [scaleSet('web', { triggerAt: startAt })] },
      { name: 'uksouth', scaleSets: [scaleSet('web', { triggerAt: startAt })] },
    ];
    const settings = { ...DEFAULT_SETTINGS, bakeTime: 10 * MINUTE };
    const plan = estimate([], { phases, regions, settings });
    const minutes = plan.phases.map(({ start, end, bakeEnd }) =>
      [start, end, bakeEnd].map((at) => (at - startAt) / MINUTE),
    );
    expect(minutes).toEqual([
      [0, 6, 16],
      [16, 22, 32],
    ]);
    const own = [{ ...phases[0], bakeTime: MINUTE }, phases[1]] as typeof phases;
    const ends = estimate([], { phases: own, regions, settings }).phases.map(
      ({ bakeEnd }) => bakeEnd - startAt,
    );
    expect(ends, 'the first one bakes for as long as it says itself').toEqual([7 * MINUTE, 23 * MINUTE]);
    const idle = plan.phases[1]?.regions[1];
    expect(idle).toEqual({
      name: 'nowhere',
      start: startAt + 16 * MINUTE,
      end: startAt + 16 * MINUTE,
      batches: 0,
    });
    expect(plan.duration).toBe(32 * MINUTE);
  });

  it('is as long as the slowest region of a phase', () => {
    const slow = scaleSet('slow', { triggerAt: startAt, pauseTimeBetweenBatches: 10 * MINUTE });
    const plan = estimate([], {
      phases: [{ name: 'all', regions: ['eastus', 'uksouth'] }],
      regions: [
        { name: 'eastus', scaleSets: [scaleSet('web', { triggerAt: startAt })] },
        { name: 'uksouth', scaleSets: [slow] },
      ],
    });
    // Two batches of three minutes, and one pause: none after the last batch (rule B9).
    expect(plan.phases[0]?.end).toBe(startAt + 16 * MINUTE);
  });

  it('lets sets of one zone run together and zones take turns (rule D4)', () => {
    const length = (...zones: string[]) => {
      const plan = estimate(zones.map((zone, index) => scaleSet(`set-${index}`, zoned(zone))));
      return ((plan.phases[0]?.end ?? 0) - startAt) / MINUTE;
    };
    expect(length('1', '1', '1')).toBe(6);
    expect(length('1', '2', '3')).toBe(18);
    expect(length('1', '2', '1')).toBe(18);
  });

  it('keeps to the limit on sets under way', () => {
    const settings = { ...DEFAULT_SETTINGS, maxConcurrentScaleSets: 2 };
    const sets = ['a', 'b', 'c'].map((id) => scaleSet(id, { triggerAt: startAt }));
    expect(estimate(sets, { settings }).phases[0]?.end).toBe(startAt + 12 * MINUTE);
  });

  it('counts the steps of the orchestrator in virtual time: the faster the clock, the more', () => {
    const duration = (clockSpeed: number, stepOverheadWall?: number) =>
      estimate([scaleSet('web', { triggerAt: startAt })], {
        clockSpeed,
        stepOverheadWall,
      }).duration;
    const perStep = (duration(100, 10) - duration(100, 0)) / (100 * 10);
    // A look, two batches of 2 + 2 + 3 steps, and the verdict.
    expect(perStep).toBe(16);
    expect(duration(100)).toBe(duration(100, STEP_OVERHEAD_WALL));
    expect(duration(200, 10) - duration(200, 0)).toBe(2 * perStep * 100 * 10);
  });

  it('copes with a region of 5,000 sets', () => {
    const sets = Array.from({ length: 5_000 }, (_, index) =>
      scaleSet(`set-${index}`, { ...zoned(String((index % 3) + 1)), triggerAt: null }),
    );
    const plan = estimate(sets);
    expect(plan.phases[0]?.regions[0]?.batches).toBe(10_000);
  });
});
