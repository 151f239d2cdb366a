import { destinationOf, whyLeftAlone, type Goal } from './goal.ts';
import { isSteadilyHealthy } from './health.ts';
import type { Instance, ScaleSet } from './scale-set.ts';
import type { ObservedInstance } from './set-planner.ts';

/**
 * An instance as an attempt's decisions see it (rules B1 to B10): one in quarantine counts as unhealthy.
 * @param healthyReadings that make it healthy, one after the other (rule B5)
 */
export function observedInstance(
  goal: Goal,
  scaleSet: Pick<ScaleSet, 'imageReference' | 'upgradePolicy'>,
  instance: Instance,
  healthyReadings: number,
): ObservedInstance {
  const { instanceId, zone, updateDomain, previousOsDisk } = instance;
  return {
    instanceId,
    zone,
    updateDomain,
    healthy: isSteadilyHealthy(instance, healthyReadings) && !goal.quarantined.has(instanceId),
    destination: destinationOf(goal, scaleSet, instance),
    leftAlone: whyLeftAlone(goal, scaleSet, instance),
    hasPreviousDisk: previousOsDisk !== null,
  };
}
