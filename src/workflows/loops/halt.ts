import type { PhaseVerdict, Reason } from '../../ledger/port.ts';

/** Why a rollout waits for a person (rule D2). @param tolerance percent */
export function haltReason(
  phase: number,
  { failed, eligible, failures }: PhaseVerdict,
  tolerance: number,
): Reason {
  return {
    code: 'FailureToleranceExceeded',
    message: `Phase ${phase}: ${failed} of ${eligible} eligible VMs failed, more than the tolerance of ${tolerance}%. First: ${failures[0] ?? 'unknown'}.`,
  };
}
