import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { Rollout } from '../ledger/port.ts';
import { regionTaskQueue } from '../workflows/messages.ts';

const { TASK_QUEUE_TYPE_ACTIVITY: ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;

/** A worker that is idle asks the server for work once a minute. */
const POLLED_WITHIN_MS = 2 * 60_000;

/**
 * Of these regions, those whose queue no worker has asked for work lately: their steps wait. None, where the rollout has no
 * queues of its regions' own.
 */
export async function unservedRegions(
  client: Client,
  { settings }: Pick<Rollout, 'settings'>,
  regions: readonly string[],
): Promise<string[]> {
  if (settings.activityQueues !== 'region') return [];
  // Where the server does not say it, nobody is alarmed.
  const served = await Promise.all(
    regions.map((region) => isPolled(client, regionTaskQueue(region)).catch(() => true)),
  );
  return regions.filter((_, i) => !served[i]);
}

/** What a person should know who starts something in regions that no worker serves. */
export async function unservedNotes(
  client: Client,
  rollout: Pick<Rollout, 'settings'>,
  regions: readonly string[],
): Promise<string[]> {
  const unserved = await unservedRegions(client, rollout, regions);
  return unserved.map(
    (region) => `No worker serves ${region}, so its VMs will wait: start one by \`${serveCommand(region)}\`.`,
  );
}

/** The command that ends the wait of a region that no worker serves. */
export function serveCommand(region: string): string {
  return `WORKER_REGIONS=${region} npm run worker`;
}

async function isPolled(client: Client, name: string): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name },
    taskQueueType: ACTIVITY,
  });
  const since = Date.now() - POLLED_WITHIN_MS;
  return pollers.some(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1000 >= since);
}
