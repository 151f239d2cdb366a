/** What the ledger keeps: plain records, with virtual instants in milliseconds. */

import type { AttemptKind, BatchAction } from '../domain/attempt-kinds.ts';
import type { Claim } from '../domain/claims.ts';
import type { Instant } from '../domain/clock.ts';
import type { EligibilityWarning } from '../domain/eligibility.ts';
import type { ImageVersion } from '../domain/image.ts';
import type { JournalEntry } from '../domain/operation.ts';
import type { PhasePlan } from '../domain/phases.ts';
import type { RolloutSettings } from '../domain/policy.ts';
import type { RollingUpgradePolicy } from '../domain/scale-set.ts';

export type { EarlierImage } from '../domain/way-back.ts';

/** Why something ended or was ordered, by a code that programs read and a text that people do. */
export interface Reason {
  code: string;
  message: string;
}

// --- rollouts ---------------------------------------------------------------------------------------------------

/** `platform` and `gallery` rollouts are automatic; `manual` is one scale set, begun by a person (rule D8). */
export type RolloutKind = 'platform' | 'gallery' | 'manual';
export type RolloutStatus = 'Running' | 'Halted' | 'Completed' | 'Faulted' | 'Cancelled' | 'Superseded';

/** What a person asked for beyond the usual. */
export interface RolloutParameters {
  /** Only these instances, of an update to the model or a repair. */
  instanceIds?: string[];
  /** A repair makes a new OS disk, and does not try the kept one. */
  reimage?: boolean;
  /** In place of the set's own policy. */
  policy?: Partial<RollingUpgradePolicy>;
}

export interface Rollout {
  /** The id of its top workflow. */
  id: string;
  kind: RolloutKind;
  target: ImageVersion;
  generation: number;
  status: RolloutStatus;
  reason: Reason | null;
  phases: PhasePlan[];
  settings: RolloutSettings;
  /** What it does to its scale sets; of a revert the target is the version that is undone. */
  action: AttemptKind;
  parameters: RolloutParameters;
  startedBy: string;
  /** What the person who started it said. */
  why: string | null;
  startedAt: Instant;
  endedAt: Instant | null;
}

// --- phases, releases, decisions ------------------------------------------------------------------------------------

export interface PhaseVerdict {
  eligible: number;
  succeeded: number;
  failed: number;
  /** Instances that failed, at most 50 of them, as `<scale set id>/<instance id>: why`. */
  failures: string[];
}

export interface PhaseRecord {
  rolloutId: string;
  /** 1 is the first. */
  phase: number;
  /** 1, and one more with every `retry`. */
  round: number;
  startedAt: Instant;
  bakingSince: Instant | null;
  bakeUntil: Instant | null;
  judgedAt: Instant | null;
  verdict: PhaseVerdict | null;
}

export type DecisionKind = 'proceed' | 'retry' | 'abort';

export interface Decision {
  rolloutId: string;
  phase: number;
  round: number;
  decision: DecisionKind;
  who: string;
  why: string;
  at: Instant;
}

export interface Release {
  imageKey: string;
  version: string;
  region: string;
  rolloutId: string;
  releasedAt: Instant;
}

// --- targets: the scale sets of a rollout ------------------------------------------------------------------------------

/**
 * `waiting` for its trigger or its turn; `upgrading`; `upgraded` (an attempt completed, or there was nothing to do);
 * `stopped` (its attempt ended otherwise); `skipped` (not eligible).
 */
export type TargetStatus = 'waiting' | 'upgrading' | 'upgraded' | 'stopped' | 'skipped';

export interface Target {
  rolloutId: string;
  scaleSetId: string;
  scaleSetName: string;
  region: string;
  phase: number;
  round: number;
  status: TargetStatus;
  /** When the region first saw that it was due (rule D6), and when its upgrade is triggered. */
  seenAt: Instant;
  triggerAt: Instant;
  attemptId: string | null;
  /** Why it was skipped or stopped. */
  reason: Reason | null;
}

// --- attempts ----------------------------------------------------------------------------------------------------------

export type AttemptStatus = 'RollingForward' | 'Completed' | 'Faulted' | 'Cancelled';

