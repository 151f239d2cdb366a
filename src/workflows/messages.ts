import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { BatchAction } from '../domain/attempt-kinds.ts';
import type { Instant, VirtualClock } from '../domain/clock.ts';
import type { ImageVersion } from '../domain/image.ts';
import type { PhasePlan } from '../domain/phases.ts';
import type { RolloutSettings } from '../domain/policy.ts';
import type {
  AttemptStatus,
  Decision,
  DecisionKind,
  PhaseVerdict,
  Progress,
  Reason,
} from '../ledger/port.ts';

/** Names, inputs and results of the workflows and the messages that they take: the whole contract with clients. */

export const TASK_QUEUE = 'os-image-rollouts';

/** Where the steps on a region's instances wait for a worker, if regions have queues of their own (`activityQueues`). */
export function regionTaskQueue(region: string): string {
  return `${TASK_QUEUE}/${region}`;
}

// --- inputs and results -------------------------------------------------------------------------------------------

export interface ImageWatchInput {
  v: 1;
  /** Where time is skipped: elsewhere the activity reads it. */
  clock?: VirtualClock;
  /** Of the rollouts that it starts, where they differ from the defaults. */
  settings?: Partial<RolloutSettings>;
}

export interface ImageWatchResult {
  /** Ids of the rollouts that were started. */
  started: string[];
}

export interface ImageRolloutInput {
  v: 1;
  rolloutId: string;
  clock: VirtualClock;
  target: ImageVersion;
  phases: PhasePlan[];
  settings: RolloutSettings;
}

export interface ImageRolloutResult {
  status: 'Completed' | 'Cancelled' | 'Superseded';
  reason: Reason | null;
  phasesDone: number;
}

export interface PhaseRolloutInput {
  v: 1;
  rolloutId: string;
  clock: VirtualClock;
  target: ImageVersion;
  phase: number;
  round: number;
  plan: PhasePlan;
  settings: RolloutSettings;
  /** It begins anew after a cancel through Temporal: only to end what is half done. */
  cancelled?: boolean;
}

export type PhaseRolloutResult =
  { kind: 'judged'; verdict: PhaseVerdict; withinTolerance: boolean } | { kind: 'cancelled'; reason: Reason };

export interface RegionRolloutInput {
  v: 1;
  rolloutId: string;
  clock: VirtualClock;
  target: ImageVersion;
  phase: number;
  round: number;
  region: string;
  settings: RolloutSettings;
  /** It begins anew after a cancel through Temporal: only to end what is half done. */
  cancelled?: boolean;
  /** Carried over when the workflow continues as new. */
  state?: RegionState;
}

/** What a region's workflow hands to its next run; the rest is in the ledger. */
export interface RegionState {
  v: 1;
  lastScanAt: Instant | null;
  /** How often the workflow of a scale set has failed: after three times it is given up. */
  failures: Record<string, number>;
}

export interface RegionRolloutResult {
  kind: 'done' | 'cancelled';
  reason: Reason | null;
  counts: RegionCounts;
}

/** Scale sets of a region by the state of their target. */
export interface RegionCounts {
  waiting: number;
  upgrading: number;
  upgraded: number;
  stopped: number;
  skipped: number;
}

export interface ScaleSetRolloutInput {
  v: 1;
  rolloutId: string;
  scaleSetId: string;
  clock: VirtualClock;
  target: ImageVersion;
  phase: number | null;
  region: string;
  settings: RolloutSettings;
  /** Only finish what a terminated workflow left half done. */
  windDown?: boolean;
  /** Carried over when the workflow continues as new. */
  attempt?: { id: string; fence: number; number: number };
}

export interface ScaleSetRolloutResult {
  status: Exclude<AttemptStatus, 'RollingForward'> | 'Conflict';
  reason: Reason | null;
  progress: Progress;
}

export interface BatchUpgradeInput {
  v: 1;
  rolloutId: string;
  scaleSetId: string;
  clock: VirtualClock;
  target: ImageVersion;
  /** Absent in batches that were begun before regions could have task queues of their own. */
  region?: string;
  attempt: { id: string; fence: number; number: number };
  batch: number;
  zone: string | null;
  updateDomain: number | null;
  /** Absent in batches that were begun before there were other actions than `swap`. */
  action?: BatchAction;
  instanceIds: string[];
  /** Rule B6; false for manual starts and where `disableAutomaticRollback` is set. */
  restoresOnFailure: boolean;
  settings: RolloutSettings;
}

export interface BatchUpgradeResult {
  upgraded: number;
  restored: number;
  failed: number;
}

// --- messages ---------------------------------------------------------------------------------------------------------

/** "Look again": something that you may wait for has changed. Losing one costs time, never safety. */
export const lookAgainSignal = defineSignal('lookAgain');

/** What a workflow is doing, for people and for `rollouts status`. */
export interface WorkflowStatus {
  level: 'image' | 'phase' | 'region' | 'scaleSet' | 'batch';
  /** One line: `upgrading batch 3: zone 1, update domain 2, 4 instances`. */
  doing: string;
  /** What it waits for, if it waits. */
  waitingFor: { what: string; since: Instant; until: Instant | null } | null;
}

export const statusQuery = defineQuery<WorkflowStatus>('status');

export interface DecideInput {
  decision: DecisionKind;
  who: string;
  why: string;
  /** The phase and round that the person has seen; a decision about another one is refused. */
  phase: number;
  round: number;
}

/**
 * A person's decision on a halted rollout (rule D2). An update, because the person wants to know whether it counts:
 * it is refused unless the rollout waits for one, and it is answered when it is recorded for good.
 */
export const decideUpdate = defineUpdate<Decision, [DecideInput]>('decide');

/** Failures that workflows and activities raise, by type; all business outcomes are values instead. */
export const failureTypes = {
  /** The rollout, scale set or attempt that the input names is not in the ledger or fleet: retrying cannot help. */
  NotFound: 'NotFound',
  /** A later attempt or take-over has overtaken this one: it must stop at once. */
  Fenced: 'Fenced',
  /** A decision was made on a rollout that does not wait for one. */
  NotHalted: 'NotHalted',
  /** The fleet's API failed on a call that is not about one scale set: tried again until it answers. */
  FleetUnavailable: 'FleetUnavailable',
  /** It failed on one about a scale set. The workflow waits and tries again; its detail is a `NoAnswer`. */
  NoAnswer: 'NoAnswer',
  /** It has failed on every call about a scale set, and no other, for so long that the set is given up. */
  ScaleSetUnreachable: 'ScaleSetUnreachable',
} as const;

/** What an activity is not called again for by the server: it can't help, or the workflow decides when. */
export const NON_RETRYABLE_TYPES: string[] = [
  failureTypes.NotFound,
  failureTypes.Fenced,
  failureTypes.NoAnswer,
];
