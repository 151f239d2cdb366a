import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { KeyRing, PayloadKey } from './key-ring.ts';

/** A payload can't be read with the keys that are here. The message says which key it needs. */
export class PayloadDecryptionError extends Error {
  override readonly name = 'PayloadDecryptionError';
}

const { Payload: WirePayload } = proto.temporal.api.common.v1;

/** The same names as in Temporal's samples: other tools know by them that a payload is encrypted. */
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts whole payloads, with their metadata, by AES-256-GCM. The data of an encrypted one is the IV, the cipher text and the tag;
 * its metadata tells the key's id, which the tag covers. What is not encrypted is read as it is, so that encryption can be
 * switched on while workflows run.
 */
export function encryptionCodec(keys: KeyRing): PayloadCodec {
  const { current } = keys;
  return {
    encode: async (payloads) => (current ? payloads.map((payload) => encrypt(payload, current)) : payloads),
    decode: async (payloads) =>
      payloads.map((payload) => (isEncrypted(payload) ? decrypt(payload, keys) : payload)),
  };
}

function encrypt(payload: Payload, { id, secret }: PayloadKey): Payload {
  // Random: processes share a key and nothing else. That is safe for four billion payloads, see docs/security.md.
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, secret, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(id));
  const text = Buffer.concat([cipher.update(WirePayload.encode(payload).finish()), cipher.final()]);
  return {
    metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(id) },
    data: Buffer.concat([iv, text, cipher.getAuthTag()]),
  };
}

function decrypt({ metadata, data }: Payload, keys: KeyRing): Payload {
  const id = textOf(metadata?.[KEY_ID]);
  const key = keys.find(id);
  if (!key) throw new PayloadDecryptionError(missingKey(id, keys));
  try {
    const bytes = data ?? new Uint8Array();
    const decipher = createDecipheriv(CIPHER, key.secret, bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(boundTo(id));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const inner = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
    return WirePayload.decode(inner);
  } catch (cause) {
    throw new PayloadDecryptionError(
      `A payload can't be decrypted with the key "${id}": it was changed, or another key had that id when it was written.`,
      { cause },
    );
  }
}

function isEncrypted({ metadata }: Payload): boolean {
  return textOf(metadata?.['encoding']) === ENCODING;
}

function boundTo(keyId: string): Buffer {
  return Buffer.from(`${ENCODING};${keyId}`);
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}

function missingKey(id: string, { ids }: KeyRing): string {
  const have =
    ids.length === 0 ? 'no keys are set' : `the keys here are ${ids.map((one) => `"${one}"`).join(', ')}`;
  return (
    `A payload was encrypted with the key "${printable(id)}", and ${have}. ` +
    'Give this process the same PAYLOAD_KEYS as the workers; old keys stay there until no history needs them.'
  );
}

/** The id is whatever stands in the payload. */
function printable(id: string): string {
  return id.slice(0, 64).replace(/[^\w.-]/g, '?');
}
