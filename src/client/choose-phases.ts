import { phasePlanViolations, planPhases, type PhasePlan, type RegionLoad } from '../domain/phases.ts';
import { normaliseRegionName, type Region } from '../domain/region.ts';
import { UsageError } from './errors.ts';
import type { SurveyedSet } from './survey.ts';

export interface PhaseChoice {
  kind: 'platform' | 'gallery';
  eligible: readonly SurveyedSet[];
  allRegions: readonly Region[];
  /** Those that a person chose. */
  phases?: readonly PhasePlan[] | undefined;
}

/**
 * The phases of a rollout: those that a person wrote, checked (rule D1), or planned ones. A gallery image has none: all
 * regions at once (rule D5), which is one phase.
 * @throws UsageError with everything that is wrong with written ones
 */
export function choosePhases({ kind, eligible, allRegions, phases }: PhaseChoice): PhasePlan[] {
  const loads = regionLoads(eligible);
  if (kind === 'gallery') {
    if (phases !== undefined) {
      throw new UsageError(
        'A gallery image has no phases: each region starts when the version is replicated there. Leave "phases" out of the plan.',
      );
    }
    const regions = loads.map((load) => load.name).toSorted();
    return regions.length === 0 ? [] : [{ name: 'all regions', regions }];
  }
  if (phases === undefined) return planPhases({ regions: loads, allRegions });
  const violations = phasePlanViolations(
    phases,
    allRegions,
    loads.filter(hasInstances).map((load) => load.name),
  );
  if (violations.length > 0) {
    const lines = violations.map((violation) => `  ${violation.message}`);
    throw new UsageError(`The phases can't be used:\n${lines.join('\n')}`);
  }
  return phases.map((phase) => ({ ...phase, regions: phase.regions.map(normaliseRegionName) }));
}

function hasInstances(load: RegionLoad): boolean {
  return load.eligibleInstances > 0;
}

function regionLoads(eligible: readonly SurveyedSet[]): RegionLoad[] {
  const loads = new Map<string, number>();
  for (const { scaleSet, instanceCount } of eligible) {
    loads.set(scaleSet.region, (loads.get(scaleSet.region) ?? 0) + instanceCount);
  }
  return [...loads].map(([name, eligibleInstances]) => ({ name, eligibleInstances }));
}

/**
 * Region names as the fleet has them.
 * @throws UsageError when one is no region of the fleet, or has no scale set of the image
 */
export function requireRegions(
  written: readonly string[],
  allRegions: readonly Region[],
  withScaleSets: readonly string[],
): string[] {
  const known = new Set(allRegions.map((region) => normaliseRegionName(region.name)));
  return [...new Set(written.map(normaliseRegionName))].map((name) => {
    const choice = `Regions with scale sets of the image: ${withScaleSets.join(', ') || 'none'}.`;
    if (!known.has(name)) throw new UsageError(`"${name}" is no region of this fleet. ${choice}`);
    if (!withScaleSets.includes(name)) {
      throw new UsageError(`No scale set in ${name} uses the image. ${choice}`);
    }
    return name;
  });
}
