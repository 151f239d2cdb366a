import { isoTime } from '../../src/domain/clock.ts';
import type { Decision, PhaseRecord, Rollout } from '../../src/ledger/port.ts';
import type { Stage } from './happenings.ts';

/* What stands between phases (rules D2, D3), asked of the ledger when all is over: written without the functions that decide it. */

/** @returns a sentence for everything that is not as it has to be */
export async function gateFaults(stage: Stage): Promise<string[]> {
  const { ledger, rollouts, answered, wasTerminated } = stage;
  const faults: string[] = [];
  for (const { id, phases: plans } of rollouts) {
    if (plans.length === 0) continue;
    const rollout = (await ledger.rollouts.get(id)) as Rollout;
    const records = await ledger.phases.list(id);
    const standing = await ledger.phases.decisions(id);
    const own = answered.filter(({ rolloutId }) => rolloutId === id);
    faults.push(
      ...records.flatMap((record) => openedTooEarly(rollout, records, standing, record)),
      ...records.flatMap((record) => bakedOtherwise(rollout, record)),
      ...own.flatMap((decision) => lost(standing, decision)),
      // Of a workflow that was terminated nothing can be expected but that others end what was half done.
      ...(wasTerminated ? [] : standing.flatMap((decision) => withoutEffect(rollout, records, decision))),
    );
  }
  return faults;
}

/** A phase begins once the one before has passed, and a person has approved it if its plan says so; a round once he has said so. */
function openedTooEarly(
  rollout: Rollout,
  records: readonly PhaseRecord[],
  standing: readonly Decision[],
  { phase, round, startedAt }: PhaseRecord,
): string[] {
  const said = (about: { phase: number; round: number }) =>
    standing.find((one) => one.phase === about.phase && one.round === about.round && one.at <= startedAt);
  const name = `${rollout.id} phase ${phase}, round ${round}, began at ${isoTime(startedAt)}`;
  const before = records.filter((one) => one.phase === phase - 1).at(-1);
  const needsWord = rollout.phases[phase - 1]?.approval === true && round === 1;
  const isRetried = round === 1 || said({ phase, round: round - 1 })?.decision === 'retry';
  return [
    ...(needsWord && said({ phase, round: 0 })?.decision !== 'proceed'
      ? [`${name} without approval (D2)`]
      : []),
    ...(isRetried ? [] : [`${name}, and nobody said retry (D2)`]),
    ...(phase === 1 || (before && (hasPassed(rollout, before) || said(before)?.decision === 'proceed'))
      ? []
      : [`${name}, and the one before has not passed (D2)`]),
  ];
}

function hasPassed({ phases, settings }: Rollout, { phase, judgedAt, verdict }: PhaseRecord): boolean {
  if (judgedAt === null || verdict === null) return false;
  const tolerated = phases[phase - 1]?.failureTolerancePercent ?? settings.failureTolerancePercent;
  return verdict.failed * 100 <= verdict.eligible * tolerated;
}

function bakedOtherwise({ id, phases, settings }: Rollout, record: PhaseRecord): string[] {
  const { phase, bakingSince, bakeUntil, judgedAt } = record;
  if (bakingSince === null || bakeUntil === null) return [];
  const wanted = phases[phase - 1]?.bakeTime ?? settings.bakeTime;
  const isKept = bakeUntil - bakingSince === wanted && (judgedAt === null || judgedAt >= bakeUntil);
  return isKept ? [] : [`${id} phase ${phase} baked ${bakeUntil - bakingSince} ms, not ${wanted} (D3)`];
}

/** What a person was told is recorded stands, unless somebody said abort. */
function lost(standing: readonly Decision[], answered: Decision): string[] {
  const { rolloutId, phase, round, decision } = answered;
  const now = standing.find((one) => one.phase === phase && one.round === round)?.decision;
  return now === decision || (now === 'abort' && decision !== 'abort')
    ? []
    : [`${rolloutId} phase ${phase}, round ${round}: ${decision} was answered, ${now} is recorded (D2)`];
}

function withoutEffect(rollout: Rollout, records: readonly PhaseRecord[], made: Decision): string[] {
  const { phase, round, decision, at } = made;
  const { id, status, reason } = rollout;
  const name = `${id} phase ${phase}, round ${round}: ${decision}`;
  if (decision === 'abort') {
    const isOver = status === 'Cancelled' && reason?.code === 'Aborted';
    const goesOn = records.some((one) => one.startedAt > at);
    return isOver && !goesOn ? [] : [`${name}, and it is ${status} ${reason?.code ?? ''} (D2)`];
  }
  if (status === 'Cancelled') return [];
  const follows = (one: PhaseRecord) => {
    if (decision === 'retry') return one.phase === phase && one.round === round + 1;
    return one.phase === (round === 0 ? phase : phase + 1);
  };
  const isLast = decision === 'proceed' && round > 0 && phase === rollout.phases.length;
  return (isLast && status === 'Completed') || records.some(follows) ? [] : [`${name} had no effect (D2)`];
}
