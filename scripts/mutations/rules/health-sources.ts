import type { Mutation } from '../mutation.ts';

const source = { file: 'src/domain/health-source.ts', tests: ['domain/eligibility'] };
const eligible = { file: 'src/domain/eligibility.ts', tests: ['domain/eligibility'] };

/** Rule C4: one source of application health, and one that works. */
export const healthSources: Mutation[] = [
  {
    rule: 'C4',
    what: 'A set without a health source is upgraded.',
    ...source,
    find: 'if (!hasExtension && !hasProbe && needsHealthSource(scaleSet, cluster)) {',
    replace: "if (!hasExtension && !hasProbe && scaleSet.name === '') {",
  },
  {
    rule: 'C4',
    what: 'A load balancer probe is not enough.',
    ...source,
    find: 'if (!hasExtension && !hasProbe && needs',
    replace: 'if (!hasExtension && needs',
  },
  {
    rule: 'C4',
    what: 'Any extension passes for the one that reports health.',
    ...source,
    find: 'const hasExtension = scaleSet.extensions.some(isApplicationHealthExtension);',
    replace: 'const hasExtension = scaleSet.extensions.length > 0;',
  },
  {
    rule: 'C4',
    what: 'Whoever publishes an extension, its name makes it one that reports health.',
    file: 'src/domain/extensions.ts',
    find: "publisher.toLowerCase() === 'microsoft.managedservices' &&\n",
    replace: '',
    tests: ['domain/eligibility'],
  },
  {
    rule: 'C4',
    what: 'A set with two health sources is upgraded.',
    ...source,
    find: 'if (hasExtension && hasProbe) {',
    replace: "if (hasExtension && hasProbe && scaleSet.name === '') {",
  },
  {
    rule: 'C4',
    what: 'A model with two health sources is taken.',
    file: 'src/fleet/model.ts',
    find: 'if (healthProbeId !== null && extensions.some(isApplicationHealthExtension)) {',
    replace: "if (healthProbeId === '' && extensions.some(isApplicationHealthExtension)) {",
    tests: ['stores/fleet-model'],
  },
  {
    rule: 'C4',
    what: 'A Basic load balancer will do for several placement groups.',
    ...source,
    find: "probe.loadBalancerSku.toLowerCase() === 'standard')",
    replace: "['standard', 'basic'].includes(probe.loadBalancerSku.toLowerCase()))",
  },
  {
    rule: 'C4',
    what: 'A single placement group needs a Standard load balancer.',
    ...source,
    find: 'if (scaleSet.singlePlacementGroup || probe',
    replace: 'if (probe',
  },
  {
    rule: 'C4',
    what: 'A probe that does not exist will do.',
    ...source,
    find: 'return hasProbe ? [...reasons, ...probeReasons(scaleSet, probe)] : reasons;',
    replace: 'return hasProbe && probe ? [...reasons, ...probeReasons(scaleSet, probe)] : reasons;',
  },
  {
    rule: 'C4',
    what: 'Nobody asks the fleet for the probe that the model names.',
    file: 'src/fleet/simulated/surroundings.ts',
    find: 'if (probe === undefined) return null;',
    replace: "if (probe === undefined) return { intervalSeconds: 15, loadBalancerSku: 'Standard' };",
    tests: ['stores/fleet-surroundings'],
  },
  {
    rule: 'C4',
    what: "The fleet does not tell the load balancer's SKU.",
    file: 'src/fleet/simulated/surroundings.ts',
    find: 'loadBalancerSku: probe.loadBalancerSku };',
    replace: "loadBalancerSku: 'Standard' };",
    tests: ['stores/fleet-surroundings'],
  },
  {
    rule: 'C4',
    what: 'An interval of exactly 2 minutes is not warned of.',
    ...source,
    find: 'probe.intervalSeconds < SLOW_PROBE_SECONDS) return [];',
    replace: 'probe.intervalSeconds <= SLOW_PROBE_SECONDS) return [];',
  },
  {
    rule: 'C4',
    what: 'A probe that asks seldom is refused, not warned of.',
    ...eligible,
    find: 'return { eligible: reasons.length === 0, reasons,',
    replace: 'return { eligible: reasons.length + warnings.length === 0, reasons,',
  },
];
