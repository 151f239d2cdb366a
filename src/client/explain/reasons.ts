import { isoTime } from '../../domain/clock.ts';
import { imageKey } from '../../domain/image.ts';
import { policyInForce } from '../../domain/policy.ts';
import { nextSetStep, type ObservedInstance } from '../../domain/set-planner.ts';
import { stopCodes } from '../../domain/stop-codes.ts';
import type { Reason } from '../../ledger/port.ts';
import { resumeCommand, startCommand, startSetCommand } from '../give.ts';
import { newestVersion } from '../target.ts';
import type { Course, Facts } from './facts.ts';
import { fixCommand } from './fixes.ts';
import { stopFix } from './stops.ts';
import type { ExplainedReason } from './types.ts';

/** What is against an upgrade, whatever a rollout does: the model, the region, a person's orders (rules C1 to C8). */
export function standingReasons(facts: Facts): ExplainedReason[] {
  const { judged, called, scaleSet } = facts;
  return [
    ...judged.reasons.map((reason) => ({ ...reason, command: fixCommand(reason.code, called, scaleSet) })),
    ...cancelReasons(facts),
  ];
}

/** What prevents nothing, and what would stop an upgrade that began now (rules B1, C4, C8). */
export function warningsOf(facts: Facts, seen: readonly ObservedInstance[]): ExplainedReason[] {
  const { judged, open, called, scaleSet } = facts;
  const warnings = judged.warnings.map((warning) => ({
    ...warning,
    command: fixCommand(warning.code, called, scaleSet),
  }));
  return open === null ? [...warnings, ...wouldStop(facts, seen)] : warnings;
}

/** The planner's own word on an attempt that began now: only a threshold can end it at once (rule B1). */
function wouldStop({ now, scaleSet }: Facts, seen: readonly ObservedInstance[]): ExplainedReason[] {
  const step = nextSetStep({
    ...{ now, kind: 'osUpgrade', policy: policyInForce(scaleSet), instances: [...seen] },
    ...{ taken: [], openBatch: null, lastBatch: null, paused: false, breach: null },
    ...{
      rollsBackOnBreach: false,
      stop: null,
      zonesTakeTurns: false,
      updateDomainsTakeTurns: false,
      zoneHeld: null,
    },
  });
  if (step.kind !== 'finish' || step.status !== 'Faulted' || step.reason === null) return [];
  const { code, message } = step.reason;
  const text = `An upgrade that began now would stop before its first batch: ${message}`;
  return [{ code, ...stopFix(code), message: text, command: null }];
}

/** A cancel of everything keeps any rollout from beginning; one of the set is among the reasons of its eligibility. */
function cancelReasons({ allCancelled }: Facts): ExplainedReason[] {
  if (allCancelled === null) return [];
  const { who, why, at, scope } = allCancelled;
  const message = `${who} cancelled everything at ${isoTime(at)} (${why}), which stands.`;
  const command = resumeCommand(scope);
  return [{ code: stopCodes.cancelled, rule: '', message, fix: 'Take that back.', command }];
}

/** Why the set's upgrade ended before all was done; null when it did not, or when another one is about to begin. */
export function stopReason(facts: Facts): ExplainedReason | null {
  const reason = stopOf(facts);
  if (reason === null) return null;
  const { rule, fix } = stopFix(reason.code);
  return { ...reason, rule, fix, command: null };
}

function stopOf({ course, tries, judged, allCancelled }: Facts): Reason | null {
  const status = course?.target?.status;
  // One that is skipped gets its turn once nothing is against it, and what is against it is told as such.
  if (status === 'waiting' || status === 'skipped') return null;
  const [last] = tries;
  const ofAttempt = last === undefined || last.attempt.status === 'Completed' ? null : last.attempt.reason;
  const reason = status === 'stopped' ? (course?.target?.reason ?? null) : ofAttempt;
  // So is a cancel that still stands.
  const stands = allCancelled !== null || judged.reasons.some(({ code }) => code === 'ScaleSetCancelled');
  return reason?.code === stopCodes.cancelled && stands ? null : reason;
}

/** The command names image and version only where it would choose others itself. */
export function startByHand({ called, target, scaleSet, offers }: Facts): string {
  const isOwn = imageKey(target.image) === imageKey(scaleSet.imageReference.image);
  const isNewest = newestVersion(offers.get(scaleSet.region) ?? []) === target.version;
  return startSetCommand(called, isOwn && isNewest ? undefined : target);
}

/** Why no rollout is about to upgrade a set that nothing is against (rule D6). */
export function courseReasons(facts: Facts): ExplainedReason[] {
  const { course, target } = facts;
  if (course === null) {
    const message = `No rollout of ${target.version} has begun.`;
    const fix = 'Start one.';
    return [{ code: 'NoRollout', rule: 'D6', message, fix, command: startCommand(target) }];
  }
  const command = facts.canStartByHand ? startByHand(facts) : null;
  return [
    {
      ...overWhy(course, facts),
      fix: 'Upgrade the scale set by hand, or start the version again when that rollout has ended.',
      command,
    },
  ];
}

function overWhy(
  { rollout, phase }: Course,
  { scaleSet }: Facts,
): Pick<ExplainedReason, 'code' | 'rule' | 'message'> {
  if (phase === null) {
    const message = `${rollout.id} does not go to ${scaleSet.region}.`;
    return { code: 'NotInRollout', rule: 'D1', message };
  }
  if (rollout.endedAt !== null) {
    const why = rollout.reason === null ? '' : `, ${rollout.reason.message}`;
    const message = `${rollout.id} ended at ${isoTime(rollout.endedAt)} (${rollout.status}${why}).`;
    return { code: 'RolloutEnded', rule: 'D6', message };
  }
  return {
    code: 'TurnOver',
    rule: 'D6',
    message: `The turn of ${scaleSet.region} in ${rollout.id} (phase ${phase}) is over.`,
  };
}
