import type { BatchAction } from '../domain/attempt-kinds.ts';
import type { Instant } from '../domain/clock.ts';
import type { ImageVersion } from '../domain/image.ts';
import type { RolloutSettings } from '../domain/policy.ts';
import type { AttemptStatus, DesiredState, PhaseVerdict, Progress, Reason } from '../ledger/port.ts';
import type { RegionCounts } from '../workflows/messages.ts';

/** What workflows hand to activities and get back: plain JSON. `at` is virtual time as the workflow knows it. */

export interface AttemptRef {
  id: string;
  fence: number;
  number: number;
}

// --- a scale set ---------------------------------------------------------------------------------------------------------

export interface ScaleSetLookInput {
  rolloutId: string;
  scaleSetId: string;
  phase: number | null;
  region: string;
  workflow: { id: string; runId: string };
  /** Undefined at the first look, which opens or takes over the attempt. */
  attempt?: AttemptRef;
  /** Temporal's own Cancel was asked of the workflow. */
  cancelRequested: boolean;
  /** Only finish what is half done: the rollout that began it is gone. */
  windDown: boolean;
  at: Instant;
}

/** What the workflow of a scale set does next. */
export type ScaleSetLook = { attempt: AttemptRef; progress: Progress } & (
  | {
      kind: 'batch';
      batch: number;
      zone: string | null;
      updateDomain: number | null;
      instanceIds: string[];
      action: BatchAction;
      /** The attempt's, which may be a terminated rollout's that is wound down. */
      rolloutId: string;
      target: ImageVersion;
      restoresOnFailure: boolean;
    }
  /** Failed instances are restored before the attempt ends (rule B7). */
  | { kind: 'rollBack'; instanceIds: string[]; rolloutId: string; target: ImageVersion }
  | {
      kind: 'wait';
      what: string;
      until: Instant | null;
      /** When to look although `until` is later: what is waited for may change. */
      lookAgainAt?: Instant;
    }
  /** `foreign`: it was an earlier rollout's attempt that was wound down; the set's own turn comes now. */
  | {
      kind: 'finished';
      status: Exclude<AttemptStatus, 'RollingForward'>;
      reason: Reason | null;
      foreign: boolean;
    }
  | { kind: 'conflict'; reason: Reason }
);

export interface GiveUpInput {
  rolloutId: string;
  scaleSetId: string;
  region: string;
  /** What the cloud's API said last. */
  why: string;
  at: Instant;
}

// --- a batch ---------------------------------------------------------------------------------------------------------------

export interface BatchInput {
  rolloutId: string;
  scaleSetId: string;
  attempt: AttemptRef;
  batch: number;
  action: BatchAction;
  /** What its instances run in the end, if all goes well. */
  target: ImageVersion;
  instanceIds: string[];
  at: Instant;
}

/** Instances that failed in any batch of an attempt, to be restored before it ends (rule B7). */
export type RollBackInput = Omit<BatchInput, 'batch' | 'action'>;

/** How far a step of a batch is. */
export interface StepResult {
  /** When the operations that were begun are expected to have ended; null if none runs. */
  pendingUntil: Instant | null;
  /** The step could not begin everything yet, or must see its own end: it is to be repeated then. */
  incomplete: boolean;
}

export interface HealthInput extends BatchInput {
  restoresOnFailure: boolean;
  /** Workflows of the first release do not give the number of readings. */
  settings: Pick<RolloutSettings, 'healthTimeout' | 'healthPollInterval'> & { healthyReadings?: number };
}

export interface FailedInstance {
  instanceId: string;
  error: string;
}

/** After the restores: what went wrong is known from before, since a restored instance does not show it any more. */
export interface CloseBatchInput extends HealthInput {
  failures: FailedInstance[];
}

export interface HealthResult {
  healthy: number;
  /** When to look again, or null when every instance is judged. */
  nextLookAt: Instant | null;
  waiting: number;
  /** To be restored (rule B6), and why; empty when there is nothing to restore, and then the batch has been closed. */
  toRestore: FailedInstance[];
  /** Failed and left as they are (rules B6 and B11). */
  left: number;
}

// --- a region ----------------------------------------------------------------------------------------------------------------

export interface RegionLookInput {
  rolloutId: string;
  phase: number;
  round: number;
  region: string;
  workflowId: string;
  /** Scale sets that this run has started and whose workflow has not ended as far as it knows. */
  mine: string[];
  /** Scale sets whose workflow failed so often that it is not started again. */
  giveUp: string[];
  /** Read the fleet for sets that are due, and not only the ledger. */
  scan: boolean;
  cancelRequested: boolean;
  at: Instant;
}

export interface RegionLook {
  start: { scaleSetId: string; name: string }[];
  counts: RegionCounts;
  /** Scale sets that are being upgraded by workflows that this run did not start. */
  strangers: string[];
  /** Of the strangers those that a cancel of the region goes on to; empty unless it was cancelled through Temporal. */
  own: string[];
  done: boolean;
  cancelled: Reason | null;
  /** What the region waits for, and the next moment at which something is due; null when only a wake-up can help. */
  waitingFor: string;
  nextAt: Instant | null;
}

// --- a phase and the whole rollout ---------------------------------------------------------------------------------------------

export interface PhaseKey {
  rolloutId: string;
  phase: number;
  round: number;
}

export interface OrderLook {
  state: DesiredState;
  reason: Reason | null;
}

export interface JudgeInput extends PhaseKey {
  /** The VMs of sets that can't be read count as failed: they have been asked for long enough. */
  countsUnreadable?: boolean;
  at: Instant;
}

export interface JudgeResult {
  verdict: PhaseVerdict;
  withinTolerance: boolean;
}
