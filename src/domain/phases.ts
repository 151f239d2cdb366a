import type { PhaseOverrides } from './phase-gate.ts';
import { normaliseRegionName, pairedRegions, type Region } from './region.ts';

/** One phase of a platform rollout: the regions that are updated in it (rule D1), and what it takes to begin and to pass. */
export interface PhasePlan extends PhaseOverrides {
  /** What people call it: `canary`, `early`, `phase 3`. */
  name: string;
  regions: string[];
}

/** A region and how much of the rollout lies in it. */
export interface RegionLoad {
  name: string;
  /** Instances of its eligible scale sets. */
  eligibleInstances: number;
}

export interface PhasePlanViolation {
  code:
    | 'EmptyPhase'
    | 'UnknownRegion'
    | 'RegionTwice'
    | 'PairedRegionsInOnePhase'
    | 'RegionMissing'
    | 'ToleranceOutOfBounds';
  /** 1 is the first phase; null where it is about the whole plan. */
  phase: number | null;
  regions: string[];
  /** What is wrong, where, and what to do. */
  message: string;
}

export interface PlanPhasesInput {
  regions: readonly RegionLoad[];
  /** All regions of the fleet: they know the geo-pairs. */
  allRegions: readonly Region[];
  /** How many phases to aim at. Fewer where there are not as many regions, more where geo-pairs need them. */
  phases?: number;
}

/**
 * The fewest instances that make a canary: of five, one bad VM is exactly the 20 % that still pass (rule B7), so one
 * odd VM does not decide about a version, and a really bad version does not pass unseen either.
 */
export const CANARY_MIN_INSTANCES = 5;

/** How much larger than the one before a phase is meant to be, and how many phases are enough for any fleet. */
const GROWTH = 3;
const MAX_PHASES = 8;

/** A phase in the making. `target` is how many instances it should have. */
interface Draft {
  regions: RegionLoad[];
  target: number;
}

/**
 * Spreads regions over phases (rule D1): a canary region first, then phases that grow about threefold, small regions
 * early; never both regions of a geo-pair in one phase. Every region with eligible instances is in exactly one phase,
 * the others in none. From six regions on there are at least four phases, unless fewer are asked for. The same input,
 * in any order, gives the same plan.
 */
export function planPhases({ regions, allRegions, phases }: PlanPhasesInput): PhasePlan[] {
  const loads = regions.filter((region) => region.eligibleInstances > 0).toSorted(bySize);
  const wanted = Math.max(1, Math.min(loads.length, phases ?? usualPhaseCount(loads)));
  // Who asks for one phase wants no canary.
  const canary = wanted === 1 ? [] : pickCanary(loads);
  const rest = loads.filter((region) => !canary.includes(region));
  const drafts = emptyDrafts(total(canary), total(rest), wanted - canary.length);
  // Large regions choose first, and choose late: they are the hardest to place and the costliest to get wrong.
  for (const region of rest.toReversed()) place(region, drafts, allRegions);
  fillEmptyDrafts(drafts);
  const grown = drafts
    .filter((draft) => draft.regions.length > 0)
    .toSorted((a, b) => total(a.regions) - total(b.regions) || compare(nameOf(a), nameOf(b)));
  const members = [canary, ...grown.map((draft) => draft.regions)].filter((phase) => phase.length > 0);
  return members.map((phase, index) => ({
    name: phaseName(index, members.length),
    regions: phase.map((region) => region.name).toSorted(),
  }));
}

/**
 * The smallest region that says something about the version (`CANARY_MIN_INSTANCES`) and is not most of the fleet; if
 * there is none, the largest of the regions that are too small.
 */
function pickCanary(ascending: readonly RegionLoad[]): RegionLoad[] {
  const isSmall = (region: RegionLoad) => region.eligibleInstances < CANARY_MIN_INSTANCES;
  const enough = ascending.find((region) => !isSmall(region));
  const largestSmall = ascending.findLast(isSmall);
  const isMost = enough !== undefined && enough.eligibleInstances * 2 > total(ascending);
  const canary = isMost ? (largestSmall ?? enough) : (enough ?? largestSmall);
  return canary === undefined ? [] : [canary];
}

/** As many phases as threefold growth needs from the canary to the whole fleet, within reason for so many regions. */
function usualPhaseCount(loads: readonly RegionLoad[]): number {
  let count = 1;
  let size = total(pickCanary(loads));
  for (let covered = size; covered < total(loads); covered += size) {
    size *= GROWTH;
    count++;
  }
  const least = loads.length >= 6 ? 4 : Math.min(loads.length, 3);
  return Math.min(Math.max(count, least), MAX_PHASES, loads.length);
}

/** Phases after the canary whose targets grow by one factor and add up to all remaining instances. */
function emptyDrafts(canarySize: number, remaining: number, count: number): Draft[] {
  const sum = (factor: number) => geometric(factor, count).reduce((a, b) => a + b, 0);
  let low = 1;
  let high = 1_000_000;
  // Bisection by plain arithmetic gives the same factor on every machine.
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (canarySize * sum(middle) < remaining) low = middle;
    else high = middle;
  }
  const scale = remaining / sum(low);
  return geometric(low, count).map((share) => ({ regions: [], target: share * scale }));
}

