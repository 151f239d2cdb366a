import { DefaultLogger, Runtime } from '@temporalio/worker';
import { createActivities } from './activities/index.ts';
import { openDatabase } from './database/database.ts';
import { openSimulatedFleet } from './fleet/index.ts';
import { openLedger } from './ledger/index.ts';
import { createLogger } from './log.ts';
import { connectClient, connectWorker, loadConnection } from './temporal/connection.ts';
import { registerSearchAttributes } from './temporal/register-search-attributes.ts';
import { createRolloutWorker } from './temporal/rollout-worker.ts';
import { workflowDirectory } from './temporal/workflow-directory.ts';

/*
 * The worker: runs all workflows and activities. Any number of them share one Temporal server and one database; each can
 * be killed at any moment. SIGINT and SIGTERM let the activities under way end first.
 */
const log = createLogger('worker');

try {
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) =>
      log[level === 'ERROR' ? 'error' : 'warn'](meta ?? {}, message),
    ),
  });
  const settings = loadConnection();
  const { client, connection: clientConnection } = await connectClient(settings);
  await registerSearchAttributes(clientConnection, settings.namespace);
  const connection = await connectWorker(settings);
  const database = await openDatabase();
  const activities = createActivities({
    fleet: await openSimulatedFleet(database),
    ledger: openLedger(database),
    workflows: workflowDirectory(client),
  });
  const { namespace, dataConverter } = settings;
  const worker = await createRolloutWorker({ connection, namespace, dataConverter, activities });
  log.info(
    { pid: process.pid, address: settings.connectionOptions.address, database: database.location },
    'worker ready',
  );
  await worker.run();
  await connection.close();
  await clientConnection.close();
  await database.close();
  log.info('worker stopped');
} catch (error) {
  log.error({ error: (error as Error).message }, 'worker failed');
  process.exitCode = 1;
}
