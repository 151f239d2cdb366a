import { Runtime } from '@temporalio/worker';
import { ACTIVITY_NAMES, createActivities } from './activities/index.ts';
import { openDatabase } from './database/database.ts';
import { openSimulatedFleet } from './fleet/index.ts';
import { openLedger } from './ledger/index.ts';
import { createLogger } from './log.ts';
import { activityLog } from './telemetry/activity-log.ts';
import { prepareOperations } from './telemetry/operations.ts';
import { startTracing } from './telemetry/tracing.ts';
import { connectClient, connectWorker, loadConnection } from './temporal/connection.ts';
import { ensureImageWatch } from './temporal/image-watch-schedule.ts';
import { faultPoints } from './temporal/fault-kill.ts';
import { loadDeployment } from './temporal/deployment.ts';
import { registerSearchAttributes } from './temporal/register-search-attributes.ts';
import { createWorkerGroup, type WorkerGroup } from './temporal/worker-group.ts';
import { workerSettings } from './temporal/worker-settings.ts';
import { workflowDirectory } from './temporal/workflow-directory.ts';
import { startDelivery } from './watchers/delivery-loop.ts';
import { eventSource } from './watchers/settings.ts';

/*
 * The worker: runs workflows and activities. Any number of them share one Temporal server and one database; each can
 * be killed at any moment. SIGINT and SIGTERM let the activities under way end first.
 */
const log = createLogger('worker');

try {
  const faults = faultPoints(ACTIVITY_NAMES);
  if (faults.fault) log.warn(faults.fault, 'FAULT_KILL is set: this worker will end itself');
  const prepared = await prepareOperations(log);
  Runtime.install(prepared.runtime);
  const tracing = await startTracing('rollouts-worker');
  const settings = loadConnection();
  const work = workerSettings();
  const source = eventSource();
  const { namespace, dataConverter } = settings;
  const { client, connection: clientConnection } = await connectClient(settings, tracing.plugins);
  await registerSearchAttributes(clientConnection, namespace);
  const connection = await connectWorker(settings);
  const database = faults.database(await openDatabase());
  const fleet = await openSimulatedFleet(database);
  const ledger = openLedger(database);
  if (work.imageWatch) await ensureImageWatch(client, await fleet.clock());
  let workers: WorkerGroup | undefined;
  const operations = await prepared.open({
    fleet,
    statistics: ledger.statistics,
    database,
    temporal: clientConnection,
    namespace,
    worker: () => workers,
  });
  const activities = faults.activities(
    createActivities({
      fleet: fleet.overApi(),
      ledger,
      workflows: workflowDirectory(client),
      listener: operations.listener,
    }),
  );
  workers = await createWorkerGroup({
    connection,
    namespace,
    dataConverter,
    activities,
    interceptors: { activity: [activityLog] },
    plugins: tracing.plugins,
    workerDeploymentOptions: loadDeployment(),
    settings: work,
    fleet,
  });
  log.info(
    {
      pid: process.pid,
      address: settings.connectionOptions.address,
      database: database.location,
      workflows: work.workflows,
      regions: work.regions,
    },
    'worker ready',
  );
  // Not by workers that serve regions alone: they may have neither the secrets nor the way out.
  const delivery = work.workflows ? startDelivery({ deliveries: ledger.deliveries, source, log }) : null;
  await workers.run();
  await delivery?.close();
  await operations.close();
  await connection.close();
  await clientConnection.close();
  await database.close();
  await tracing.close();
  log.info('worker stopped');
} catch (error) {
  log.error({ error: (error as Error).message }, 'worker failed');
  // Not by itself: what is open already, such as a connection, would keep a process that does nothing.
  process.exit(1);
}
