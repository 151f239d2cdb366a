import type { Duration, Instant } from '../../domain/clock.ts';
import type { ApplicationHealth, Instance, PowerState, ScaleSet } from '../../domain/scale-set.ts';
import { healthSignal } from '../health-signal.ts';
import type { InstanceState } from './state.ts';

/** A time in which something outside takes the instance down, and how long its application then needs to recover. */
export interface Outage {
  from: Instant;
  to: Instant;
  recovery: Duration;
}

export interface InstancePlace {
  instanceId: string;
  zone: string | null;
  updateDomain: number | null;
  faultDomain: number | null;
}

/**
 * An instance as it is at `at`.
 * @param state settled up to `at`
 * @param outages in order of `from`
 */
export function instanceAt(
  place: InstancePlace,
  state: InstanceState,
  scaleSet: ScaleSet,
  outages: readonly Outage[],
  at: Instant,
): Instance {
  const down = outages.some((outage) => outage.from <= at && at < outage.to);
  const powerState = down && state.power !== 'deallocated' ? 'stopped' : state.power;
  return {
    instanceId: place.instanceId,
    scaleSetId: scaleSet.id,
    zone: place.zone,
    updateDomain: place.updateDomain,
    faultDomain: place.faultDomain,
    osDisk: state.osDisk,
    previousOsDisk: state.previous?.disk ?? null,
    dataDisks: state.dataDisks,
    extensions: state.extensions,
    powerState,
    provisioningState: state.provisioning,
    applicationHealth: applicationHealth(state, scaleSet, powerState, outages, at),
    latestModelApplied: state.appliedModelVersion === scaleSet.modelVersion,
    protectFromScaleSetActions: state.protected,
    configuredAt: state.configuredAt,
    firstHealthyAt: firstHealthyAt(state, outages, at),
  };
}

function applicationHealth(
  state: InstanceState,
  scaleSet: ScaleSet,
  powerState: PowerState,
  outages: readonly Outage[],
  at: Instant,
): ApplicationHealth {
  const signal = healthSignal(scaleSet);
  if (signal === null) return 'none';
  if (powerState !== 'running') return 'unknown';
  const recovering = outages.some((outage) => outage.to <= at && at < outage.to + outage.recovery);
  if (state.healthyFrom !== null && state.healthyFrom <= at && !recovering) return 'healthy';
  // Only the extension's rich states (handler version 2) have a word for "not yet".
  const mayBecome = recovering || (state.healthyFrom !== null && state.healthyFrom > at);
  return signal === 'richExtension' && mayBecome ? 'initializing' : 'unhealthy';
}

/** Rule B5: the exact moment, whenever it is asked for. Outages can put it off, not take it back. */
function firstHealthyAt(state: InstanceState, outages: readonly Outage[], at: Instant): Instant | null {
  const fit =
    state.configuredAt !== null &&
    state.provisioning === 'Succeeded' &&
    state.extensions.every((extension) => extension.state === 'succeeded');
  if (!fit || state.healthyFrom === null) return null;
  let moment = Math.max(state.healthyFrom, state.configuredAt as Instant);
  for (const outage of outages) {
    const back = outage.to + outage.recovery;
    if (outage.from <= moment && moment < back) moment = back;
  }
  return moment <= at ? moment : null;
}
