import type { Instant } from './clock.ts';

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

/** One line of the journal (rule E4). It only grows, and it proves afterwards what was done. */
export interface JournalEntry {
  /** Virtual time at which it happened. */
  at: Instant;
  operation: FleetOperation | 'health.wait';
  event: 'started' | 'succeeded' | 'failed';
  scaleSetId: string;
  instanceId: string;
  region: string;
  zone: string | null;
  updateDomain: number | null;
  rolloutId: string;
  attemptId: string;
  fromVersion: string | null;
  toVersion: string | null;
  /** What of the operation, e.g. the extension's name. */
  detail: string | null;
  error: string | null;
}
