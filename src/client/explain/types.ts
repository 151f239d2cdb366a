import type { AttemptKind } from '../../domain/attempt-kinds.ts';
import type { Instant } from '../../domain/clock.ts';
import type { HealthProblem } from '../../domain/health-problems.ts';
import type { RollingUpgradePolicy, UpgradePolicy } from '../../domain/scale-set.ts';
import type { InstanceOutcome, Reason, RolloutStatus, TargetStatus } from '../../ledger/port.ts';
import type { PlacedWait } from '../status.ts';
import type { BatchView } from '../view/index.ts';
import type { WorkflowState } from '../workflow-state.ts';

/*
 * Why a scale set is, is not, or is not yet upgraded, as plain JSON. Instants and durations are virtual milliseconds. It comes
 * from the fleet and the ledger; Temporal only adds what a workflow says of itself.
 */

export interface Explanation {
  now: Instant;
  scaleSet: ExplainedSet;
  verdict: Verdict;
  /** Everything that is against an upgrade to the version, not only the first. Empty does not mean that nothing is waited for. */
  reasons: ExplainedReason[];
  /** What prevents nothing and may yet go wrong. */
  warnings: ExplainedReason[];
  waitsFor: ExplainedWait[];
  /** The rollout of the version that concerns the set; null when there is none. */
  rollout: ExplainedRollout | null;
  /** The set's newest attempt, whatever it did; null when nothing was ever done. */
  attempt: ExplainedAttempt | null;
  /** Its instances by how they stand, and by what makes them unhealthy: an instance can be in several groups. */
  instances: { total: number; healthy: number; groups: InstanceGroup[]; unhealthy: InstanceGroup[] };
  /** Only where one instance was asked for. */
  instance?: ExplainedInstance;
  /** Versions that are newer than the one that this is about, and why it is not about them; the newest first. */
  newer: NewerVersion[];
  temporal: TemporalWord;
  /** What a person can do, the most direct first. */
  advice: Advice[];
}

export interface ExplainedSet {
  /** ARM id. */
  id: string;
  name: string;
  region: string;
  /** As the model says: `publisher:offer:sku`, or the gallery image's name; and `latest`, or a version. */
  image: string;
  imageVersion: string;
  /** The image and version that this is about. */
  target: { image: string; version: string; from: VersionSource };
  /** How many instances run each version, the most frequent first; `null` of those without an OS disk. */
  runs: { image: string; version: string | null; instances: number }[];
  mode: UpgradePolicy['mode'];
  automatic: boolean;
  policy: RollingUpgradePolicy;
  restoresOnFailure: boolean;
}

/** Where the version comes from: asked for, brought by what runs now, released in the region, offered, or just installed. */
export type VersionSource = 'asked' | 'underWay' | 'released' | 'offered' | 'installed';

/**
 * `leftAlone`: all that may be upgraded is. `stopped`: an attempt ended before all was done. `notUpgraded`: see `reasons`.
 */
export type VerdictKind = 'upgraded' | 'upgrading' | 'waiting' | 'leftAlone' | 'stopped' | 'notUpgraded';

export interface Verdict {
  kind: VerdictKind;
  /** Follows on the name: `is not yet upgraded: waits for its trigger`. */
  text: string;
}

/** An eligibility reason, or another one; `rule` is empty where none of the numbered rules is behind it. */
export interface ExplainedReason {
  code: string;
  rule: string;
  message: string;
  fix: string;
  /** The command that does it, where there is one. */
  command: string | null;
}

export interface ExplainedWait extends PlacedWait {
  /** The rule behind it, or empty. */
  rule: string;
}

export interface ExplainedRollout {
  id: string;
  status: RolloutStatus;
  reason: Reason | null;
  startedBy: string;
  startedAt: Instant;
  endedAt: Instant | null;
  /** The phase that the set's region is in, and of how many; null of a manual one. */
  phase: { number: number; name: string; of: number } | null;
  /** How the rollout has the set on record; null before its region has seen it. */
  target: {
    status: TargetStatus;
    seenAt: Instant;
    triggerAt: Instant;
    round: number;
    reason: Reason | null;
  } | null;
}

export interface ExplainedAttempt {
  id: string;
  number: number;
  kind: AttemptKind;
  status: string;
  reason: Reason | null;
  version: string;
  who: string;
  startedAt: Instant;
  endedAt: Instant | null;
  /** The batch under way. */
  batch: BatchView | null;
  done: number;
  total: number;
}

/**
 * How an instance stands, by what decides first: `inBatch` now; `quarantined`; `onVersion`: nothing to do; then why it is left alone
 * or was; `pending`: it would be taken into a batch.
 */
export type InstanceState =
  'inBatch' | 'quarantined' | 'onVersion' | 'protected' | 'behindModel' | 'stopped' | 'failed' | 'pending';

export interface InstanceGroup {
  code: InstanceState | HealthProblem['code'];
  /** The rule behind it, or empty. */
  rule: string;
  text: string;
  instanceIds: string[];
  command: string | null;
}

export interface ExplainedInstance {
  instanceId: string;
  zone: string | null;
  updateDomain: number | null;
  faultDomain: number | null;
  image: string | null;
  version: string | null;
  state: InstanceState;
  rule: string;
  /** Follows on the name: `is protected by its owner`. */
  text: string;
  command: string | null;
  healthy: boolean;
  problems: HealthProblem[];
  /** The batch that it would be in as things are now; null where it is not to be upgraded. */
  turn: Omit<BatchView, 'startedAt'> | null;
  /** What the newest attempt that took it came to. */
  lastTry: {
    attempt: number;
    batch: number;
    outcome: InstanceOutcome | null;
    error: string | null;
  } | null;
}

export interface NewerVersion {
  version: string;
  message: string;
  command: string | null;
}

/** `notAsked`: no workflow could say more. `state` is that of the workflow that acts for the set. */
export type TemporalWord =
  | { kind: 'notAsked' }
  | { kind: 'unreachable'; message: string }
  | {
      kind: 'reached';
      workflowId: string;
      state: WorkflowState;
      /** Null when no worker answered. */
      doing: string | null;
      waitingFor: { what: string; until: Instant | null } | null;
      /** Something is done to the set, and no worker serves its region's queue. */
      isUnserved: boolean;
    };

/** What would change things. */
export interface Advice {
  what: string;
  /** Null where it is not done by a command of ours. */
  command: string | null;
}

export interface ExplainRequest {
  /** A scale set as `findScaleSet` takes it, or `<scale set>/<instance id>`. */
  id: string;
  /** The model's image if absent. */
  image?: string | undefined;
  /** The newest released one if absent, see `VersionSource`. */
  version?: string | undefined;
}
