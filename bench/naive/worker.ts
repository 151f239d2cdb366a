import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { openDatabase } from '../../src/database/database.ts';
import { openSimulatedFleet } from '../../src/fleet/index.ts';
import { createLogger } from '../../src/log.ts';
import { connectWorker, loadConnection } from '../../src/temporal/connection.ts';
import { createNaiveActivities } from './activities.ts';

/* A worker with every setting as it comes. */

const settings = loadConnection();
const connection = await connectWorker(settings);
const database = await openDatabase();
const worker = await Worker.create({
  connection,
  namespace: settings.namespace,
  taskQueue: 'naive',
  workflowsPath: fileURLToPath(new URL('workflows.ts', import.meta.url)),
  activities: createNaiveActivities(await openSimulatedFleet(database)),
});
createLogger('naive').info({ pid: process.pid }, 'worker ready');
await worker.run();
await connection.close();
await database.close();
