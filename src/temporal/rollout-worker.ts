import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { type NativeConnection, Worker, bundleWorkflowCode } from '@temporalio/worker';
import type { WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { TASK_QUEUE } from '../workflows/messages.ts';

export interface RolloutWorkerOptions {
  connection: NativeConnection;
  namespace: string;
  activities: Activities;
  /** How payloads are encrypted; not at all if absent. */
  dataConverter?: DataConverter;
  /** A bundle made before, to start sooner; made now if absent. */
  workflowBundle?: WorkerOptions['workflowBundle'];
}

/**
 * A worker for all workflows and activities. The settings are those that were fastest when measured on two cores; see
 * `docs/architecture.md`.
 */
export async function createRolloutWorker(options: RolloutWorkerOptions): Promise<Worker> {
  return Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    taskQueue: TASK_QUEUE,
    activities: options.activities,
    dataConverter: options.dataConverter,
    workflowBundle: options.workflowBundle ?? (await loadWorkflowBundle(options.dataConverter)),
    // A batch's chunks are handed to this very worker with the task's answer, which saves a round trip each.
    maxEagerActivityReservationsPerWorkflowTask: 20,
    maxConcurrentActivityTaskExecutions: 100,
    maxConcurrentLocalActivityExecutions: 50,
    maxCachedWorkflows: 2_000,
    // Activities take milliseconds here; a fleet of real machines heartbeats and goes on elsewhere.
    shutdownGraceTime: '10 s',
    shutdownForceTime: '20 s',
  });
}

/**
 * The bundle that `npm run build` made beside this file's compiled form, or one made now from the sources. Failures are written
 * within the workflow's sandbox, so there is one bundle for plain ones and one for encrypted ones.
 */
export async function loadWorkflowBundle({
  failureConverterPath,
}: Pick<DataConverter, 'failureConverterPath'> = {}): Promise<NonNullable<WorkerOptions['workflowBundle']>> {
  const name = failureConverterPath ? 'workflow-bundle-encrypted.js' : 'workflow-bundle.js';
  const built = fileURLToPath(new URL(`../${name}`, import.meta.url));
  if (existsSync(built)) return { codePath: built };
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const workflowsPath = fileURLToPath(new URL(`../workflows/index.${extension}`, import.meta.url));
  const quiet = () => undefined;
  return bundleWorkflowCode({
    workflowsPath,
    ...(failureConverterPath ? { failureConverterPath } : {}),
    logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: console.error },
  });
}
