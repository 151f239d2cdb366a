import type { Duration, Instant } from '../domain/clock.ts';
import type { EligibilityReason, EligibilityWarning } from '../domain/eligibility.ts';
import type { ImageVersion } from '../domain/image.ts';
import type { PhaseOverrides } from '../domain/phase-gate.ts';
import type { PhasePlan } from '../domain/phases.ts';
import type { RolloutSettings } from '../domain/policy.ts';
import type { SettingsOverrides } from './settings.ts';

export interface PlanRequest {
  /** `publisher:offer:sku` or a gallery image's ARM id. */
  image: string;
  /** The newest offered if absent. */
  version?: string | undefined;
  /** Only these regions; in any spelling. */
  regions?: readonly string[] | undefined;
  /** Phases that a person chose, instead of planned ones. */
  phases?: readonly PhasePlan[] | undefined;
  settings?: SettingsOverrides | undefined;
}

/** What a rollout would do, if it were started now and every upgrade succeeded. Instants are virtual. */
export interface RolloutPlan {
  /** The id that it would have. */
  rolloutId: string;
  kind: 'platform' | 'gallery';
  target: ImageVersion;
  generation: number;
  settings: RolloutSettings;
  phases: PlannedPhase[];
  skipped: SkippedScaleSet[];
  totals: PlanTotals;
  startAt: Instant;
  endAt: Instant;
  /** From start to end on the virtual clock. */
  virtualDurationMs: Duration;
  wallDurationMs: number;
  /** Virtual milliseconds per wall millisecond. */
  speed: number;
  /** What a person should know before starting it. */
  warnings: string[];
}

export interface PlanTotals {
  regions: number;
  scaleSets: number;
  /** Of the eligible scale sets. */
  instances: number;
  /** Of these, those that do not run the target yet and may be touched. */
  toUpgrade: number;
  batches: number;
}

export interface PlannedPhase extends PlanTotals {
  /** 1 is the first. */
  phase: number;
  name: string;
  /** What its plan says for itself; else the settings hold. */
  own: PhaseOverrides;
  /** If it needs an approval: as if that were given at once. */
  start: Instant;
  /** The last batch ends. */
  end: Instant;
  /** The VMs are judged, and the next phase starts. */
  bakeEnd: Instant;
  /** By name. */
  regionPlans: PlannedRegion[];
}

export interface PlannedRegion extends Omit<PlanTotals, 'regions'> {
  name: string;
  /** The first batch begins, and the last one ends. */
  start: Instant;
  end: Instant;
  /** In the order of their triggers. */
  scaleSetPlans: PlannedScaleSet[];
}

export interface PlannedScaleSet {
  id: string;
  name: string;
  instances: number;
  toUpgrade: number;
  /** When its upgrade is triggered (rule D6), if its phase starts when it is expected to. */
  triggerAt: Instant;
  batches: PlannedBatch[];
  warnings: EligibilityWarning[];
  /** Instances that are left alone, and why; what would hold its upgrade up, or end it at once. */
  notes: string[];
}

export interface PlannedBatch {
  zone: string | null;
  updateDomain: number | null;
  size: number;
}

export interface SkippedScaleSet {
  id: string;
  name: string;
  region: string;
  /** Every one that there is. */
  reasons: EligibilityReason[];
}
