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

export type HealthVerdict =
  | { kind: 'healthy'; from: Instant; at: Instant }
  | { kind: 'timedOut'; from: Instant; at: Instant }
  | { kind: 'waiting'; from: Instant; until: Instant };

/**
 * What a look at `now` says of an upgraded instance (rule B5). It goes by when the instance became healthy, not by
 * when it was looked at, so that a late look (a worker was down) times nothing out that was healthy in time.
 * @param configuredAt end of the instance's last extension
 * @param firstHealthyAt when it first was healthy after that, or null
 */
export function judgeHealth(
  configuredAt: Instant,
  firstHealthyAt: Instant | null,
  timeout: number,
  now: Instant,
): HealthVerdict {
  const until = configuredAt + timeout;
  if (firstHealthyAt !== null && firstHealthyAt <= until) {
    return { kind: 'healthy', from: configuredAt, at: Math.max(firstHealthyAt, configuredAt) };
  }
  return now >= until
    ? { kind: 'timedOut', from: configuredAt, at: until }
    : { kind: 'waiting', from: configuredAt, until };
}
