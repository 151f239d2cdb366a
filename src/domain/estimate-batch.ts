import type { Duration } from './clock.ts';
import type { RolloutSettings } from './policy.ts';

/** A length of time that is drawn anew for every instance, each value as likely as any other. */
export interface DurationRange {
  min: Duration;
  max: Duration;
}

/** How long things usually take on a fleet, per instance. A fleet's `timings()` has this shape. */
export interface Timings {
  osDiskSwap: DurationRange;
  modelApply: DurationRange;
  extensionRun: DurationRange;
  becomeHealthy: DurationRange;
  osDiskRestore: DurationRange;
}

export interface BatchDurationInput {
  /** Instances in the batch. */
  size: number;
  /** Extensions that each of them runs, one after the other. */
  extensionsCount: number;
  timings: Timings;
  /** Between two readings of the health signal; 0 where there is none. */
  readingInterval: Duration;
  settings: Pick<RolloutSettings, 'healthPollInterval' | 'healthTimeout' | 'healthyReadings'>;
  /** What each of the orchestrator's steps adds, in virtual time. */
  stepOverhead: Duration;
}

/**
 * How long a batch is expected to take if every instance succeeds (rules B4, B5): until its slowest instance is
 * configured, then until a look finds that the last one's readings are complete. The first look is at that moment, the
 * others follow at the poll interval; once every signal says healthy, the last look is when the readings are complete.
 * @returns virtual milliseconds
 */
export function expectedBatchDuration(input: BatchDurationInput): Duration {
  const { size, timings, settings, extensionsCount, readingInterval } = input;
  const extensions = Array.from({ length: extensionsCount }, () => timings.extensionRun);
  const parts = [timings.osDiskSwap, timings.modelApply, ...extensions];
  const configured = expectedSlowest(parts, size);
  const seenHealthy = expectedSlowest(
    [...parts, seenByReading(timings.becomeHealthy, readingInterval)],
    size,
  );
  const signal = Math.max(0, seenHealthy - configured);
  const poll = Math.max(1, settings.healthPollInterval);
  const polls = Math.ceil(signal / poll);
  const steady = signal + (settings.healthyReadings - 1) * readingInterval;
  const waited = Math.min(Math.max(polls * poll, steady), settings.healthTimeout);
  const moreLooks = Math.ceil((waited - polls * poll) / poll);
  // Decide and record; swap, apply and each extension; the looks.
  const steps = 2 + 2 + extensionsCount + 1 + polls + Math.max(0, moreLooks);
  return Math.round(configured + waited + steps * input.stepOverhead);
}

/** The next reading sees it: exactly, where it is fixed since readings begin with the wait; else half an interval later. */
function seenByReading({ min, max }: DurationRange, interval: Duration): DurationRange {
  const isFixed = min === max && interval > 0;
  const later = isFixed ? Math.ceil(min / interval) * interval - min : interval / 2;
  return { min: min + later, max: max + later };
}

/**
 * The expected value of the slowest of `count` instances, each of which takes the sum of one draw per range.
 *
 * Of a single range it is exact: `min + (max - min) x n / (n + 1)`. A sum of several is taken as normal, whose expected
 * maximum is the quantile at (n - 0.375) / (n + 0.25) (Blom); it never lies above the sum of the longest times. Within
 * a few per cent of the truth from 1 to 200 instances.
 */
export function expectedSlowest(ranges: readonly DurationRange[], count: number): Duration {
  const spread = ranges.filter((range) => range.max > range.min);
  const shortest = sum(ranges.map((range) => range.min));
  const width = sum(spread.map((range) => range.max - range.min));
  if (count < 1 || spread.length === 0) return shortest;
  if (spread.length === 1) return shortest + (width * count) / (count + 1);
  const deviation = Math.sqrt(sum(spread.map((range) => (range.max - range.min) ** 2 / 12)));
  const slowest = shortest + width / 2 + deviation * normalQuantile((count - 0.375) / (count + 0.25));
  return Math.min(slowest, shortest + width);
}

/** Tukey's lambda approximation of the standard normal quantile: within 0.02 from 0.01 to 0.99, good enough beyond. */
function normalQuantile(probability: number): number {
  return 4.91 * (probability ** 0.14 - (1 - probability) ** 0.14);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
