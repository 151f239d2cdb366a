import { DAY, HOUR, MINUTE, SECOND, type Duration, type Instant } from './clock.ts';
import { uniform } from './random.ts';

/*
 * How often and for how long a watcher is tried that does not accept an event. All times are those of the clock on the wall: who
 * is told lives in it, whatever the fleet's speed.
 */

const FIRST_WAIT = 5 * SECOND;
const LONGEST_WAIT = HOUR;
/** A receiver that asks for more patience than that gets a call all the same. */
const LONGEST_RETRY_AFTER = DAY;
/** After so long without one accepted event a watcher is told nothing more until a person says so. */
export const GIVEN_UP_AFTER = 5 * DAY;

/** How a watcher answered an event. */
export type Answer =
  | { kind: 'accepted' }
  /** It wants no more events: 410. */
  | { kind: 'gone' }
  /** `retryAfter`: how long it asks to be left alone. */
  | { kind: 'failed'; error: string; retryAfter: Duration | null };

/** What is known of the tries since the last event that was accepted. */
export interface Failures {
  failures: number;
  failingSince: Instant | null;
}

export const NO_FAILURES: Failures = { failures: 0, failingSince: null };

/** What follows from a try that failed. */
export interface AfterFailure {
  failures: number;
  failingSince: Instant;
  nextTryAt: Instant;
  error: string;
  /** Why it is told nothing more; null while it is. */
  disabledWhy: string | null;
}

/**
 * When to try again: 5 seconds after the first failure, then twice as long each time, up to an hour, and up to half of it less,
 * so that watchers who failed together do not come back together.
 * @param name of the watcher: the same failure of the same watcher waits for the same time
 */
export function afterFailure(
  name: string,
  before: Failures,
  answer: Exclude<Answer, { kind: 'accepted' }>,
  now: Instant,
): AfterFailure {
  const failures = before.failures + 1;
  const failingSince = before.failingSince ?? now;
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(before.failures, 20));
  const spread = Math.round(wait * (1 - uniform('delivery', name, failingSince, failures) / 2));
  const asked = answer.kind === 'failed' ? Math.min(answer.retryAfter ?? 0, LONGEST_RETRY_AFTER) : 0;
  const nextTryAt = now + Math.max(spread, asked);
  const error = answer.kind === 'gone' ? 'It answered 410 Gone.' : answer.error;
  return { failures, failingSince, nextTryAt, error, disabledWhy: whyDisabled(answer, failingSince, now) };
}

function whyDisabled(answer: Answer, failingSince: Instant, now: Instant): string | null {
  if (answer.kind === 'gone') return 'It answered 410 Gone: it wants no more events.';
  const days = GIVEN_UP_AFTER / DAY;
  return now - failingSince >= GIVEN_UP_AFTER ? `It accepted nothing for ${days} days.` : null;
}

/**
 * What a status means, and `Retry-After`, given in seconds or as a date.
 * @param status of HTTP
 */
export function answerOf(status: number, retryAfter: string | undefined, now: Instant): Answer {
  if (status >= 200 && status < 300) return { kind: 'accepted' };
  if (status === 410) return { kind: 'gone' };
  const note = status >= 300 && status < 400 ? ', and redirects are not followed' : '';
  return { kind: 'failed', error: `It answered ${status}${note}.`, retryAfter: waitIn(retryAfter, now) };
}

function waitIn(text: string | undefined, now: Instant): Duration | null {
  if (text === undefined) return null;
  const wait = /^\d{1,9}$/.test(text) ? Number(text) * SECOND : Date.parse(text) - now;
  return Number.isFinite(wait) && wait > 0 ? wait : null;
}

/** How long one try may take, until the receiver has answered. */
export const TRY_TIMEOUT: Duration = 10 * SECOND;
/** How long a deliverer that says nothing keeps a watcher to itself: several times as long as a try. */
export const LEASE: Duration = MINUTE;
/** Events that every watcher has had are kept for so long. */
export const KEPT_FOR: Duration = 30 * DAY;
