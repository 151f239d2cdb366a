import type { AttemptKind } from '../../domain/attempt-kinds.ts';
import { humanDuration, isoTime, type Duration, type Instant } from '../../domain/clock.ts';
import type {
  BatchView,
  FailureView,
  InstanceCounts,
  RolloutSnapshot,
  ScaleSetCounts,
  Wait,
} from './types.ts';

/** How things are said, in the tree and in plain lines alike. */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MAX_NAMES = 4;

/** What a rollout does, before the image that it is about: nothing where it does the usual. */
const DOINGS: Record<AttemptKind, string> = {
  osUpgrade: '',
  modelUpgrade: 'Rolling upgrade to the model, ',
  modelUpdate: 'Update to the model, ',
  revert: 'Revert of ',
  repair: 'Repair, ',
};

/** `Revert of Canonical:...` */
export function titleOf({ action, image }: Pick<RolloutSnapshot, 'action' | 'image'>): string {
  return `${DOINGS[action]}${image}`;
}

/** `1 VM`, `2 VMs`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

/** `14:32` on the virtual clock (UTC); with the date where that is another day than `now`'s. */
export function clockTime(at: Instant, now: Instant): string {
  const date = new Date(at);
  const time = isoTime(at).slice(11, 16);
  const sameDay = isoTime(at).slice(0, 10) === isoTime(now).slice(0, 10);
  return sameDay ? time : `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${time}`;
}

/** `6 Dec 14:32` */
export function dateAndTime(at: Instant): string {
  const date = new Date(at);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${isoTime(at).slice(11, 16)}`;
}

/** `14:32 (in 9 min)` */
export function moment(at: Instant, now: Instant): string {
  return at <= now ? 'now' : `${clockTime(at, now)} (in ${humanDuration(at - now)})`;
}

/** `the next trigger, 14:32 (in 9 min)` */
export function waitText({ what, until }: Wait, now: Instant): string {
  return until === null ? what : `${what}, ${moment(until, now)}`;
}

/** Wall time, for people: `48 s`, `1 min 20 s`. */
export function wallTime(ms: Duration): string {
  return humanDuration(ms);
}

/** `batch 3, zone 1, update domain 2` */
export function batchText({
  number,
  zone,
  updateDomain,
}: Pick<BatchView, 'number' | 'zone' | 'updateDomain'>): string {
  return [
    `batch ${number}`,
    ...(zone === null ? [] : [zone === '*' ? 'all zones' : `zone ${zone}`]),
    ...(updateDomain === null ? [] : [`update domain ${updateDomain}`]),
  ].join(', ');
}

/** Names in a row, as many as can be taken in: `a, b, c, d and 3 more`. */
export function names(all: readonly string[], most = MAX_NAMES): string {
  if (all.length <= most) return all.join(', ');
  return `${all.slice(0, most).join(', ')} and ${all.length - most} more`;
}

/** Sets that the rollout is to upgrade: those that are not eligible are none of its business. */
export function eligibleSets(counts: ScaleSetCounts): number {
  return counts.waiting + counts.upgrading + counts.upgraded + counts.stopped;
}

export function endedSets(counts: ScaleSetCounts): number {
  return counts.upgraded + counts.stopped;
}

/** What of a count of instances is worth saying: `612 VMs upgraded`, `3 restored`, `40 in progress`. */
export function instanceParts(counts: InstanceCounts): string[] {
  return [`${count(counts.upgraded, 'VM')} upgraded`, ...otherInstances(counts)];
}

/** The same where room is short: `612 upgraded`. */
export function shortInstanceParts(counts: InstanceCounts): string[] {
  return [`${counts.upgraded} upgraded`, ...otherInstances(counts)];
}

function otherInstances(counts: InstanceCounts): string[] {
  const left = counts.failed - counts.restored;
  return [
    ...(counts.inProgress > 0 ? [`${counts.inProgress} in progress`] : []),
    ...(counts.restored > 0 ? [`${counts.restored} restored`] : []),
    ...(left > 0 ? [`${left} failed`] : []),
  ];
}

/** `VM 12 restored (HealthTimeout: ...)` */
export function failureText(failure: FailureView): string {
  return `VM ${failure.instanceId} ${outcomeText(failure)}`;
}

/** `restored (HealthTimeout: ...)` */
export function outcomeText({ outcome, error }: Omit<FailureView, 'instanceId'>): string {
  const what = { restored: 'restored', restoreFailed: 'could not be restored', left: 'failed' }[outcome];
  return `${what}${error === null ? '' : ` (${error})`}`;
}

/** True when a running rollout's workflow is gone: nobody carries it on. */
export function isAbandoned({ status, workflowOpen, scaleSets }: RolloutSnapshot): boolean {
  return workflowOpen === false && (status === 'Running' || status === 'Halted') && scaleSets.upgrading === 0;
}
