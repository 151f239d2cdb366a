import { createLogger } from '../../src/log.ts';
import { connectWorker, loadConnection } from '../../src/temporal/connection.ts';
import { createRolloutWorker } from '../../src/temporal/rollout-worker.ts';
import type { Shape } from '../shape.ts';
import { createEmptyActivities } from './activities.ts';

/* The worker of this system with its own settings, and with activities that do nothing. */

const settings = loadConnection();
const connection = await connectWorker(settings);
const shape = JSON.parse(process.env['BENCH_SHAPE'] ?? '') as Shape;
const worker = await createRolloutWorker({
  connection,
  namespace: settings.namespace,
  activities: createEmptyActivities(shape),
});
createLogger('empty').info({ pid: process.pid }, 'worker ready');
await worker.run();
await connection.close();
