import { SECOND, type Duration } from '../domain/clock.ts';
import { isApplicationHealthExtension } from '../domain/extensions.ts';
import type { Extension, HealthExtension, ScaleSet } from '../domain/scale-set.ts';
import { PROBE_INTERVAL, type Probe } from './load-balancer.ts';

/** Handler version 2 and above tells more states than healthy and unhealthy. */
export function isRich({ typeHandlerVersion }: Pick<Extension, 'typeHandlerVersion'>): boolean {
  return Number.parseInt(typeHandlerVersion, 10) >= 2;
}

/** Where a set's application health comes from; `richExtension` tells more states than healthy and unhealthy. */
export function healthSignal(scaleSet: ScaleSet): 'probe' | 'extension' | 'richExtension' | null {
  if (scaleSet.healthProbeId !== null) return 'probe';
  const extension = scaleSet.extensions.find(isApplicationHealthExtension);
  if (extension === undefined) return null;
  return isRich(extension) ? 'richExtension' : 'extension';
}

/** How a set's health signal reads the application. */
export interface HealthSource {
  /** Between two readings. */
  interval: Duration;
  /** Equal readings, one after the other, that change its state. */
  threshold: number;
  /** What it says of an application that does not answer. */
  silence: 'unhealthy' | 'unknown';
  /** After a start, how long such an application is initializing instead. */
  gracePeriod: Duration;
}

/** What the extension does where its settings do not say. */
export const DEFAULT_HEALTH_EXTENSION: Pick<HealthExtension, 'interval' | 'numberOfProbes' | 'gracePeriod'> =
  {
    interval: 5 * SECOND,
    numberOfProbes: 1,
    gracePeriod: 5 * SECOND,
  };

/**
 * A set's health signal, or null where power and provisioning are all that counts.
 * @param probe the load balancer's probe that the model refers to, if the fleet has it
 */
export function healthSource(scaleSet: ScaleSet, probe: Probe | null): HealthSource | null {
  const signal = healthSignal(scaleSet);
  if (signal === null) return null;
  if (signal === 'probe') {
    const { interval, threshold } = probe ?? { interval: PROBE_INTERVAL, threshold: 1 };
    return { interval, threshold, silence: 'unhealthy', gracePeriod: 0 };
  }
  const { interval, numberOfProbes, gracePeriod } = scaleSet.healthExtension ?? DEFAULT_HEALTH_EXTENSION;
  const base = { interval, threshold: numberOfProbes };
  if (signal === 'extension') return { ...base, silence: 'unhealthy', gracePeriod: 0 };
  const silence = scaleSet.healthExtension?.protocol === 'tcp' ? 'unhealthy' : 'unknown';
  return { ...base, silence, gracePeriod };
}
