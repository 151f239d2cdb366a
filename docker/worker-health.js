import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { loadConnection } from '../dist/temporal/connection.js';
import { TASK_QUEUE } from '../dist/workflows/messages.js';

/*
 * The health check of a worker's container. A worker serves no port; what shows that it works is that Temporal has
 * lately been asked for tasks by it. Exits 0 when it has, 1 with the reason otherwise.
 */
/** A poll that brings nothing lasts a minute, and counts from its start. */
const LATELY_MS = 3 * 60_000;

try {
  const { connectionOptions, namespace } = loadConnection();
  const { address, apiKey, tls, metadata } = connectionOptions;
  const connection = await Connection.connect({ address, apiKey, tls, metadata, connectTimeout: 5_000 });
  const taskQueue = { name: TASK_QUEUE };
  const { pollers } = await connection.workflowService.describeTaskQueue({ namespace, taskQueue });
  await connection.close();
  // A worker is known as <process>@<host>, and a container has a host name of its own.
  const own = pollers.filter(({ identity }) => identity.endsWith(`@${hostname()}`));
  const latest = Math.max(
    0,
    ...own.map(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000),
  );
  if (Date.now() - latest > LATELY_MS) throw new Error(`no worker of ${hostname()} asks for tasks`);
  console.log(`a worker of ${hostname()} asks for tasks`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
