import { createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A key for payloads. Printing or logging it shows nothing of the secret. */
export interface PayloadKey {
  readonly id: string;
  /** 256 bits. */
  readonly secret: KeyObject;
}

/** The keys of a process: the first one encrypts, all of them decrypt. Without any, nothing is encrypted. */
export interface KeyRing {
  readonly current: PayloadKey | undefined;
  readonly ids: readonly string[];
  find(id: string): PayloadKey | undefined;
}

/** The keys can't be used. The message says which and why, and never what they are. */
export class PayloadKeysError extends Error {
  override readonly name = 'PayloadKeysError';
}

const KEY_BYTES = 32;
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const HOW_TO_MAKE_ONE = 'Make one by: echo "$(date +%F):$(openssl rand -base64 32)"';

/**
 * Reads the keys: `PAYLOAD_KEYS` is `<id>:<32 bytes in base64>`, several of them with commas; `PAYLOAD_KEYS_FILE` names a file of
 * such keys, one a line, where `#` begins a comment.
 * @throws PayloadKeysError that names the key, by its place or id, and what is wrong with it
 */
export function loadKeyRing(env: NodeJS.ProcessEnv = process.env): KeyRing {
  const { PAYLOAD_KEYS: inline, PAYLOAD_KEYS_FILE: file } = env;
  if (inline && file) {
    throw new PayloadKeysError('PAYLOAD_KEYS and PAYLOAD_KEYS_FILE are both set. Keep one of them.');
  }
  if (file) return keyRing(readEntries(file), `PAYLOAD_KEYS_FILE ${file}`);
  return keyRing(inline ? inline.split(',').map((entry) => entry.trim()) : [], 'PAYLOAD_KEYS');
}

function readEntries(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new PayloadKeysError(
      `PAYLOAD_KEYS_FILE ${file} ${code === 'ENOENT' ? 'does not exist' : `can't be read (${code ?? message})`}.`,
    );
  }
  const entries = text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  // Somebody wants encryption: nothing may be written without it because a secret came as an empty file.
  if (entries.length === 0)
    throw new PayloadKeysError(`PAYLOAD_KEYS_FILE ${file} holds no key. ${HOW_TO_MAKE_ONE}`);
  return entries;
}

function keyRing(entries: readonly string[], source: string): KeyRing {
  const keys = new Map<string, PayloadKey>();
  for (const [index, entry] of entries.entries()) {
    const key = parseKey(entry, `key ${index + 1} of ${source}`);
    if (keys.has(key.id))
      throw new PayloadKeysError(`${source} has two keys with the id "${key.id}". Each needs its own.`);
    keys.set(key.id, key);
  }
  return { current: keys.values().next().value, ids: [...keys.keys()], find: (id) => keys.get(id) };
}

/** No message quotes the entry: a secret that stands in the wrong place would be in it. */
function parseKey(entry: string, where: string): PayloadKey {
  const colon = entry.indexOf(':');
  const id = entry.slice(0, Math.max(colon, 0));
  if (!ID.test(id)) {
    throw new PayloadKeysError(
      `The ${where} is not of the form <id>:<base64>, with an id of at most 64 letters, digits, dots, dashes and underscores. ${HOW_TO_MAKE_ONE}`,
    );
  }
  const base64 = entry.slice(colon + 1);
  const bytes = Buffer.from(base64, 'base64');
  const problem = BASE64.test(base64)
    ? `has ${bytes.length} bytes, and must have ${KEY_BYTES}`
    : 'is no base64';
  if (!BASE64.test(base64) || bytes.length !== KEY_BYTES) {
    throw new PayloadKeysError(`The ${where}, "${id}", ${problem}. ${HOW_TO_MAKE_ONE}`);
  }
  return { id, secret: createSecretKey(bytes) };
}
