import type { BatchPlan } from './batching.ts';
import type { Duration, Instant } from './clock.ts';
import { expectedBatchDuration, type Timings } from './estimate-batch.ts';
import { simulateRegion, type SimulatedSet, type ZoneRun } from './estimate-region.ts';
import { gateOf } from './phase-gate.ts';
import type { PhasePlan } from './phases.ts';
import type { RolloutSettings } from './policy.ts';
import { normaliseRegionName } from './region.ts';
import { triggerTime } from './trigger.ts';

/** What the orchestrator itself takes for one step, in wall milliseconds: measured on the embedded dev server. */
export const STEP_OVERHEAD_WALL = 40;

/** A batch, by what its duration depends on. */
export interface EstimatedBatch extends Pick<BatchPlan, 'zone' | 'updateDomain'> {
  size: number;
}

export interface EstimatedScaleSet {
  scaleSetId: string;
  extensionsCount: number;
  /** Between two readings of its instances' health signal; 0 where there is none. */
  readingInterval: Duration;
  /** In the order of `planBatches`. None: there is nothing to do. */
  batches: readonly EstimatedBatch[];
  pauseTimeBetweenBatches: Duration;
  /** The trigger, where it is known; if null, it is drawn as it will be at the start of the phase (rule D6). */
  triggerAt: Instant | null;
  everTriggered: boolean;
  automaticUpgradesSince: Instant | null;
}

export interface EstimatedRegion {
  name: string;
  scaleSets: readonly EstimatedScaleSet[];
}

export interface EstimateInput {
  rolloutId: string;
  startAt: Instant;
  phases: readonly PhasePlan[];
  /** Regions of the phases; one that is missing has nothing to do. */
  regions: readonly EstimatedRegion[];
  timings: Timings;
  settings: RolloutSettings;
  /** Virtual milliseconds per wall millisecond: what a step costs on the virtual clock. */
  clockSpeed: number;
  /** Wall milliseconds per step. */
  stepOverheadWall?: number;
}

export interface RegionEstimate {
  name: string;
  /** Its first batch begins. */
  start: Instant;
  /** Its last batch ends. */
  end: Instant;
  batches: number;
}

export interface PhaseEstimate {
  name: string;
  start: Instant;
  /** The last batch of its regions ends. */
  end: Instant;
  /** Its VMs are judged, and the next phase starts (rule D3). */
  bakeEnd: Instant;
  regions: RegionEstimate[];
}

export interface RolloutEstimate {
  phases: PhaseEstimate[];
  start: Instant;
  end: Instant;
  duration: Duration;
}

/**
 * How long a rollout is expected to take if every upgrade succeeds: phase after phase with a bake after each (rules D1
 * to D3); in a region the sets' triggers (rule D6), the zones' turns (rule D4) and the limit on sets under way; in a set
 * batch after batch with their pauses (rules B3, B9). All times are virtual. Waits for other rollouts, for operators (a phase
 * that needs an approval gets it at once) and for failures are not in it.
 */
export function estimateRollout(input: EstimateInput): RolloutEstimate {
  const regions = new Map(input.regions.map((region) => [normaliseRegionName(region.name), region]));
  const phases: PhaseEstimate[] = [];
  let start = input.startAt;
  for (const phase of input.phases) {
    const estimates = phase.regions.map((name) => {
      const scaleSets = regions.get(normaliseRegionName(name))?.scaleSets ?? [];
      return estimateRegion(input, { name, scaleSets }, start);
    });
    const end = Math.max(start, ...estimates.map((region) => region.end));
    const bakeEnd = end + gateOf(phase, input.settings).bakeTime + stepOverhead(input);
    phases.push({ name: phase.name, start, end, bakeEnd, regions: estimates });
    start = bakeEnd;
  }
  return { phases, start: input.startAt, end: start, duration: start - input.startAt };
}

/** A region whose phase starts at `phaseStart`; with nothing to do it starts and ends then. */
function estimateRegion(input: EstimateInput, region: EstimatedRegion, phaseStart: Instant): RegionEstimate {
  const durations = batchDurations(input);
  const seenAt = phaseStart + stepOverhead(input);
  const sets = region.scaleSets.map((set): SimulatedSet => {
    const triggerAt = set.triggerAt ?? triggerTime({ ...input, ...set, seenAt });
    return { dueAt: Math.max(seenAt, triggerAt), runs: zoneRuns(set, durations) };
  });
  const span = simulateRegion(sets, input.settings.maxConcurrentScaleSets);
  return {
    name: region.name,
    start: span?.start ?? phaseStart,
    end: span?.end ?? phaseStart,
    batches: region.scaleSets.reduce((sum, set) => sum + set.batches.length, 0),
  };
}

/** A set's batches zone by zone. The pause before the next zone counts to the zone that it follows. */
function zoneRuns(
  set: EstimatedScaleSet,
  durationOf: (size: number, set: EstimatedScaleSet) => Duration,
): ZoneRun[] {
  const runs: ZoneRun[] = [];
  for (const [index, batch] of set.batches.entries()) {
    const isLast = index === set.batches.length - 1;
    const duration = durationOf(batch.size, set) + (isLast ? 0 : set.pauseTimeBetweenBatches);
    const run = runs.find((each) => each.zone === batch.zone);
    if (run) run.duration += duration;
    else runs.push({ zone: batch.zone, duration });
  }
  return runs;
}

/** `expectedBatchDuration`, which many batches of a fleet share, worked out once for each kind. */
function batchDurations(input: EstimateInput): (size: number, set: EstimatedScaleSet) => Duration {
  const known = new Map<string, Duration>();
  return (size, { extensionsCount, readingInterval }) => {
    const key = [size, extensionsCount, readingInterval].join('/');
    const batch = { ...input, size, extensionsCount, readingInterval, stepOverhead: stepOverhead(input) };
    const duration = known.get(key) ?? expectedBatchDuration(batch);
    known.set(key, duration);
    return duration;
  };
}

/** One step of the orchestrator, in virtual time. */
function stepOverhead(input: EstimateInput): Duration {
  return Math.round((input.stepOverheadWall ?? STEP_OVERHEAD_WALL) * input.clockSpeed);
}
