import { APPROVAL_NEEDED, APPROVAL_ROUND } from '../../domain/phase-gate.ts';
import type { DecisionKind, PhaseVerdict, Reason } from '../../ledger/port.ts';

/** What a halted rollout waits for a decision about: a phase's round, or its approval (`APPROVAL_ROUND`). */
export interface Halt {
  phase: number;
  round: number;
}

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

/** Why a rollout waits for a person before a phase of its plan (rule D2). */
export function approvalReason(phase: number, name: string): Reason {
  return {
    code: APPROVAL_NEEDED,
    message: `Phase ${phase} (${name}) begins only once a person has approved it.`,
  };
}

/** What a rollout that is halted waits for, for people. */
export function awaitedOf({ phase, round }: Halt): string {
  return round === APPROVAL_ROUND ? `approval of phase ${phase}` : 'a decision: proceed, retry or abort';
}

/** Why a decision is refused, or null: it has to be about what the rollout waits for, and to make sense there. */
export function refusalOf(
  halt: Readonly<Halt> | null,
  { decision, phase, round }: Halt & { decision: DecisionKind },
): string | null {
  const isMeant = halt?.phase === phase && halt.round === round;
  if (isMeant && decision === 'retry' && round === APPROVAL_ROUND)
    return `Phase ${phase} has not begun, so there is nothing to try again: proceed approves it, abort ends the rollout.`;
  if (isMeant) return null;
  const state = halt === null ? 'is not halted' : `waits for a decision about ${placeOf(halt)}`;
  return `A decision about ${placeOf({ phase, round })} is not possible: the rollout ${state}.`;
}

function placeOf({ phase, round }: Halt): string {
  return round === APPROVAL_ROUND ? `the approval of phase ${phase}` : `phase ${phase}, round ${round}`;
}
