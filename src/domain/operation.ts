import type { AttemptKind, BatchAction } from './attempt-kinds.ts';
import type { CalendarRule } from './calendar.ts';
import type { Instant } from './clock.ts';
import type { Image } from './image.ts';
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
  /** Its owner protects it, and the attempt had begun nothing on it. */
  InstanceProtected: 'InstanceProtected',
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

/**
 * True for an instance that was protected when its turn came: it was taken into a batch and never touched, and is none of those
 * that were upgraded. `error` as above.
 */
export function isSpared(error: string | null): boolean {
  return error !== null && error.startsWith(`${operationErrorCodes.InstanceProtected}:`);
}

const MODEL_FAULTS = [operationErrorCodes.CredentialExpired, operationErrorCodes.ExternalResourceUnavailable];

/**
 * What the journal tells of beside operations: waits, how attempts and batches came and went, and the rules of when batches may begin,
 * as they were laid down (`started`) and taken back (`succeeded`).
 */
export type JournalEvent = 'health.wait' | 'attempt' | 'takeOver' | 'giveUp' | 'batch' | CalendarRule['kind'];

/** A scale set as it was counted when a batch was decided on. */
export interface SetCounts {
  /** All its instances (rules B1, B2, B8). */
  instances: number;
  unhealthy: number;
  /** Those that the attempt has taken so far and that still exist, and how many of these are unhealthy (rule B7). */
  upgraded: number;
  upgradedUnhealthy: number;
  /** Those still to be taken, by zone and update domain: see `placeKey` (rule B3). */
  pending: Record<string, number>;
}

/** `1/0`: zone 1, update domain 0; `-` for none. */
export function placeKey({
  zone,
  updateDomain,
}: {
  zone: string | null;
  updateDomain: number | null;
}): string {
  return `${zone ?? '-'}/${updateDomain ?? '-'}`;
}

/**
 * What was seen at the moment that a line tells of: enough to judge afterwards whether it was right to go on. On the line
 * of a swap `instances` is what the fleet itself counted.
 */
export interface Observed extends Partial<SetCounts> {
  /** Those that a batch took. */
  members?: string[];
  action?: BatchAction;
  /** The revision of the calendar that a batch was decided by (rule D10). */
  calendar?: number;
  /** The id of the override without which a batch would not have begun (rule D10). */
  override?: string;
  /** Of a line about a rule of when batches may begin: as it was laid down; if it was taken back, by whom and why. */
  rule?: CalendarRule;
  removed?: { who: string; why: string };
  /** How many of a batch ended how. */
  outcomes?: Record<string, number>;
  /** Those of a batch that were deleted while it ran. */
  gone?: string[];
  /** What was warned of before an attempt's first batch (rule C8). */
  warnings?: string[];
  /** What an attempt goes by. */
  attempt?: {
    kind: AttemptKind;
    /** What is rolled out, as `imageKey` spells it; only platform images mind geo-pairs (rule D1). */
    image: string;
    imageKind: Image['kind'];
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
  /** Empty where a line is of the whole set: attempts and batches. So are all ids of a line about more than one set. */
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

/**
 * Why an instance ended as it did, in one text: why it failed, and, where its restore failed as well, first why that did.
 * Each is `<code>: <message>`; null where neither is known.
 */
export function failureReason({
  error,
  restoreError = null,
}: {
  error: string | null;
  restoreError?: string | null;
}): string | null {
  if (restoreError === null || error === null) return restoreError ?? error;
  return `${restoreError} It had failed before: ${error}`;
}
