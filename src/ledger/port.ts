import type { AttemptKind } from '../domain/attempt-kinds.ts';
import type { Claim, ClaimRequest } from '../domain/claims.ts';
import type { Instant } from '../domain/clock.ts';
import type { EligibilityWarning } from '../domain/eligibility.ts';
import type { Image, ImageVersion } from '../domain/image.ts';
import type { JournalEntry, Observed, SetCounts } from '../domain/operation.ts';
import type { Calendar } from './calendar-records.ts';
import type {
  Reason,
  RolloutStatus,
  Rollout,
  EarlierImage,
  QuarantinedInstance,
  HeldVersion,
  PhaseVerdict,
  PhaseRecord,
  Decision,
  Release,
  TargetStatus,
  Target,
  AttemptStatus,
  Progress,
  Attempt,
  InstanceOutcome,
  AttemptInstance,
  TakenInstance,
  Batch,
  ClaimAnswer,
  Order,
  RecordedEntry,
} from './records.ts';
import type { Statistics } from './statistics-records.ts';
import type { Deliveries, Watchers } from './watcher-records.ts';

export type * from './records.ts';
export type * from './calendar-records.ts';
export type * from './watcher-records.ts';

export type { LedgerStatistics, Statistics } from './statistics-records.ts';

/** An OS upgrade without parameters, unless it says otherwise. */
export type NewRollout = Omit<Rollout, 'status' | 'reason' | 'endedAt' | 'action' | 'parameters' | 'why'> &
  Partial<Pick<Rollout, 'action' | 'parameters' | 'why'>>;

