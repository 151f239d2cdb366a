import type { EligibilityReason, EligibilityWarning } from './eligibility.ts';
import { isApplicationHealthExtension, isServiceFabric } from './extensions.ts';
import type { ScaleSet } from './scale-set.ts';
import type { ProbeFacts, Surroundings } from './surroundings.ts';

/** A probe that asks this seldom (or more seldom) tells too little within the health time-out (rule C4). */
export const SLOW_PROBE_SECONDS = 120;

/** Rule C4: one source of application health, and one that works. Who needs none of all Service Fabric sets: rule C5. */
export function healthSourceReasons(
  scaleSet: ScaleSet,
  { probe, cluster }: Pick<Surroundings, 'probe' | 'cluster'>,
): EligibilityReason[] {
  const hasExtension = scaleSet.extensions.some(isApplicationHealthExtension);
  const hasProbe = scaleSet.healthProbeId !== null;
  const reasons: EligibilityReason[] = [];
  if (!hasExtension && !hasProbe && needsHealthSource(scaleSet, cluster)) {
    reasons.push({
      code: 'HealthSourceMissing',
      message: 'The model has neither a load balancer health probe nor the Application Health extension.',
      fix: 'Set networkProfile.healthProbe.id, or add the Application Health extension.',
      rule: isServiceFabric(scaleSet) ? 'C5' : 'C4',
    });
  }
  if (hasExtension && hasProbe) {
    reasons.push({
      code: 'TwoHealthSources',
      message: 'The model has both a load balancer health probe and the Application Health extension.',
      fix: 'Remove one of the two.',
      rule: 'C4',
    });
  }
  return hasProbe ? [...reasons, ...probeReasons(scaleSet, probe)] : reasons;
}

/** Service Fabric judges its own nodes, unless they are of a stateless node type with durability Bronze (rule C5). */
function needsHealthSource(scaleSet: ScaleSet, cluster: Surroundings['cluster']): boolean {
  if (!isServiceFabric(scaleSet)) return true;
  return scaleSet.serviceFabric?.durabilityLevel === 'Bronze' && cluster?.nodeType?.isStateless === true;
}

function probeReasons(scaleSet: ScaleSet, probe: ProbeFacts | null): EligibilityReason[] {
  if (probe === null) {
    return [
      {
        code: 'HealthProbeNotFound',
        message: `There is no health probe ${scaleSet.healthProbeId}.`,
        fix: 'Create the probe on its load balancer, or correct networkProfile.healthProbe.id.',
        rule: 'C4',
      },
    ];
  }
  if (scaleSet.singlePlacementGroup || probe.loadBalancerSku.toLowerCase() === 'standard') return [];
  return [
    {
      code: 'LoadBalancerNotStandard',
      message: `The scale set may have several placement groups, and its probe's load balancer is ${probe.loadBalancerSku}.`,
      fix: 'Use a probe of a Standard load balancer.',
      rule: 'C4',
    },
  ];
}

/** Rule C4's warning. */
export function probeWarnings(
  { healthProbeId }: ScaleSet,
  { probe }: Pick<Surroundings, 'probe'>,
): EligibilityWarning[] {
  if (healthProbeId === null || probe === null || probe.intervalSeconds < SLOW_PROBE_SECONDS) return [];
  return [
    {
      code: 'HealthProbeIntervalTooLong',
      message: `The health probe asks every ${probe.intervalSeconds} s only.`,
      fix: `Configure an interval of less than ${SLOW_PROBE_SECONDS} s.`,
      rule: 'C4',
    },
  ];
}
