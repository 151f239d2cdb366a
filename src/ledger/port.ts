import type { Claim, ClaimRequest } from '../domain/claims.ts';
import type { Instant } from '../domain/clock.ts';
import type { Image, ImageVersion } from '../domain/image.ts';
import type { JournalEntry } from '../domain/operation.ts';
import type { PhasePlan } from '../domain/phases.ts';
import type { RolloutSettings } from '../domain/policy.ts';
import type { RollingUpgradePolicy } from '../domain/scale-set.ts';

/** Why something ended or was ordered, by a code that programs read and a text that people do. */
export interface Reason {
  code: string;
  message: string;
}

// --- rollouts ---------------------------------------------------------------------------------------------------

/** `platform` and `gallery` rollouts are automatic; `manual` is one scale set, begun by a person (rule D8). */
export type RolloutKind = 'platform' | 'gallery' | 'manual';
export type RolloutStatus = 'Running' | 'Halted' | 'Completed' | 'Faulted' | 'Cancelled' | 'Superseded';

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
  startedBy: string;
  startedAt: Instant;
  endedAt: Instant | null;
}

export interface Rollouts {
  /** Records a rollout; one that is there already stays as it is. Answers with what is recorded. */
  create(rollout: Omit<Rollout, 'status' | 'reason' | 'endedAt'>): Promise<Rollout>;
  get(id: string): Promise<Rollout | null>;
  /** Newest first. */
  list(filter?: { imageKey?: string; status?: RolloutStatus; limit?: number }): Promise<Rollout[]>;
  /** The last generation number used for this version of this image; 0 if none (rule D9). */
  lastGeneration(target: ImageVersion): Promise<number>;
  setStatus(id: string, status: RolloutStatus, at: Instant, reason: Reason | null): Promise<void>;
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

export interface Phases {
  /** Records the start of a phase's round, once, and the release of the version in its regions (rules D6, D9). */
  open(record: {
    rolloutId: string;
    phase: number;
    round: number;
    at: Instant;
    target: ImageVersion;
    regions: string[];
  }): Promise<void>;
  bake(
    key: { rolloutId: string; phase: number; round: number },
    since: Instant,
    until: Instant,
  ): Promise<void>;
  judge(
    key: { rolloutId: string; phase: number; round: number },
    verdict: PhaseVerdict,
    at: Instant,
  ): Promise<void>;
  list(rolloutId: string): Promise<PhaseRecord[]>;
  /** Records a person's decision; the first one for a phase's round stands, except that `abort` always wins. */
  decide(decision: Decision): Promise<Decision>;
  decisions(rolloutId: string): Promise<Decision[]>;
  /** Every version released in a region of an image, newest version first. */
  releases(image: Image, region: string): Promise<Release[]>;
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

export interface Targets {
  /** Records targets; those that are there already stay as they are. */
  add(targets: readonly Target[]): Promise<void>;
  update(
    key: { rolloutId: string; scaleSetId: string },
    change: Partial<Pick<Target, 'status' | 'attemptId' | 'reason' | 'round' | 'seenAt' | 'triggerAt'>>,
  ): Promise<void>;
  get(rolloutId: string, scaleSetId: string): Promise<Target | null>;
  /** In the order of trigger time, then id. */
  list(filter: {
    rolloutId: string;
    region?: string;
    phase?: number;
    status?: TargetStatus[];
  }): Promise<Target[]>;
  /** True when any rollout has ever triggered an automatic upgrade of the set: the first one may take longer (rule D6). */
  wasEverTriggered(scaleSetId: string): Promise<boolean>;
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
  startedBy: 'Platform' | 'User';
  target: ImageVersion;
  policy: RollingUpgradePolicy;
  /** The previous OS disk comes back when an instance is not healthy in time (rule B6). */
  restoresOnFailure: boolean;
  status: AttemptStatus;
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
  from: ImageVersion | null;
  /** Null while it is in progress. */
  outcome: InstanceOutcome | null;
  error: string | null;
}

export interface Batch {
  number: number;
  zone: string | null;
  updateDomain: number | null;
  instanceIds: string[];
  startedAt: Instant;
  endedAt: Instant | null;
}

export interface Attempts {
  /**
   * Opens the set's next attempt, or takes over the one that is still open, with a higher fence (rule B12). An open
   * attempt of the same workflow run is answered unchanged.
   * @returns the attempt, and whether it was taken over; or the attempt of a workflow that must not be taken over
   *   (`mayTakeOver` said no), as `conflict`
   */
  open(
    request: Omit<
      Attempt,
      'id' | 'number' | 'fence' | 'status' | 'reason' | 'progress' | 'startedAt' | 'endedAt'
    > & {
      /** Run of the workflow that opens it: the same run may ask again. */
      runId: string;
      at: Instant;
    },
    mayTakeOver: (open: Attempt) => Promise<boolean>,
  ): Promise<{ kind: 'opened' | 'takenOver' | 'conflict'; attempt: Attempt }>;
  get(id: string): Promise<Attempt | null>;
  openOf(scaleSetId: string): Promise<Attempt | null>;
  /** Attempts that are open, of a rollout or of all. */
  listOpen(filter?: { rolloutId?: string }): Promise<Attempt[]>;
  /** Newest first. */
  listOf(filter: { scaleSetId?: string; rolloutId?: string; limit?: number }): Promise<Attempt[]>;
  instances(attemptId: string): Promise<AttemptInstance[]>;
  batches(attemptId: string): Promise<Batch[]>;
  /** Records a batch and its instances in progress, once: a number that is there already stays as it is. */
  openBatch(
    attempt: { id: string; fence: number },
    batch: Omit<Batch, 'endedAt' | 'instanceIds'>,
    instances: {
      instanceId: string;
      zone: string | null;
      updateDomain: number | null;
      from: ImageVersion | null;
    }[],
    progress: Progress,
  ): Promise<void>;
  /** Records how a batch's instances ended; those already recorded stay as they are. */
  closeBatch(
    attempt: { id: string; fence: number },
    batch: number,
    outcomes: { instanceId: string; outcome: InstanceOutcome; error: string | null }[],
    at: Instant,
  ): Promise<void>;
  setProgress(attempt: { id: string; fence: number }, progress: Progress): Promise<void>;
  close(
    attempt: { id: string; fence: number },
    status: Exclude<AttemptStatus, 'RollingForward'>,
    reason: Reason | null,
    progress: Progress,
    at: Instant,
  ): Promise<void>;
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

export interface Claims {
  /** Asks, or asks again: a holder that already holds one of the accepted values keeps it, one that waits keeps its place. */
  request(request: ClaimRequest, at: Instant): Promise<ClaimAnswer>;
  /** Gives up a holder's claim in a group, held or waiting; answers with the workflows to wake. */
  release(group: string, holder: string, at: Instant): Promise<string[]>;
  /** The same in all groups. */
  releaseAll(holder: string, at: Instant): Promise<string[]>;
  list(filter?: { group?: string; holder?: string }): Promise<Claim[]>;
}

// --- desired state -------------------------------------------------------------------------------------------------------

export type DesiredState = 'running' | 'paused' | 'cancelled';

/** What a person ordered for a scope (see `domain/scopes.ts`): the strongest order of all that apply is in force. */
export interface Order {
  scope: string;
  state: DesiredState;
  who: string;
  why: string;
  at: Instant;
}

export interface Orders {
  set(order: Order): Promise<void>;
  /** The order in force over these scopes (cancelled before paused before running), or null if there is none. */
  inForce(scopes: readonly string[]): Promise<Order | null>;
  /** Orders as they stand now, or all that were ever given, newest first. */
  list(filter?: { scope?: string; all?: boolean }): Promise<Order[]>;
}

// --- journal -------------------------------------------------------------------------------------------------------------

export interface RecordedEntry extends JournalEntry {
  /** Rises in the order of recording. */
  seq: number;
  /** Wall clock, milliseconds since the Unix epoch. */
  recordedAt: number;
}

export interface Journal {
  /** Appends entries of waits on instances; the same wait's same event is recorded once. */
  appendOnce(entries: readonly JournalEntry[]): Promise<void>;
  /** In the order of `seq`, from after `after`. */
  read(filter: {
    rolloutId?: string;
    scaleSetId?: string;
    after?: number;
    limit?: number;
  }): Promise<RecordedEntry[]>;
}

/** What the orchestrator must remember: the same for every cloud. Every method is one transaction; ids ignore case. */
export interface Ledger {
  rollouts: Rollouts;
  phases: Phases;
  targets: Targets;
  attempts: Attempts;
  claims: Claims;
  orders: Orders;
  journal: Journal;
}
