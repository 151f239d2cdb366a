import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { openDatabase } from '../../../src/database/database.ts';
import { startProcess, type ManagedProcess } from '../../../src/demo/managed-process.ts';
import { openSimulatedFleet } from '../../../src/fleet/index.ts';
import { openLedger } from '../../../src/ledger/index.ts';
import { registerSearchAttributes } from '../../../src/temporal/register-search-attributes.ts';
import { fleetSpecOf } from '../../support/fleet.ts';
import type { RolloutStage } from '../../support/rollout.ts';
import { BUILD_FOLDER, CASES_FOLDER } from './folders.ts';
import type { Scenario } from './scenarios.ts';

/** A virtual minute is a tenth of a second. */
const SPEED = 600;
/** For whatever is waited for. A death costs Temporal's own 10 s several times, and machines may be busy. */
const PATIENCE_MS = 240_000;
const LOOK_EVERY_MS = 60;

/** A fleet with its ledger in a database of its own, on a namespace of its own, and workers that are processes. */
export interface SurvivalWorld extends RolloutStage {
  readonly folder: string;
  readonly namespace: string;
  readonly databaseUrl: string;
  /**
   * Starts a worker and waits until it polls.
   * @param fault as `FAULT_KILL` takes it
   * @param variables more of its environment
   */
  startWorker(fault?: string, variables?: Record<string, string>): Promise<WorkerProcess>;
  /** Ends whatever still runs. */
  end(): Promise<void>;
}

export interface WorkerProcess extends ManagedProcess {
  /** Everything that it has logged. */
  log(): Promise<string>;
}

/**
 * Waits until something holds. A look that fails is one that finds nothing: what is looked at is being killed.
 * @throws Error that says what was waited for in vain
 */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  lookEveryMs = LOOK_EVERY_MS,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    let cause: unknown;
    if (await holds().catch((error: unknown) => void (cause = error))) return;
    if (Date.now() > deadline) throw new Error(`It did not come to pass that ${what}.`, { cause });
    await delay(lookEveryMs);
  }
}

/**
 * Makes the fleet of a scenario.
 * @param name of the case: its namespace, its folder
 * @param address of the Temporal server
 * @param databaseUrl in place of a SQLite file in its folder
 */
export async function survivalWorld(
  name: string,
  address: string,
  { sets, faults }: Scenario,
  databaseUrl?: string,
): Promise<SurvivalWorld> {
  const namespace = name.replaceAll(/[^\w]+/g, '-');
  const folder = join(CASES_FOLDER, namespace);
  await mkdir(folder, { recursive: true });
  const url = databaseUrl ?? `file:${join(folder, 'fleet.db')}`;
  const database = await openDatabase(url);
  const fleet = await openSimulatedFleet(database);
  await fleet.seed(fleetSpecOf(sets, { speed: SPEED, faults }), Date.now());
  const connection = await Connection.connect({ address });
  const client = await clientOf(connection, namespace);
  const workers: WorkerProcess[] = [];
  return {
    folder,
    namespace,
    databaseUrl: url,
    database,
    fleet,
    ledger: openLedger(database),
    clock: await fleet.clock(),
    env: { client, currentTimeMs: async () => Date.now(), sleep: (duration) => delay(Number(duration)) },
    startWorker: async (fault, variables = {}) => {
      const number = workers.length + 1;
      const worker = await startWorker(join(folder, `worker-${number}.log`), {
        DATABASE_URL: url,
        TEMPORAL_ADDRESS: address,
        TEMPORAL_NAMESPACE: namespace,
        ...(fault === undefined ? {} : { FAULT_KILL: fault }),
        ...variables,
      });
      workers.push(worker);
      return worker;
    },
    end: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await connection.close();
      await database.close();
    },
  };
}

/** A client on a namespace that it makes. */
async function clientOf(connection: Connection, namespace: string): Promise<Client> {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  await registerSearchAttributes(connection, namespace);
  const client = new Client({ connection, namespace });
  // A new namespace is known to the front end a moment before it is to the rest of the server.
  await until(`namespace ${namespace} can be used`, () =>
    client.workflow.count().then(
      () => true,
      () => false,
    ),
  );
  return client;
}

async function startWorker(logFile: string, env: NodeJS.ProcessEnv): Promise<WorkerProcess> {
  const worker = await startProcess({
    name: 'worker',
    args: [join(BUILD_FOLDER, 'worker.js')],
    env: { ...process.env, ...env, LOG_LEVEL: 'info' },
    logFile,
    outlives: false,
    readiness: (log) => /worker ready/.exec(log)?.[0] ?? null,
  });
  return { ...worker, log: () => readFile(logFile, 'utf8') };
}
