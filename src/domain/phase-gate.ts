import type { Duration } from './clock.ts';
import type { RolloutSettings } from './policy.ts';

/** What a phase's plan may say for itself; where it says nothing, the rollout's settings hold. */
export interface PhaseOverrides {
  /** Share of its eligible VMs that may fail before the rollout halts (rule D2). */
  failureTolerancePercent?: number;
  /** How long its VMs run on the new version before they are judged (rule D3). */
  bakeTime?: Duration;
  /** True: it begins only once a person has approved it (rule D2). */
  approval?: boolean;
}

/** What stands before a phase, and between it and the next one. */
export type PhaseGate = Required<PhaseOverrides>;

/** What holds for a phase. */
export function gateOf(
  own: PhaseOverrides | undefined,
  settings: Pick<RolloutSettings, 'failureTolerancePercent' | 'bakeTime'>,
): PhaseGate {
  return {
    failureTolerancePercent: own?.failureTolerancePercent ?? settings.failureTolerancePercent,
    bakeTime: own?.bakeTime ?? settings.bakeTime,
    approval: own?.approval ?? false,
  };
}

/** The round of a phase that comes before its first: what is decided about it is whether the phase may begin. */
export const APPROVAL_ROUND = 0;

/** Why a rollout is halted that waits for an approval, not for a decision about failures. */
export const APPROVAL_NEEDED = 'ApprovalNeeded';
