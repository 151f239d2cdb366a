import type { AttemptKind, BatchAction } from './attempt-kinds.ts';
import type { Instant } from './clock.ts';
import type { RollingUpgradePolicy } from './scale-set.ts';

/** Operations that a fleet performs on an instance, by the names that the journal uses. */
export type FleetOperation = 'osDisk.swap' | 'osDisk.restore' | 'model.apply' | 'extension.run';

/** The order of one attempt's operations on one instance: an operation never follows one that stands later here. */
export const OPERATION_ORDER: readonly FleetOperation[] = [
  'osDisk.swap',
  'model.apply',
  'extension.run',
  'osDisk.restore',
];

/** Codes of `OperationError`. */
export const operationErrorCodes = {
  /** A later operation, attempt or take-over has overtaken this one. */
  Fenced: 'Fenced',
  InstanceNotFound: 'InstanceNotFound',
  OsDiskSwapFailed: 'OsDiskSwapFailed',
  OsDiskRestoreFailed: 'OsDiskRestoreFailed',
  NoPreviousOsDisk: 'NoPreviousOsDisk',
  ExtensionFailed: 'ExtensionFailed',
  /** The model's fault, not the instance's: rule B11. */
  CredentialExpired: 'CredentialExpired',
  /** The model's fault, not the instance's: rule B11. */
  ExternalResourceUnavailable: 'ExternalResourceUnavailable',
} as const;

/** True for a fault of the model rather than of one instance: it ends the attempt (rule B11). `error` is `<code>: <message>`. */
export function isModelFault(error: string | null): boolean {
  return error !== null && MODEL_FAULTS.some((code) => error.startsWith(`${code}:`));
}

const MODEL_FAULTS = [operationErrorCodes.CredentialExpired, operationErrorCodes.ExternalResourceUnavailable];

/** What the journal tells of beside operations: waits, and how attempts and batches came and went. */
export type JournalEvent = 'health.wait' | 'attempt' | 'takeOver' | 'batch';

/** What was seen at the moment that a line tells of: enough to judge afterwards whether it was right to go on. */
export interface Observed {
  /** Instances of the scale set: of a swap as the fleet counted them. */
  instances?: number;
  /** How many of them were unhealthy. */
  unhealthy?: number;
  /** Those that a batch took. */
  members?: string[];
  action?: BatchAction;
  /** How many of a batch ended how. */
  outcomes?: Record<string, number>;
  /** What an attempt goes by. */
  attempt?: {
    kind: AttemptKind;
    startedBy: 'Platform' | 'User';
    restoresOnFailure: boolean;
    policy: RollingUpgradePolicy;
    /** Milliseconds (rule B5). */
    healthTimeout: number;
  };
}

/** One line of the journal (rule E4). It only grows, and it proves afterwards what was done. */
export interface JournalEntry {
  /** Virtual time at which it happened. */
  at: Instant;
  operation: FleetOperation | JournalEvent;
  event: 'started' | 'succeeded' | 'failed';
  scaleSetId: string;
  /** Empty where a line is of the whole set: attempts and batches. */
  instanceId: string;
  region: string;
  zone: string | null;
  updateDomain: number | null;
  rolloutId: string;
  attemptId: string;
  fromVersion: string | null;
  toVersion: string | null;
  /** What of the operation, e.g. the extension's name, or the batch's number. */
  detail: string | null;
  error: string | null;
  observed?: Observed;
}
