import type { DataConverter } from '@temporalio/common';
import { type NativeConnection, Worker } from '@temporalio/worker';
import type { WorkerInterceptors, WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { regionTaskQueue, TASK_QUEUE } from '../workflows/messages.ts';
import { loadWorkflowBundle, type WorkflowBundle } from './workflow-bundle.ts';
import { workerSettings, type WorkerSettings } from './worker-settings.ts';

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
  /** The environment's if absent. */
  settings?: WorkerSettings;
}

/** A worker for all workflows, and for all activities that go to no region's queue. */
export async function createRolloutWorker(options: RolloutWorkerOptions): Promise<Worker> {
  const { dataConverter, plugins = [], settings = workerSettings() } = options;
  const workflowBundle = options.workflowBundle ?? (await loadWorkflowBundle({ ...dataConverter, plugins }));
  return Worker.create({
    ...sharedOptions(options, settings),
    taskQueue: TASK_QUEUE,
    workflowBundle,
    // A batch's chunks are handed to this very worker with the task's answer, which saves a round trip each.
    maxEagerActivityReservationsPerWorkflowTask: 20,
    maxConcurrentWorkflowTaskExecutions: settings.workflowSlots,
    maxConcurrentLocalActivityExecutions: settings.lookSlots,
    maxCachedWorkflows: settings.cachedWorkflows,
    workflowTaskPollerBehavior: pollerBehavior(settings.pollers),
  });
}

/** A worker for the steps on the instances of one region, of rollouts whose regions have queues of their own. */
export function createRegionWorker(options: RolloutWorkerOptions, region: string): Promise<Worker> {
  const { settings = workerSettings() } = options;
  return Worker.create({ ...sharedOptions(options, settings), taskQueue: regionTaskQueue(region) });
}

function sharedOptions(options: RolloutWorkerOptions, settings: WorkerSettings) {
  const { connection, namespace, activities, dataConverter, plugins = [], interceptors = {} } = options;
  return {
    connection,
    namespace,
    activities,
    dataConverter,
    plugins,
    interceptors,
    ...(options.workerDeploymentOptions ? { workerDeploymentOptions: options.workerDeploymentOptions } : {}),
    maxConcurrentActivityTaskExecutions: settings.activitySlots,
    activityTaskPollerBehavior: pollerBehavior(settings.pollers, settings.activitySlots),
    // Activities take milliseconds here; a fleet of real machines heartbeats and goes on elsewhere.
    shutdownGraceTime: '10 s',
    shutdownForceTime: '20 s',
  } satisfies Partial<WorkerOptions>;
}

/** With how many an autoscaling worker begins: as many as the SDK has by default where they do not scale. */
const INITIAL_POLLERS = 10;

/** @param most more than this can never be of use */
function pollerBehavior(
  pollers: WorkerSettings['pollers'],
  most = Infinity,
): NonNullable<WorkerOptions['activityTaskPollerBehavior']> {
  if (pollers !== 'autoscaling') return { type: 'simple-maximum', maximum: Math.min(pollers, most) };
  return { type: 'autoscaling', initial: Math.min(INITIAL_POLLERS, most), maximum: Math.min(100, most) };
}
