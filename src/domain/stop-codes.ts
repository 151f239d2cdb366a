import { CANCELLED_THROUGH_TEMPORAL } from './cancel.ts';

/** Why an attempt stopped or is to stop, or what it left alone: a code for machines, a sentence for people. */
export interface StopReason {
  code: string;
  message: string;
}

/** Azure's codes of the ways in which an upgrade stops by itself, and ours. */
export const stopCodes = {
  beforeUpgrade: 'MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade',
  inUpgrade: 'MaxUnhealthyInstancePercentExceededInRollingUpgrade',
  upgradedUnhealthy: 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade',
  extensionResource: 'ExtensionResourceUnavailable',
  /** Of an update to the model or a repair, which no threshold stops. */
  notHealthy: 'InstancesNotHealthy',
  /** By an operator's order. */
  cancelled: 'Cancelled',
  /** By Temporal's own Cancel, of the set's workflow or of one above it. */
  cancelRequested: CANCELLED_THROUGH_TEMPORAL.code,
  optedOut: 'OptedOut',
  /** The set does not meet the rules of part C any longer. */
  notEligible: 'NotEligible',
  superseded: 'Superseded',
  /** The workflow was terminated and the attempt has been wound down. */
  interrupted: 'Interrupted',
  /** The cloud's API has not answered for the set for long, and for others it has. */
  unreachable: 'ScaleSetUnreachable',
  /** The scale set is gone. */
  deleted: 'ScaleSetDeleted',
} as const;

/** To stop by somebody's wish is no fault; that the set can't be upgraded any further is one. */
export function stopStatus({ code }: StopReason): 'Cancelled' | 'Faulted' {
  return code === stopCodes.notEligible ? 'Faulted' : 'Cancelled';
}

/** True when an attempt ended since its set is none of the rollout's any longer: it leaves the sum (rules C1, D2). */
export function hasLeftRollout(reason: StopReason | null): boolean {
  return reason?.code === stopCodes.optedOut || reason?.code === stopCodes.notEligible;
}
