import type { AttemptKind } from '../../domain/attempt-kinds.ts';
import type { Duration, Instant } from '../../domain/clock.ts';
import type { PhaseGate } from '../../domain/phase-gate.ts';
import type { PhaseVerdict, Reason, RolloutKind, RolloutStatus, TargetStatus } from '../../ledger/port.ts';

/*
 * What a person wants to see of one rollout, as plain JSON. Instants and durations are virtual milliseconds unless a name
 * says `wall`. It comes from the ledger and the fleet's clock alone: nothing here reads an instance.
 */

export interface RolloutSnapshot {
  rolloutId: string;
  kind: RolloutKind;
  /** What it does to its sets; of a revert the version is the one that is undone. */
  action: AttemptKind;
  /** `publisher:offer:sku`, or the gallery image's name. */
  image: string;
  version: string;
  status: RolloutStatus;
  reason: Reason | null;
  startedBy: string;
  why: string | null;
  /** Virtual time of this snapshot. */
  now: Instant;
  /** Virtual milliseconds in one wall millisecond. */
  speed: number;
  startedAt: Instant;
  endedAt: Instant | null;
  /** Since the start, until the end if there is one. */
  elapsed: Duration;
  elapsedWallMs: number;
  /** What the rollout as a whole waits for: a decision, a resume, a bake. */
  waits: Wait[];
  phases: PhaseView[];
  scaleSets: ScaleSetCounts;
  instances: InstanceCounts;
  /** Whether Temporal still runs its workflow; null where that was not asked or could not be told. */
  workflowOpen: boolean | null;
}

export type WaitKind =
  | 'trigger'
  | 'bake'
  | 'resume'
  | 'decision'
  /** A person's word before a phase begins. */
  | 'approval'
  | 'zone'
  | 'geoPair'
  | 'batchPause'
  /** The end of a freeze, or a maintenance window. */
  | 'window'
  /** A region's phase, before it has begun. */
  | 'phase'
  /** Room among the sets of a region that are under way. */
  | 'room'
  /** The end of something else that is done to the set. */
  | 'attempt'
  /** The next look of a workflow. */
  | 'look'
  /** Somebody to serve the region's queue, where regions have queues of their own. */
  | 'worker';

/** Something that is waited for. */
export interface Wait {
  kind: WaitKind;
  /** For people: `the next trigger`. */
  what: string;
  /** Null where it is not recorded. */
  since: Instant | null;
  /** When it is over at the latest; null where only a person or another workflow ends it. */
  until: Instant | null;
  /** Who stands in the way: those that hold something first, then those that asked earlier. */
  behind: WaitHolder[];
  /** What a person can give to end it; null where time or others end it. */
  command: string | null;
}

/** Somebody who has, or asked earlier for, what is waited for. */
export interface WaitHolder {
  /** A scale set or a region. */
  name: string;
  workflowId: string;
  /** The zone or region; null where it waits itself. */
  holds: string | null;
  since: Instant;
}

/** `awaitsApproval`: it is the next, and a person has to approve it. `stopped`: the rollout ended before the phase did. */
export type PhaseState = 'pending' | 'awaitsApproval' | 'running' | 'baking' | 'halted' | 'done' | 'stopped';

export interface PhaseView {
  /** 1 is the first. */
  phase: number;
  name: string;
  state: PhaseState;
  /** What it takes to begin and to pass: its plan's word, or the rollout's settings. */
  gate: PhaseGate;
  /** 1, and one more with every `retry`. */
  round: number;
  startedAt: Instant | null;
  bakingSince: Instant | null;
  bakeUntil: Instant | null;
  judgedAt: Instant | null;
  verdict: PhaseVerdict | null;
  regions: RegionView[];
  scaleSets: ScaleSetCounts;
  instances: InstanceCounts;
}

export type RegionState = 'pending' | 'running' | 'done';

export interface RegionView {
  name: string;
  state: RegionState;
  /** When the last of its sets ended; null before. */
  endedAt: Instant | null;
  waits: Wait[];
  scaleSets: ScaleSetCounts;
  instances: InstanceCounts;
  /** Every scale set that the rollout concerns there, in the order of their triggers. */
  sets: ScaleSetView[];
}

export type ScaleSetCounts = Record<TargetStatus, number>;

/** Instances of the attempts so far. A set that still waits for its trigger is in none of these counts. */
export interface InstanceCounts {
  upgraded: number;
  /** Of those that failed, the ones that are back on their previous disk. */
  restored: number;
  failed: number;
  inProgress: number;
  pending: number;
}

export interface ScaleSetView {
  id: string;
  name: string;
  status: TargetStatus;
  /** When its region found it, and when its upgrade is triggered (rule D6). */
  seenAt: Instant;
  triggerAt: Instant;
  startedAt: Instant | null;
  endedAt: Instant | null;
  /** The batch under way. */
  batch: BatchView | null;
  /** Batches begun so far; null where that was not read: of attempts that went well before anybody looked. */
  batches: number | null;
  instances: InstanceCounts;
  wait: Wait | null;
  /** Why it was skipped or stopped. */
  reason: Reason | null;
  failures: FailureView[];
}

export interface BatchView {
  number: number;
  zone: string | null;
  updateDomain: number | null;
  size: number;
  startedAt: Instant;
}

/** An instance that was not healthy on the target in time. */
export interface FailureView {
  instanceId: string;
  outcome: 'restored' | 'restoreFailed' | 'left';
  error: string | null;
}
