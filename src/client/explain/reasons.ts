import { isoTime } from '../../domain/clock.ts';
import { imageKey } from '../../domain/image.ts';
import { ALL, parseScope, scaleSetScope, scopeLabel, scopesOf } from '../../domain/scopes.ts';
import type { ObservedInstance } from '../../domain/set-planner.ts';
import { stopCodes } from '../../domain/stop-codes.ts';
import type { Reason } from '../../ledger/port.ts';
import { resumeCommand, startCommand, startSetCommand } from '../give.ts';
import { stopsAtOnce } from '../../domain/stops-at-once.ts';
import { newestVersion } from '../target.ts';
import { openUpgrade, type Course, type Facts } from './facts.ts';
import { fixCommand } from './fixes.ts';
import { stopFix } from './stops.ts';
import type { ExplainedReason } from './types.ts';

/**
 * What is against an upgrade, whatever comes before it: the model, the region, what people have ordered (rules C1 to C8). One that
 * runs is stopped by it at the end of its batch.
 */
export function standingReasons(facts: Facts): ExplainedReason[] {
  const { judged, byHand, called, scaleSet } = facts;
  const { reasons } = openUpgrade(facts)?.attempt.startedBy === 'User' ? byHand : judged;
  return [
    ...reasons.map((reason) => ({ ...reason, command: fixCommand(reason.code, called, scaleSet) })),
    ...cancelReasons(facts, reasons.some(isOfSet) ? [scaleSetScope(scaleSet.id)] : []),
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

function wouldStop({ now, scaleSet }: Facts, seen: readonly ObservedInstance[]): ExplainedReason[] {
  const reason = stopsAtOnce(scaleSet, seen, now);
  if (reason === null) return [];
  const { code } = reason;
  const message = `An upgrade that began now would stop before its first batch: ${reason.message}`;
  return [{ code, ...stopFix(code), message, command: null }];
}

const isOfSet = ({ code }: { code: string }) => code === 'ScaleSetCancelled';

/** Cancels that stand of everything, of the rollout and its parts, and of the set. @param told scopes that are told of already */
function cancelReasons(facts: Facts, told: readonly string[]): ExplainedReason[] {
  const { orders } = facts;
  const scopes = scopesAround(facts).filter((scope) => !told.includes(scope));
  return scopes.flatMap((scope) => {
    const order = orders.find((one) => one.scope.toLowerCase() === scope.toLowerCase());
    if (order?.state !== 'cancelled') return [];
    const { who, why, at } = order;
    const message = `${who} cancelled ${scopeLabel(scope)} at ${isoTime(at)} (${why}), which stands.`;
    const kind = parseScope(scope)?.kind;
    const mayReturn = kind === 'all' || kind === 'scaleSet';
    const fix = mayReturn ? 'Take that back.' : 'What is cancelled stays so: start a new rollout.';
    return [
      { code: stopCodes.cancelled, rule: '', message, fix, command: mayReturn ? resumeCommand(scope) : null },
    ];
  });
}

function scopesAround({ open, course, scaleSet: { id, region } }: Facts): string[] {
  const rollout = open?.rollout ?? course?.rollout;
  if (rollout === undefined || rollout.endedAt !== null) return [ALL];
  const phase = course?.rollout.id === rollout.id ? course.phase : null;
  return scopesOf({
    rolloutId: rollout.id,
    region,
    ...(phase === null ? {} : { phase }),
    ...(open === null ? {} : { scaleSetId: id }),
  });
}

/** Why the set's upgrade ended before all was done; null when it did not, or when another one is about to begin. */
export function stopReason(facts: Facts): ExplainedReason | null {
  const reason = stopOf(facts);
  if (reason === null) return null;
  const { rule, fix } = stopFix(reason.code);
  return { ...reason, rule, fix, command: null };
}

function stopOf(facts: Facts): Reason | null {
  const { course, tries } = facts;
  const status = course?.target?.status;
  // One that is skipped gets its turn once nothing is against it, and what is against it is told as such.
  if (status === 'waiting' || status === 'skipped') return null;
  const [last] = tries;
  const ofAttempt = last === undefined || last.attempt.status === 'Completed' ? null : last.attempt.reason;
  const reason = status === 'stopped' ? (course?.target?.reason ?? null) : ofAttempt;
  // So is a cancel that still stands.
  const stands = standingReasons(facts).some((one) => one.code === stopCodes.cancelled || isOfSet(one));
  return reason?.code === stopCodes.cancelled && stands ? null : reason;
}

/**
 * The command by which a person has it upgraded at once (rule D8); null where that would be refused, or held up just as well. It
 * names image and version only where it would choose others itself.
 */
export function startByHand(facts: Facts): string | null {
  const { called, target, scaleSet, offers, open, begun, byHand, orders, course } = facts;
  const above = [ALL, scaleSetScope(scaleSet.id)];
  const isOrdered = orders.some(
    ({ scope, state }) => above.includes(scope.toLowerCase()) && state !== 'running',
  );
  const isStarting = course?.rollout.endedAt === null && course.target?.status === 'upgrading';
  const isBusy = open !== null || begun !== null || isStarting;
  if (isBusy || !byHand.eligible || isOrdered) return null;
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
  return [
    {
      ...overWhy(course, facts),
      fix: 'Upgrade the scale set by hand, or start the version again when that rollout has ended.',
      command: startByHand(facts),
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
