import { createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { LONGEST_NAME, problemOfText } from '../domain/plain-text.ts';

/*
 * What a watcher's events are signed with is not kept with the watcher, but where a worker finds it: in a variable of its environment or in
 * a file. So neither the database nor a copy of it, nor any command, ever holds it.
 */

/** A secret is not there or is none. The message says where it should be, and never what is there. */
export class WatcherSecretError extends Error {
  override readonly name = 'WatcherSecretError';
}

/** Only variables of such names: no other secret of a worker can be made one by naming it. */
const VARIABLE = /^env:(WATCHER_SECRET(?:_[A-Z0-9_]+)?)$/;
const FILE = /^file:(.+)$/s;

/** Two while one takes the other's place, and room for a mistake. */
const MOST_SECRETS = 4;
const LARGEST_FILE = 4_096;
/** As Standard Webhooks has it, in bytes. */
const SHORTEST = 24;
const LONGEST = 64;
const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
export const HOW_TO_MAKE_ONE = 'Make one by: echo "whsec_$(openssl rand -base64 32)"';

/** What is wrong with a reference to a secret, in words that may follow it; null if nothing is. */
export function problemOfReference(reference: string): string | null {
  const problem = problemOfText(reference, LONGEST_NAME);
  if (problem !== null) return problem;
  const path = FILE.exec(reference)?.[1];
  if (VARIABLE.test(reference) || (path !== undefined && isAbsolute(path))) return null;
  return 'does not say where the workers find it: give env:WATCHER_SECRET, env:WATCHER_SECRET_<NAME> or file:/<path>';
}

/**
 * Reads what to sign with, each time anew: a file may have changed.
 * @param reference as `problemOfReference` wants it
 * @returns at least one
 * @throws WatcherSecretError
 */
export function readSecrets(reference: string, env: NodeJS.ProcessEnv = process.env): KeyObject[] {
  const problem = problemOfReference(reference);
  if (problem !== null) throw new WatcherSecretError(`The secret ${reference} ${problem}.`);
  const variable = VARIABLE.exec(reference)?.[1];
  const text = variable === undefined ? readFile(reference) : env[variable];
  if (!text?.trim())
    throw new WatcherSecretError(`This worker has no secret at ${reference}. ${HOW_TO_MAKE_ONE}`);
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
  if (entries.length > MOST_SECRETS) {
    throw new WatcherSecretError(
      `There are ${entries.length} secrets at ${reference}: give at most ${MOST_SECRETS}.`,
    );
  }
  return entries.map((entry, i) => parseSecret(entry, `secret ${i + 1} at ${reference}`));
}

function readFile(reference: string): string {
  const path = FILE.exec(reference)?.[1] ?? '';
  try {
    const found = statSync(path);
    if (!found.isFile() || found.size > LARGEST_FILE) {
      throw new WatcherSecretError(`${reference} is no file of at most ${LARGEST_FILE} bytes.`);
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof WatcherSecretError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new WatcherSecretError(
      `${reference} ${code === 'ENOENT' ? 'does not exist for this worker' : `can't be read by this worker (${code})`}.`,
    );
  }
}

/** No message quotes the entry: it may be a secret that only lacks its beginning. */
function parseSecret(entry: string, where: string): KeyObject {
  const base64 = SECRET.exec(entry)?.[1];
  const bytes = Buffer.from(base64 ?? '', 'base64');
  if (base64 === undefined) {
    throw new WatcherSecretError(`The ${where} is not of the form whsec_<base64>. ${HOW_TO_MAKE_ONE}`);
  }
  if (bytes.length < SHORTEST || bytes.length > LONGEST) {
    throw new WatcherSecretError(
      `The ${where} has ${bytes.length} bytes, and must have ${SHORTEST} to ${LONGEST}. ${HOW_TO_MAKE_ONE}`,
    );
  }
  return createSecretKey(bytes);
}
