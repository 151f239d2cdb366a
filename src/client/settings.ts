import { SECOND } from '../domain/clock.ts';
import {
  ACTIVITY_QUEUES,
  DEFAULT_SETTINGS,
  type ActivityQueues,
  type RolloutSettings,
} from '../domain/policy.ts';
import { UsageError } from './errors.ts';

/** Settings of a rollout that differ from the defaults; durations in milliseconds of virtual time. */
export type SettingsOverrides = Partial<RolloutSettings>;

/** Bounds that keep a rollout possible: not advice. */
const LIMITS: { [Name in keyof RolloutSettings]?: { min: number; max: number; unit: string } } = {
  failureTolerancePercent: { min: 0, max: 100, unit: ' percent' },
  chunkSize: { min: 1, max: 1_000, unit: ' instances' },
  maxConcurrentScaleSets: { min: 1, max: 5_000, unit: ' scale sets' },
  maxHistoryEvents: { min: 50, max: 40_000, unit: ' events' },
  healthyReadings: { min: 1, max: 24, unit: ' readings' },
  // Below a second a look at the health costs more than it tells.
  healthPollInterval: { min: SECOND, max: Number.MAX_SAFE_INTEGER, unit: ' ms' },
  fallbackPoll: { min: SECOND, max: Number.MAX_SAFE_INTEGER, unit: ' ms' },
};

/**
 * The settings of a rollout: the defaults with what is overridden. How workers are divided is a matter of where they run: the
 * default of `activityQueues` comes from the environment.
 * @throws UsageError that names every value out of its bounds
 */
export function rolloutSettings(overrides: SettingsOverrides = {}, env = process.env): RolloutSettings {
  const settings = { ...DEFAULT_SETTINGS, activityQueues: queuesOf(env), ...overrides };
  const problems = Object.entries(LIMITS).flatMap(([name, { min, max, unit }]) => {
    const value = settings[name as keyof typeof LIMITS] as number;
    if (value >= min && value <= max) return [];
    const bounds = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `${min} to ${max}`;
    return [`${name} is ${value}; give ${bounds}${unit}.`];
  });
  const { min, max } = settings.triggerDelay;
  if (min > max) problems.push(`triggerDelay is from ${min} to ${max} ms; give the shorter one first.`);
  if (problems.length > 0) throw new UsageError(`The settings can't be used: ${problems.join(' ')}`);
  return settings;
}

function queuesOf({ ACTIVITY_QUEUES: given }: NodeJS.ProcessEnv): ActivityQueues {
  const known = ACTIVITY_QUEUES.find((one) => one === (given || DEFAULT_SETTINGS.activityQueues));
  if (known) return known;
  throw new UsageError(
    `ACTIVITY_QUEUES is "${given}": give ${ACTIVITY_QUEUES.join(' or ')}, or leave it out.`,
  );
}
