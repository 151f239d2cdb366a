import type { Instant } from './clock.ts';
import type { Instance } from './scale-set.ts';

/**
 * Healthy now (rule B5): running, provisioned, every extension provisioned, and, where there is a probe or an
 * Application Health extension, that signal is healthy. Unknown and initializing are not healthy.
 */
export function isHealthy(instance: Instance): boolean {
  return (
    instance.powerState === 'running' &&
    instance.provisioningState === 'Succeeded' &&
    instance.osDisk !== null &&
    instance.extensions.every((extension) => extension.state === 'succeeded') &&
    (instance.applicationHealth === 'healthy' || instance.applicationHealth === 'none')
  );
}

/** True when `part` of `whole` is more than `percent`: exactly the limit passes (rule B13). */
export function exceedsPercent(part: number, whole: number, percent: number): boolean {
  return part * 100 > whole * percent;
}

/** `part` of `whole` in percent, rounded up to one decimal: what is above a limit also reads as above it. */
export function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.ceil((part * 1000) / whole) / 10;
}

/** What the steadiness of an instance's health follows from. */
type Stretches = Pick<Instance, 'healthyStretches' | 'readingInterval'>;

/**
 * When the instance first had so many healthy readings one after the other (rule B5): a signal that flaps is not healthy.
 * Of a stretch that still lasts, the moment may be yet to come.
 * @returns null if it has not, and is not on its way to it
 */
export function steadilyHealthyAt(
  { healthyStretches, readingInterval }: Stretches,
  readings: number,
): Instant | null {
  const needed = (readings - 1) * readingInterval;
  const first = healthyStretches.find(({ from, to }) => to === null || from + needed < to);
  return first === undefined ? null : first.from + needed;
}

/** Healthy when it was seen, and for so many readings by then: what counts in every share of unhealthy instances (rules B1, B7, B8). */
export function isSteadilyHealthy(instance: Instance, readings: number): boolean {
  const last = instance.healthyStretches.at(-1);
  if (!isHealthy(instance) || last === undefined || last.to !== null) return false;
  return last.from + (readings - 1) * instance.readingInterval <= instance.seenAt;
}

export type HealthVerdict =
  | { kind: 'healthy'; from: Instant; at: Instant }
  | { kind: 'timedOut'; from: Instant; at: Instant }
  /** `nextAt`: when its readings are complete if they stay healthy, else when the wait times out. */
  | { kind: 'waiting'; from: Instant; until: Instant; nextAt: Instant };

/**
 * What a look at `now` says of an upgraded instance (rule B5). It goes by when the instance became healthy, not by
 * when it was looked at, so that a late look (a worker was down) times nothing out that was healthy in time.
 * @param configuredAt end of the instance's last extension
 * @param steadyAt from `steadilyHealthyAt`
 */
export function judgeHealth(
  configuredAt: Instant,
  steadyAt: Instant | null,
  timeout: number,
  now: Instant,
): HealthVerdict {
  const until = configuredAt + timeout;
  const healthyAt = steadyAt !== null && steadyAt <= until ? Math.max(steadyAt, configuredAt) : null;
  if (healthyAt !== null && healthyAt <= now) return { kind: 'healthy', from: configuredAt, at: healthyAt };
  return now >= until
    ? { kind: 'timedOut', from: configuredAt, at: until }
    : { kind: 'waiting', from: configuredAt, until, nextAt: healthyAt ?? until };
}
