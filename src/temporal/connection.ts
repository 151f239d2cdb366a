import { Client, Connection, type ClientPlugin } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection } from '@temporalio/worker';
import { loadDataConverter } from './codec/data-converter.ts';

/** How to reach a Temporal server. */
export interface TemporalConnection {
  readonly connectionOptions: ClientConnectConfig['connectionOptions'] & { readonly address: string };
  readonly namespace: string;
  /** Whether a person chose the server (`TEMPORAL_ADDRESS`, a profile) or it is the default. */
  readonly configured: boolean;
  /** How payloads are encrypted, if they are. */
  readonly dataConverter: DataConverter;
}

/** A client with the connection that it uses, which whoever asked for it closes. */
export interface ConnectedClient {
  readonly client: Client;
  readonly connection: Connection;
}

export const DEFAULT_ADDRESS = 'localhost:7233';
const DEFAULT_NAMESPACE = 'default';
const CONNECT_TIMEOUT_MS = 5_000;

/** No Temporal server answered. The message says which address was tried and what to do. */
export class TemporalUnreachableError extends Error {
  override readonly name = 'TemporalUnreachableError';
  readonly address: string;

  constructor({ connectionOptions: { address }, configured }: TemporalConnection, cause: unknown) {
    const advice = configured
      ? 'Check TEMPORAL_ADDRESS, TEMPORAL_PROFILE and the Temporal configuration file, or unset them to use a local server.'
      : 'Start one by `npm run temporal`, or set TEMPORAL_ADDRESS to a server that runs.';
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`No Temporal server answers at ${address} (${reason}). ${advice}`, { cause });
    this.address = address;
  }
}

/**
 * Reads the connection from Temporal's usual environment variables and configuration file (address, namespace, TLS,
 * API key, metadata); what they leave open is `localhost:7233` and the namespace `default`. And the keys of payloads.
 * @throws Error when they name a profile that does not exist, or the file can't be understood
 * @throws PayloadKeysError when the keys can't be used
 */
export function loadConnection(env: NodeJS.ProcessEnv = process.env): TemporalConnection {
  const overrideEnvVars = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
  const { connectionOptions, namespace } = readConfiguration(overrideEnvVars);
  return {
    connectionOptions: { ...connectionOptions, address: connectionOptions.address ?? DEFAULT_ADDRESS },
    namespace: namespace ?? DEFAULT_NAMESPACE,
    configured: connectionOptions.address !== undefined,
    dataConverter: loadDataConverter(env),
  };
}

function readConfiguration(overrideEnvVars: Record<string, string>): ClientConnectConfig {
  try {
    return loadClientConnectConfig({ overrideEnvVars });
  } catch (cause) {
    // The library's own words alone would not tell what they are about: an empty file is a TypeError to it.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Temporal's environment variables or configuration file can't be used: ${reason}`, {
      cause,
    });
  }
}

/**
 * Connects a client, and finds out now whether the server is there.
 * @param plugins what else its calls do, such as to be traced
 * @throws TemporalUnreachableError within about 5 s
 */
export async function connectClient(
  settings = loadConnection(),
  plugins: ClientPlugin[] = [],
): Promise<ConnectedClient> {
  const { address, apiKey, tls, metadata } = settings.connectionOptions;
  const options = { address, apiKey, tls, metadata, connectTimeout: CONNECT_TIMEOUT_MS };
  try {
    const connection = await Connection.connect(options);
    const { namespace, dataConverter } = settings;
    return { connection, client: new Client({ connection, namespace, dataConverter, plugins }) };
  } catch (error) {
    throw new TemporalUnreachableError(settings, error);
  }
}

/**
 * Connects what a worker needs.
 * @throws TemporalUnreachableError within about 5 s
 */
export async function connectWorker(settings = loadConnection()): Promise<NativeConnection> {
  try {
    return await withTimeout(NativeConnection.connect(settings.connectionOptions), CONNECT_TIMEOUT_MS);
  } catch (error) {
    throw new TemporalUnreachableError(settings, error);
  }
}

/** The native connection has no time-out of its own: a host that drops packets would keep it waiting. */
async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
  });
  return Promise.race([work, expired]).finally(() => clearTimeout(timer));
}