/** Azure's progress counts: they always add up to the instances that the attempt is about. */
export interface Progress {
  successfulInstanceCount: number;
  failedInstanceCount: number;
  inProgressInstanceCount: number;
  pendingInstanceCount: number;
}

export interface Attempt {
  /** `<scale set key hash>-<number>`; unique for ever. */
  id: string;
  scaleSetId: string;
  rolloutId: string;
  /** 1, 2, ... per scale set. */
  number: number;
  /** Rises with every attempt of the set and with every take-over of one. */
  fence: number;
  workflowId: string;
  kind: AttemptKind;
  region: string;
  startedBy: 'Platform' | 'User';
  /** The version that it brings: of a revert the one that most instances go back to. */
  target: ImageVersion;
  policy: RollingUpgradePolicy;
  /** The previous OS disk comes back when an instance is not healthy in time (rule B6). */
  restoresOnFailure: boolean;
  /** What a person should have known before its first batch, such as a credential that had expired (rule C8). */
  warnings: EligibilityWarning[];
  status: AttemptStatus;
  /** Why it ended; while it runs, what it will end with (rule B7). Of a completed one what it left alone, if anything. */
  reason: Reason | null;
  progress: Progress;
  startedAt: Instant;
  endedAt: Instant | null;
}

/** `upgraded`: seen healthy on the target; `restored`: back on its previous disk; `left`: failed and not restored. */
export type InstanceOutcome = 'upgraded' | 'restored' | 'restoreFailed' | 'left';

/** An instance that an attempt has taken into a batch. */
export interface AttemptInstance {
  instanceId: string;
  batch: number;
  zone: string | null;
  updateDomain: number | null;
  /** What it ran before anything was changed. */
  from: ImageVersion | null;
  wasHealthy: boolean;
  /** Null while it is in progress. */
  outcome: InstanceOutcome | null;
  /** Why it failed: `<code>: <message>`. */
  error: string | null;
  /** Why its restore failed, if it did and that is known. */
  restoreError: string | null;
}

/** What decisions about an attempt go by. */
export type TakenInstance = Pick<AttemptInstance, 'instanceId' | 'batch' | 'outcome' | 'error'>;

export interface Batch {
  number: number;
  zone: string | null;
  updateDomain: number | null;
  action: BatchAction;
  /** The version that its instances get; null while the attempt's own is meant. */
  to: ImageVersion | null;
  instanceIds: string[];
  startedAt: Instant;
  endedAt: Instant | null;
}

// --- quarantine, held versions ------------------------------------------------------------------------------------------

/** An instance whose restore failed: unhealthy, and untouched until it is repaired (ours). */
export interface QuarantinedInstance {
  scaleSetId: string;
  instanceId: string;
  attemptId: string;
  since: Instant;
  error: string;
}

/**
 * A version that is held back until a person lifts that. From one set: it was reverted there, and automatic rollouts leave the
 * set out (ours). From the whole fleet: its rollout was aborted, or it broke its canary, and it is not chosen again (rule D7).
 */
export interface HeldVersion {
  /** Null: from the whole fleet. */
  scaleSetId: string | null;
  version: ImageVersion;
  who: string;
  why: string;
  since: Instant;
}

// --- claims ------------------------------------------------------------------------------------------------------------

export interface ClaimAnswer {
  /** The value held, or null while it waits. */
  value: string | null;
  /** Not before this instant may the holder act: nobody who conflicted acted later than that. */
  notBefore: Instant;
  /** Who stands in the way of a claim that waits. */
  blockedBy: Claim[];
}

// --- desired state -------------------------------------------------------------------------------------------------------

/** `superseded` is never a person's order: a newer version of the image has come (rule D7). */
export type DesiredState = 'running' | 'paused' | 'superseded' | 'cancelled';

/** What a person can order. */
export type OrderedState = Exclude<DesiredState, 'superseded'>;

/** What was ordered, mostly by a person, for a scope (see `domain/scopes.ts`): the strongest order of all that apply is in force. */
export interface Order {
  scope: string;
  state: DesiredState;
  who: string;
  why: string;
  at: Instant;
}

// --- journal -------------------------------------------------------------------------------------------------------------

export interface RecordedEntry extends JournalEntry {
  /** Rises in the order of recording. */
  seq: number;
  /** Wall clock, milliseconds since the Unix epoch. */
  recordedAt: number;
}
