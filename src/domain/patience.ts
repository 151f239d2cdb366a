import { HOUR, MINUTE, SECOND, type Duration, type Instant } from './clock.ts';
import { uniform } from './random.ts';

/*
 * How long a scale set is asked for whose calls the cloud's API fails. An outage is waited out, however long it lasts: then
 * everything fails, and nothing is known against this set. A set of which no call succeeds while others are answered is given
 * up after a while, so that it does not hold up its region. Workflows import this: see "What is workflow code".
 */

/** A call about one scale set that the API did not answer. */
export interface NoAnswer {
  message: string;
  /** How long the API wants to be left alone; null where it does not say. */
  retryAfter: Duration | null;
  /** Another scale set was asked for at the same time, and answered for. */
  othersAnswer: boolean;
}

/** What was tried so far. */
export interface Patience {
  tries: number;
  /** Tries that failed in a row while others were answered, and when the first of them did. */
  alone: number;
  aloneSince: Instant | null;
}

export const FRESH: Patience = { tries: 0, alone: 0, aloneSince: null };

/** A set is given up when it alone has failed for so long, and so often. */
export const PATIENCE: Duration = 30 * MINUTE;
export const LEAST_TRIES = 5;

const FIRST_WAIT: Duration = 5 * SECOND;
const LONGEST_WAIT: Duration = 5 * MINUTE;
/** What an API asks for is granted up to here. */
const LONGEST_LEAVE: Duration = HOUR;

export type NextTry = { kind: 'again'; at: Instant; patience: Patience } | { kind: 'giveUp' };

/**
 * What follows from a call that was not answered: the waits double from 5 seconds to 5 minutes, or are as long as the API asks, and
 * are spread by a quarter so that those who were refused together do not come back together.
 * @param key what the spread is fixed by: the set's id
 */
export function nextTry(before: Patience, answer: NoAnswer, now: Instant, key: string): NextTry {
  const tries = before.tries + 1;
  const alone = answer.othersAnswer ? before.alone + 1 : 0;
  const aloneSince = answer.othersAnswer ? (before.aloneSince ?? now) : null;
  if (aloneSince !== null && alone >= LEAST_TRIES && now - aloneSince >= PATIENCE) return { kind: 'giveUp' };
  const backoff = Math.min(FIRST_WAIT * 2 ** before.tries, LONGEST_WAIT);
  const wait = Math.max(backoff, Math.min(answer.retryAfter ?? 0, LONGEST_LEAVE));
  const spread = 1 + uniform('patience', key, tries) / 4;
  return { kind: 'again', at: now + Math.round(wait * spread), patience: { tries, alone, aloneSince } };
}
