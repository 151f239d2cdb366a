import type { DataConverter } from '@temporalio/common';
import { type NativeConnection, Worker } from '@temporalio/worker';
import type { WorkerInterceptors, WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { TASK_QUEUE } from '../workflows/messages.ts';
import { loadWorkflowBundle, type WorkflowBundle } from './workflow-bundle.ts';

export interface RolloutWorkerOptions {
  connection: NativeConnection;
  namespace: string;
  activities: Activities;
  /** How payloads are encrypted; not at all if absent. */
  dataConverter?: DataConverter;
  /** A bundle made before, to start sooner; made now if absent. */
  workflowBundle?: WorkflowBundle;
  interceptors?: WorkerInterceptors;
  plugins?: WorkerOptions['plugins'];
  /** The version that it is of; see `loadDeployment`. */
  workerDeploymentOptions?: WorkerOptions['workerDeploymentOptions'] | undefined;
}

/**
 * A worker for all workflows and activities. The settings are those that were fastest when measured on two cores; see
 * `docs/architecture.md`.
 */
export async function createRolloutWorker(options: RolloutWorkerOptions): Promise<Worker> {
  const { dataConverter, plugins = [], interceptors = {} } = options;
  const workflowBundle = options.workflowBundle ?? (await loadWorkflowBundle({ ...dataConverter, plugins }));
  return Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    taskQueue: TASK_QUEUE,
    activities: options.activities,
    dataConverter,
    workflowBundle,
    interceptors,
    plugins,
    ...(options.workerDeploymentOptions ? { workerDeploymentOptions: options.workerDeploymentOptions } : {}),
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
