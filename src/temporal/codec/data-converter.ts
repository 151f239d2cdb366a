import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { encryptionCodec } from './encryption-codec.ts';
import { loadKeyRing, type KeyRing } from './key-ring.ts';

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

/** Where the SDK finds the failure converter for encrypted payloads. */
export const FAILURE_CONVERTER_PATH = fileURLToPath(
  new URL(`./failure-converter.${extension}`, import.meta.url),
);

/**
 * How payloads are written and read by every client and worker. Without keys nothing is encrypted, and an encrypted payload is
 * answered by an error that names the key which is missing.
 */
export function dataConverterOf(keys: KeyRing): DataConverter {
  const payloadCodecs = [encryptionCodec(keys)];
  return keys.current ? { payloadCodecs, failureConverterPath: FAILURE_CONVERTER_PATH } : { payloadCodecs };
}

/**
 * The data converter that the environment asks for.
 * @throws PayloadKeysError
 */
export function loadDataConverter(env: NodeJS.ProcessEnv = process.env): DataConverter {
  return dataConverterOf(loadKeyRing(env));
}