/** `factor`, `factor`², ... */
function geometric(factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => factor ** (index + 1));
}

/** Puts a region into the latest phase with room for it and no partner of it; opens a phase if all hold a partner. */
function place(region: RegionLoad, drafts: Draft[], allRegions: readonly Region[]): void {
  const partners = pairedRegions(allRegions, region.name);
  const open = drafts.filter(
    (draft) => !draft.regions.some((other) => partners.includes(normaliseRegionName(other.name))),
  );
  const room = (draft: Draft) => draft.target - total(draft.regions);
  // A region cannot be divided: a phase has room while at least half of the region fits.
  const fitting = open.findLast((draft) => room(draft) * 2 >= region.eligibleInstances);
  const roomiest = open.reduce<Draft | undefined>(
    (best, draft) => (best === undefined || room(draft) >= room(best) ? draft : best),
    undefined,
  );
  const chosen = fitting ?? roomiest;
  if (chosen === undefined) drafts.push({ regions: [region], target: region.eligibleInstances });
  else chosen.regions.push(region);
}

/** Gives each empty phase the smallest region of those phases that have several: alone in a phase it has no partner. */
function fillEmptyDrafts(drafts: readonly Draft[]): void {
  for (const empty of drafts.filter((draft) => draft.regions.length === 0)) {
    const crowded = drafts.filter((draft) => draft.regions.length > 1);
    const smallest = crowded.flatMap((draft) => draft.regions).toSorted(bySize)[0];
    if (smallest === undefined) return;
    for (const draft of crowded) draft.regions = draft.regions.filter((region) => region !== smallest);
    empty.regions.push(smallest);
  }
}

function phaseName(index: number, count: number): string {
  if (index === 0 && count > 1) return 'canary';
  if (index === count - 1) return 'broad';
  return index === 1 ? 'early' : `phase ${index + 1}`;
}

function total(regions: readonly RegionLoad[]): number {
  return regions.reduce((sum, region) => sum + region.eligibleInstances, 0);
}

function bySize(a: RegionLoad, b: RegionLoad): number {
  return a.eligibleInstances - b.eligibleInstances || compare(a.name, b.name);
}

function nameOf(draft: Draft): string {
  return draft.regions[0]?.name ?? '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * What is wrong with a plan that a person wrote (rule D1); empty when nothing is. Names may be in any spelling.
 * @param allRegions the fleet's regions, which know the geo-pairs
 * @param regionsInScope regions that the rollout has to reach
 */
export function phasePlanViolations(
  phases: readonly PhasePlan[],
  allRegions: readonly Region[],
  regionsInScope: readonly string[],
): PhasePlanViolation[] {
  const known = new Set(allRegions.map((region) => normaliseRegionName(region.name)));
  const placed = new Map<string, number>();
  const violations: PhasePlanViolation[] = [];
  for (const [index, phase] of phases.entries()) {
    const number = index + 1;
    const where = `Phase ${number} (${phase.name})`;
    const add = (code: PhasePlanViolation['code'], regions: string[], message: string) =>
      violations.push({ code, phase: number, regions, message: `${where} ${message}` });
    if (phase.regions.length === 0)
      add('EmptyPhase', [], 'has no regions: give it at least one, or remove it.');
    for (const written of phase.regions) {
      const name = normaliseRegionName(written);
      const before = placed.get(name);
      if (!known.has(name))
        add(
          'UnknownRegion',
          [name],
          `names ${written}, which is no region of this fleet: correct or remove it.`,
        );
      if (before !== undefined)
        add(
          'RegionTwice',
          [name],
          `names ${name}, which phase ${before} has already: remove one of the two.`,
        );
      else placed.set(name, number);
    }
    for (const [a, b] of pairsWithin(phase, allRegions))
      add('PairedRegionsInOnePhase', [a, b], `holds the geo-pair ${a} and ${b}: move one to another phase.`);
    const { failureTolerancePercent: tolerance = 0 } = phase;
    if (!(tolerance >= 0 && tolerance <= 100))
      add(
        'ToleranceOutOfBounds',
        [],
        `has a failureTolerancePercent of ${tolerance}: give 0 to 100 percent.`,
      );
  }
  return [...violations, ...missingRegions(placed, regionsInScope)];
}

/** Geo-pairs of which a phase holds both regions, each once. */
function pairsWithin(phase: PhasePlan, allRegions: readonly Region[]): [string, string][] {
  const names = [...new Set(phase.regions.map(normaliseRegionName))].toSorted();
  return names.flatMap((a) =>
    pairedRegions(allRegions, a)
      .filter((b) => a < b && names.includes(b))
      .map((b): [string, string] => [a, b]),
  );
}

function missingRegions(
  placed: ReadonlyMap<string, number>,
  inScope: readonly string[],
): PhasePlanViolation[] {
  return [...new Set(inScope.map(normaliseRegionName))]
    .filter((name) => !placed.has(name))
    .toSorted()
    .map((name) => ({
      code: 'RegionMissing',
      phase: null,
      regions: [name],
      message: `No phase holds ${name}, which has scale sets to upgrade: add it to a phase.`,
    }));
}
