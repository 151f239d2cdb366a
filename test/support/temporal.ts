import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  type WorkflowBundle,
} from '@temporalio/worker';
import { startDevServer, type DevServer, type DevServerOptions } from '../../src/temporal/dev-server.ts';
import { addSearchAttributes } from '../../src/temporal/register-search-attributes.ts';
import { findTestServer, guardedScript } from '../../src/temporal/servers/index.ts';

/** The namespace of both test servers. */
export const NAMESPACE = 'default';

/** The SDK gives the server 5 s to start, which a JVM on a busy machine may miss. */
const START_ATTEMPTS = 4;

/** A dev server in memory with everything connected to it; `stop()` closes and ends all of it. */
export interface DevServerEnvironment {
  readonly server: DevServer;
  readonly address: string;
  readonly connection: Connection;
  readonly client: Client;
  readonly nativeConnection: NativeConnection;
  stop(): Promise<void>;
}

type FetchedHistory = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

let runtimeInstalled = false;

/** Makes the SDK log warnings only. Both environments call it; a test that installs a runtime itself must do so first. */
export function installQuietRuntime(): void {
  if (runtimeInstalled) return;
  runtimeInstalled = true;
  const logger = new DefaultLogger('WARN');
  try {
    Runtime.install({ logger, telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } } });
  } catch (error) {
    if (!(error instanceof Error && error.name === 'IllegalStateError')) throw error;
  }
}

/** Bundles a workflow file without webpack's chatter. Do it once per test file: it takes a second. */
export function bundleWorkflows(workflowsPath: string): Promise<WorkflowBundle> {
  return bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
}

/**
 * A fetched history as the JSON that replay reads and `temporal workflow show` prints. Not `JSON.stringify`, which
 * writes time stamps as objects: replay refuses those.
 */
export function historyToJson(history: FetchedHistory): string {
  return historyToJSON(history);
}

/**
 * A time-skipping environment that knows the rollouts' search attributes. Java ends with this process even when that
 * is killed; still, call `teardown()` in `afterAll` or `finally`. Await one root workflow at a time in it.
 */
export async function timeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  installQuietRuntime();
  const { path } = await findTestServer();
  const executable = { type: 'existing-path', path: await guardedScript(path) } as const;
  const environment = await retrying(() =>
    TestWorkflowEnvironment.createTimeSkipping({ server: { executable } }),
  );
  try {
    await addSearchAttributes(environment.connection, NAMESPACE);
    return environment;
  } catch (error) {
    await environment.teardown();
    throw error;
  }
}

/** A real dev server, for what the time-skipping one lacks: schedules, listing, versioned workers, real updates. */
export async function devServerEnvironment(options: DevServerOptions = {}): Promise<DevServerEnvironment> {
  installQuietRuntime();
  const server = await startDevServer({ port: 0, headless: true, ...options });
  try {
    return await connectTo(server);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function connectTo(server: DevServer): Promise<DevServerEnvironment> {
  const { address } = server;
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  const stop = async () => {
    // Closing fails while a worker still uses the connection; the server must end even so.
    await Promise.allSettled([connection.close(), nativeConnection.close()]);
    await server.stop();
  };
  return { server, address, connection, client: new Client({ connection }), nativeConnection, stop };
}

async function retrying<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}
