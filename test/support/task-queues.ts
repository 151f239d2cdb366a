import type { Client } from '@temporalio/client';

/** Temporal's `TaskQueueType`: the SDK does not export the enumeration. */
const ACTIVITY = 2;

/** How many activities wait in a queue for a worker. */
export async function waitingTasks(client: Client, taskQueue: string): Promise<number> {
  const { stats } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: ACTIVITY,
    reportStats: true,
  });
  return Number(stats?.approximateBacklogCount ?? 0);
}
