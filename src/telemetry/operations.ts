import { log as activityLogger } from '@temporalio/activity';
import type { Connection } from '@temporalio/client';
import type { RuntimeOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Listener } from '../activities/index.ts';
import type { Database } from '../database/database.ts';
import { createMetrics } from './metrics.ts';
import type { LedgerSource } from './ledger-reader.ts';
import { storeProbes, workerProbe } from './probes.ts';
import { runtimeLogger } from './runtime-logger.ts';
import { sdkMetrics } from './sdk-metrics.ts';
import { serveOperations } from './server.ts';
import { operationsAddress } from './settings.ts';

/** What a worker tells of itself and of the rollouts: its log, its metrics, its health. */
export interface Operations {
  /** To be installed before anything of Temporal is used. */
  readonly runtime: RuntimeOptions;
  /** Begins to listen, if the environment says where: alive from now on, and ready once `worker` answers with one that runs. */
  open(parts: OperationsParts): Promise<OpenOperations>;
}

export interface OperationsParts extends LedgerSource {
  readonly database: Database;
  readonly temporal: Connection;
  readonly namespace: string;
  /** Undefined until there is one. */
  readonly worker: () => { getState(): string } | undefined;
}

export interface OpenOperations {
  /** For the activities. */
  readonly listener: Listener;
  close(): Promise<void>;
}

/** @throws Error when the settings cannot be understood */
export async function prepareOperations(log: Logger): Promise<Operations> {
  const address = operationsAddress();
  const sdk = address === null ? null : await sdkMetrics();
  return {
    runtime: {
      logger: runtimeLogger(log),
      telemetryOptions: { logging: { forward: {} }, ...(sdk === null ? {} : { metrics: sdk.options }) },
    },
    open: async ({ database, temporal, namespace, worker, ...source }) => {
      const takenOver: Listener['takenOver'] = ({ id, fence, startedAt }) =>
        activityLogger.warn('attempt taken over', { attemptId: id, fence, startedAt });
      if (address === null || sdk === null) return { listener: { takenOver }, close: async () => undefined };
      const probes = { ...storeProbes(database, temporal, namespace), worker: workerProbe(worker) };
      const metrics = createMetrics({ ...source, probes, more: sdk.read, log });
      const server = await serveOperations(address, probes, metrics);
      log.info({ url: server.url }, 'metrics and health are served');
      return {
        listener: { takenOver, healthWaitEnded: metrics.healthWaitEnded },
        close: () => server.close(),
      };
    },
  };
}
