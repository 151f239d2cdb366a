import { Connection } from '@temporalio/client';
import type { TemporalConnection } from '../temporal/connection.ts';
import { TASK_QUEUE } from '../workflows/messages.ts';

/** A poller is listed for a while after its end. */
const RECENT_MS = 60_000;

/**
 * Workers that have lately asked a server, which a person chose, for the rollouts' tasks: they would take the demo's, and
 * know nothing of its database.
 * @returns their identities; none where the server does not tell
 */
export async function foreignWorkers({
  connectionOptions,
  namespace,
}: TemporalConnection): Promise<string[]> {
  const { address, apiKey, tls, metadata } = connectionOptions;
  const connection = await Connection.connect({ address, apiKey, tls, metadata });
  try {
    const { pollers } = await connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: TASK_QUEUE },
    });
    const since = Date.now() - RECENT_MS;
    return (pollers ?? [])
      .filter(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 >= since)
      .map(({ identity }) => identity ?? 'unknown');
  } catch {
    // Only a courtesy: what is wrong with the connection shows when it is needed.
    return [];
  } finally {
    await connection.close();
  }
}
