import { isoTime } from '../domain/clock.ts';
import {
  afterFailure,
  answerOf,
  LEASE,
  NO_FAILURES,
  TRY_TIMEOUT,
  type Answer,
  type Failures,
} from '../domain/delivery.ts';
import type { Deliveries, Lease, RecordedEvent, Watcher } from '../ledger/port.ts';
import { cloudEvent, CONTENT_TYPE, type CloudEvent } from './message.ts';
import { post } from './post.ts';
import { readSecrets } from './secrets.ts';
import { signedHeaders } from './signing.ts';

/** What comes of telling a watcher, for whoever keeps a log. */
export interface DeliveryLog {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface DeliveryParts {
  readonly deliveries: Deliveries;
  /** What tells this installation's events from those of others. */
  readonly source: string;
  readonly log: DeliveryLog;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  readonly env?: NodeJS.ProcessEnv;
  /** How long one try may take, in milliseconds; `TRY_TIMEOUT` if absent. */
  readonly timeout?: number;
}

/** When to end: take up nothing new, and let go of what is under way. */
export interface Ending {
  readonly soon: AbortSignal;
  readonly now: AbortSignal;
}

/** Events that are read at a time. */
const PAGE = 100;

/**
 * Tells a watcher what it has yet to get, one event after the other, until it has everything or does not accept one. Does nothing
 * if another deliverer is at it.
 */
export async function deliverTo(parts: DeliveryParts, lease: Lease, ending: Ending): Promise<void> {
  const { deliveries, now } = parts;
  const watcher = await deliveries.claim(lease, now(), now() + LEASE);
  if (watcher === null) return;
  let before: Failures = watcher;
  for (let seq = watcher.lastSeq; ;) {
    const { events, upTo } = await deliveries.after(watcher, seq, PAGE);
    if (upTo === seq) break;
    for (const event of events) {
      if (ending.soon.aborted) break;
      if (!(await deliverOne(parts, lease, { watcher, event, before }, ending))) return;
      before = NO_FAILURES;
    }
    if (ending.soon.aborted) break;
    if (!(await deliveries.passed(lease, upTo, null, now() + LEASE))) return;
    seq = upTo;
  }
  await deliveries.release(lease);
}

/**
 * @param before the failures since the last event that it accepted
 * @returns whether to go on with the next one
 */
async function deliverOne(
  parts: DeliveryParts,
  lease: Lease,
  { watcher, event, before }: { watcher: Watcher; event: RecordedEvent; before: Failures },
  ending: Ending,
): Promise<boolean> {
  const { deliveries, log, now } = parts;
  const message = cloudEvent(event, parts.source);
  const about = { watcher: lease.name, event: message.id, type: message.type };
  const answer = await send(parts, watcher, message, ending.now);
  if (answer.kind === 'accepted') {
    log.debug(about, 'watcher told');
    return deliveries.passed(lease, event.seq, now(), now() + LEASE);
  }
  if (ending.now.aborted) {
    // It is not the watcher's fault: whoever comes next tries at once.
    await deliveries.release(lease);
    return false;
  }
  const failure = afterFailure(lease.name, before, answer, now());
  const { failures, error, disabledWhy, nextTryAt } = failure;
  await deliveries.failed(lease, failure, now());
  const next = disabledWhy === null ? { nextTryAt: isoTime(nextTryAt) } : { disabledWhy };
  log.warn({ ...about, failures, error, ...next }, 'watcher not told');
  return false;
}

/** Sends an event, signed; whatever goes wrong is an answer too. */
async function send(
  { now, env, timeout = TRY_TIMEOUT }: DeliveryParts,
  { url, secret }: Watcher,
  message: CloudEvent,
  stop: AbortSignal,
): Promise<Answer> {
  const tooLong = AbortSignal.timeout(timeout);
  try {
    const body = JSON.stringify(message);
    const signed = signedHeaders(message.id, body, readSecrets(secret, env), now());
    const headers = { 'content-type': CONTENT_TYPE, 'user-agent': 'os-image-rollouts', ...signed };
    const { status, retryAfter } = await post(url, headers, body, AbortSignal.any([tooLong, stop]));
    return answerOf(status, retryAfter, now());
  } catch (error) {
    const late = `It did not answer within ${timeout / 1000} s.`;
    return { kind: 'failed', error: tooLong.aborted ? late : problemOf(error as Error), retryAfter: null };
  }
}

/** Where both of a host's addresses refuse, the error's own message is empty. */
function problemOf({ message, code }: NodeJS.ErrnoException): string {
  return message === '' ? (code ?? 'It could not be reached.') : message;
}