export interface Rollouts {
  /** Records a rollout. @throws AlreadyRecordedError when there is one of its id: of several at once, one is recorded */
  create(rollout: NewRollout): Promise<Rollout>;
  get(id: string): Promise<Rollout | null>;
  /** Newest first. */
  list(filter?: { imageKey?: string; status?: RolloutStatus; limit?: number }): Promise<Rollout[]>;
  /** The last generation number used for this version of this image; 0 if none (rule D9). */
  lastGeneration(target: ImageVersion): Promise<number>;
  /**
   * A rollout that has ended stays as it ended, and none is halted or resumed by what was decided before its status was:
   * a worker that was away may report late what has long been overtaken.
   * @param asOf when that was decided on; `at` if absent
   */
  setStatus(
    id: string,
    status: RolloutStatus,
    at: Instant,
    reason: Reason | null,
    asOf?: Instant,
  ): Promise<void>;
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

export interface Targets {
  /** Records targets; those that are there already stay as they are. */
  add(targets: readonly Target[]): Promise<void>;
  /**
   * @param whileIn changes it only as long as it is in this status
   * @returns false when it is in another one
   * @throws NotRecordedError when it was never added
   */
  update(
    key: { rolloutId: string; scaleSetId: string },
    change: Partial<Pick<Target, 'status' | 'attemptId' | 'reason' | 'round' | 'seenAt' | 'triggerAt'>>,
    whileIn?: TargetStatus,
  ): Promise<boolean>;
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

/** A batch of new OS disks of the attempt's target, unless it says otherwise. */
export type NewBatch = Omit<Batch, 'endedAt' | 'instanceIds' | 'action' | 'to'> &
  Partial<Pick<Batch, 'action' | 'to'>> & {
    /** The whole set as it was seen when the batch was decided on, and the override that let it begin, if one had to. */
    observed: SetCounts & Pick<Observed, 'override'>;
    /** The calendar's revision that it was decided by; absent where windows and freezes do not bind it (rule D10). */
    calendar?: number;
  };

/** How an attempt's instance ended. */
export interface EndedInstance<Outcome extends InstanceOutcome = InstanceOutcome> {
  instanceId: string;
  outcome: Outcome;
  error: string | null;
  /** Null if absent: its restore did not fail, or nobody knows why. */
  restoreError?: string | null;
}

/** Who writes: an attempt, by the fence that it was opened or taken over with. */
export interface Writer {
  id: string;
  fence: number;
  /** Its set, where that is known: it need not be looked up then. */
  scaleSetId?: string;
}

export interface Attempts {
  /**
   * Opens the set's next attempt, or takes over the one that is still open, with a higher fence (rule B12). The attempt
   * that the same workflow run has opened for the same rollout is answered unchanged, also when it has ended.
   * @returns the attempt, and whether it was taken over; or the attempt of a workflow that must not be taken over
   *   (`mayTakeOver` said no), as `conflict`
   */
  open(
    request: Omit<
      Attempt,
      'id' | 'number' | 'fence' | 'warnings' | 'status' | 'reason' | 'progress' | 'startedAt' | 'endedAt'
    > & {
      /** None if absent. */
      warnings?: EligibilityWarning[];
      /** How long its instances may take to become healthy (rule B5): for the journal. */
      healthTimeout: number;
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
  listOf(filter: {
    scaleSetId?: string;
    rolloutId?: string;
    kinds?: readonly AttemptKind[];
    limit?: number;
  }): Promise<Attempt[]>;
  instances(attemptId: string): Promise<AttemptInstance[]>;
  batches(attemptId: string): Promise<Batch[]>;
  /** Both at once, for less than the two: the batches, and the instances of these. */
  taken(attemptId: string): Promise<{ batches: Batch[]; instances: TakenInstance[] }>;
  /**
   * Records a batch and its instances in progress, once: a number that is there already stays as it is.
   * @returns the batch as it is recorded; null, and nothing is, if the calendar has changed since it was decided on
   */
  openBatch(
    attempt: Writer,
    batch: NewBatch,
    instances: {
      instanceId: string;
      zone: string | null;
      updateDomain: number | null;
      from: ImageVersion | null;
      wasHealthy: boolean;
    }[],
    progress: Progress,
  ): Promise<Batch | null>;
  /**
   * Records how a batch's instances ended; those already recorded stay as they are.
   * @param waits lines of their waits for the journal, of which each is recorded once
   */
  closeBatch(
    attempt: Writer,
    batch: number,
    outcomes: EndedInstance[],
    at: Instant,
    waits?: readonly JournalEntry[],
  ): Promise<void>;
  /** Instances that were left and have been restored since: the only outcome that may change (rule B7). */
  amendOutcomes(
    attempt: Writer,
    outcomes: EndedInstance<'restored' | 'restoreFailed'>[],
    at: Instant,
  ): Promise<void>;
  /** What a set's instances ran before each change, newest first; reverts and repairs are not among the changes. */
  earlierImages(scaleSetId: string): Promise<EarlierImage[]>;
  /** Tells the journal that nobody acts for the attempt any more, which stays open for whoever takes it over. */
  giveUp(attempt: Writer, reason: Reason, at: Instant): Promise<void>;
  /** Records what the attempt is to end with, before failed instances are restored for it (rule B7). */
  recordBreach(attempt: Writer, reason: Reason): Promise<void>;
  setProgress(attempt: Writer, progress: Progress): Promise<void>;
  close(
    attempt: Writer,
    status: Exclude<AttemptStatus, 'RollingForward'>,
    reason: Reason | null,
    progress: Progress,
    at: Instant,
  ): Promise<void>;
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

/** Instances whose restore failed. They come in with the outcome that an attempt records. */
export interface Quarantine {
  /** Those that are in it now, longest first. */
  list(filter?: { scaleSetId?: string }): Promise<QuarantinedInstance[]>;
  /** Takes instances out; those that are not in it are passed over. */
  release(scaleSetId: string, instanceIds: readonly string[], at: Instant, by: string): Promise<void>;
}

/** Versions that are held back from a set, or from the whole fleet. */
export interface HeldVersions {
  /** Holds a version; one that is held already stays as it is. */
  hold(held: HeldVersion): Promise<void>;
  lift(scaleSetId: string | null, version: ImageVersion, at: Instant, by: string): Promise<void>;
  /** Those that are held now, longest first; from a set, from the whole fleet (`null`), or all. */
  list(filter?: { scaleSetId?: string | null }): Promise<HeldVersion[]>;
}

export interface Orders {
  set(order: Order): Promise<void>;
  /** The order in force over these scopes (cancelled before superseded before paused before running), or null if there is none. */
  inForce(scopes: readonly string[]): Promise<Order | null>;
  /** Orders as they stand now, or all that were ever given, newest first. */
  list(filter?: { scope?: string; all?: boolean }): Promise<Order[]>;
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
  calendar: Calendar;
  journal: Journal;
  quarantine: Quarantine;
  heldVersions: HeldVersions;
  statistics: Statistics;
  watchers: Watchers;
  deliveries: Deliveries;
}
