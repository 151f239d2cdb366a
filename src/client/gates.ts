import { humanDuration, type Instant } from '../domain/clock.ts';
import { APPROVAL_NEEDED, APPROVAL_ROUND, type PhaseOverrides } from '../domain/phase-gate.ts';
import type { Decision, PhaseRecord, Rollout } from '../ledger/port.ts';

/** What a halted rollout waits for a person about. */
export interface Awaited {
  kind: 'decision' | 'approval';
  phase: number;
  round: number;
  /** When what came before was judged. */
  since: Instant;
}

/**
 * What a rollout waits for a person about, as the ledger knows it: its last judged round, or the approval of the phase that
 * comes next (rule D2); null when it does not wait for one.
 * @param records its phases in their order
 */
export function awaitedBy(
  { status, reason, startedAt }: Pick<Rollout, 'status' | 'reason' | 'startedAt'>,
  records: readonly PhaseRecord[],
): Awaited | null {
  if (status !== 'Halted') return null;
  const judged = records.findLast((record) => record.judgedAt !== null);
  const { phase = 0, round = 1, judgedAt } = judged ?? {};
  const since = judgedAt ?? startedAt;
  if (reason?.code === APPROVAL_NEEDED)
    return { kind: 'approval', phase: phase + 1, round: APPROVAL_ROUND, since };
  return judged ? { kind: 'decision', phase, round, since } : null;
}

/** What a phase says for itself, each in a few words: `bake 2 h`, `tolerance 5 %`, `begins once a person has approved it`. */
export function gateWords({
  bakeTime,
  failureTolerancePercent: tolerance,
  approval,
}: PhaseOverrides): string[] {
  return [
    ...(approval ? ['begins once a person has approved it'] : []),
    ...(tolerance === undefined ? [] : [`tolerance ${tolerance} %`]),
    ...(bakeTime === undefined ? [] : [`bake ${humanDuration(bakeTime)}`]),
  ];
}

/** What a decision is about: `phase 2`, `phase 2, round 2`, `approval of phase 2`. */
export function decidedOn({ phase, round }: Pick<Decision, 'phase' | 'round'>): string {
  if (round === APPROVAL_ROUND) return `approval of phase ${phase}`;
  return `phase ${phase}${round > 1 ? `, round ${round}` : ''}`;
}
