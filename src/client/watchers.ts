import { setTimeout as delay } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { CHOSEN_KINDS, type EventKind } from '../domain/events.ts';
import { AlreadyRecordedError } from '../ledger/errors.ts';
import type { RecordedEvent, Watcher } from '../ledger/port.ts';
import { TYPE_PREFIX } from '../watchers/message.ts';
import { problemOfReference } from '../watchers/secrets.ts';
import { hostOf, problemOfSinkUrl, shownUrl } from '../watchers/sink-url.ts';
import { currentInstant, currentUser, type ClientContext } from './context.ts';
import { ClientError, conflict, UsageError } from './errors.ts';

type WatchersContext = Pick<ClientContext, 'fleet' | 'ledger'>;

/** Who is told of what happens, as it may be shown: of a token in its URL only what tells it from others. Times are by the wall. */
export type ShownWatcher = Omit<Watcher, 'kinds' | 'nextTryAt'> & {
  /** What it is told of; null: everything. */
  types: EventKind[] | null;
  state: 'ok' | 'failing' | 'disabled';
  /** Null: at once, or not at all. */
  nextTryAt: number | null;
};

export interface AddWatcherRequest {
  url: string;
  /** The URL's host if absent. */
  name?: string | undefined;
  /** Everything if absent. */
  types?: readonly string[] | undefined;
  /** Where the workers find the secret. */
  secret: string;
  allowHttp?: boolean | undefined;
  who?: string | undefined;
}

/** More would be asked about with every look. */
const MOST_WATCHERS = 50;
const NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;

/**
 * Adds a watcher, which is told of what happens from now on.
 * @throws UsageError when its URL, name, kinds or secret make no sense; ClientError `Conflict` when the name is taken
 */
export async function addWatcher(
  { ledger }: WatchersContext,
  { url, name: given, types, secret, allowHttp = false, who = currentUser() }: AddWatcherRequest,
): Promise<ShownWatcher> {
  const problem = problemOfSinkUrl(url, { allowHttp });
  if (problem !== null) throw new UsageError(`The URL ${problem}.`);
  const wrong = problemOfReference(secret);
  if (wrong !== null) throw new UsageError(`The secret ${wrong}.`);
  const name = nameOf(given, url);
  if (types?.length === 0)
    throw new UsageError('Give at least one type of event, or leave --types out for all.');
  const kinds = types === undefined ? null : [...new Set(types.map(checkedKind))];
  if ((await ledger.watchers.list()).length >= MOST_WATCHERS) {
    throw new UsageError(`There are ${MOST_WATCHERS} watchers, and no more can be added: remove one before.`);
  }
  try {
    const watcher = { name, url, kinds, secret, who, addedAt: Date.now() };
    return shown(await ledger.watchers.add(watcher));
  } catch (error) {
    if (!(error instanceof AlreadyRecordedError)) throw error;
    throw conflict(`There is a watcher "${name}" already: remove it before, or give --name.`);
  }
}

/** By name, with how many events each has yet to get. */
export async function listWatchers({
  ledger,
}: WatchersContext): Promise<(ShownWatcher & { pending: number })[]> {
  return (await ledger.watchers.list()).map((watcher) => ({ ...shown(watcher), pending: watcher.pending }));
}

/** @throws UsageError when there is no such watcher */
export async function removeWatcher(context: WatchersContext, name: string): Promise<ShownWatcher> {
  const watcher = await find(context, name);
  await context.ledger.watchers.remove(watcher.name);
  return shown(watcher);
}

/**
 * Has a watcher tried at once, whatever it waits for, and told again if it was disabled.
 * @param skip leaves out the event that it gets next, for one that it never accepts
 * @returns it, and the event that was left out
 * @throws UsageError when there is no such watcher
 */
export async function retryWatcher(
  context: WatchersContext,
  { name, skip = false }: { name: string; skip?: boolean | undefined },
): Promise<{ watcher: ShownWatcher; skipped: RecordedEvent | null }> {
  const watcher = await find(context, name);
  const skipped = await context.ledger.watchers.retry(watcher.name, skip);
  return { watcher: shown((await context.ledger.watchers.get(watcher.name)) ?? watcher), skipped };
}

/** How a test came out: the watcher has accepted it, a worker's try has failed, or no worker has tried. */
export interface TestedWatcher {
  name: string;
  outcome: 'accepted' | 'failed' | 'noAnswer';
  /** Why the try failed. */
  error: string | null;
}

const LOOK_EVERY_MS = 100;

/**
 * Sends a watcher an event of its own, as the workers send all others, after what it has yet to get.
 * @param timeout milliseconds, by the clock on the wall
 * @throws UsageError when there is no such watcher; ClientError `Closed` when it is disabled
 */
export async function testWatcher(
  context: WatchersContext,
  { name: given, timeout, who = currentUser() }: { name: string; timeout: number; who?: string | undefined },
): Promise<TestedWatcher> {
  const { ledger } = context;
  const { name, disabledWhy, lastTryAt } = await find(context, given);
  if (disabledWhy !== null) {
    throw new ClientError(
      'Closed',
      `${name} is told nothing any more: ${disabledWhy} Mend it, then \`rollouts watchers retry ${name}\`.`,
    );
  }
  const at = await currentInstant(context);
  const event = { key: `${name}#test/${randomUUID()}`, kind: 'watcher.test' as const, subject: name, at };
  const seq = await ledger.watchers.test(name, { ...event, data: { who } });
  for (const until = Date.now() + timeout; ; await delay(LOOK_EVERY_MS)) {
    const watcher = await find(context, name);
    if (watcher.lastSeq >= seq) return { name, outcome: 'accepted', error: null };
    const { lastError } = watcher;
    if (lastError !== null && watcher.lastTryAt !== lastTryAt)
      return { name, outcome: 'failed', error: lastError };
    if (Date.now() >= until) return { name, outcome: 'noAnswer', error: null };
  }
}

async function find({ ledger }: WatchersContext, name: string): Promise<Watcher> {
  const watcher = await ledger.watchers.get(name.toLowerCase());
  if (watcher !== null) return watcher;
  const names = (await ledger.watchers.list()).map((one) => one.name);
  const others = names.length === 0 ? 'There is none.' : `There are: ${names.join(', ')}.`;
  throw new UsageError(`There is no watcher "${name}". ${others}`);
}

function nameOf(given: string | undefined, url: string): string {
  const name = (given ?? hostOf(new URL(url)).replaceAll(':', '-')).toLowerCase();
  if (NAME.test(name)) return name;
  throw new UsageError(
    `"${name}" is no name of a watcher: give --name with at most 63 letters, digits, dots and dashes, such as ops.`,
  );
}

function checkedKind(text: string): EventKind {
  const kind = CHOSEN_KINDS.find((one) => one === text || `${TYPE_PREFIX}${one}` === text);
  if (kind !== undefined) return kind;
  throw new UsageError(`"${text}" is no type of event. Give any of ${CHOSEN_KINDS.join(', ')}.`);
}

function shown({ kinds, nextTryAt, ...watcher }: Watcher): ShownWatcher {
  const { disabledAt, failures } = watcher;
  const state = disabledAt !== null ? 'disabled' : failures > 0 ? 'failing' : 'ok';
  const waitsUntil = state === 'failing' && nextTryAt > 0 ? nextTryAt : null;
  return { ...watcher, url: shownUrl(watcher.url), types: kinds, state, nextTryAt: waitsUntil };
}
