import { Connection } from '@temporalio/client';
import { Command, CommanderError, Option } from 'commander';
import { openDatabase } from '../database/database.ts';
import { openSimulatedFleet } from '../fleet/index.ts';
import { openLedger } from '../ledger/index.ts';
import { createLogger } from '../log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { storeProbes } from '../telemetry/probes.ts';
import { loadConnection } from '../temporal/connection.ts';
import { parsePort } from '../temporal/ports.ts';
import { createApiServer } from './server.ts';

/** `npm run api`: serves the control plane API. Any number of them share one Temporal server and one database. */
interface Options {
  readonly port: number;
  readonly host: string;
}

/** As in BSD's sysexits: a wrong command line is told apart from a server that fails. */
const EXIT_USAGE = 64;
const EXIT_FAILURE = 1;

const log = createLogger('api');

function parseOptions(args: readonly string[]): Options {
  return new Command('npm run api --')
    .description('Serves the control plane API, for as long as this command runs.')
    .addOption(
      new Option('--port <number>', 'port to listen on; 0: a free one')
        .env('PORT')
        .default(8080)
        .argParser(parsePort),
    )
    .addOption(
      new Option('--host <address>', 'address to listen on; the API asks nobody who they are')
        .env('HOST')
        .default('127.0.0.1'),
    )
    .allowExcessArguments(false)
    .showHelpAfterError('(--help shows the options)')
    .exitOverride()
    .parse(args, { from: 'user' })
    .opts<Options>();
}

/** Serves until a signal asks it to end; then lets the requests under way finish. */
async function serve({ port, host }: Options): Promise<void> {
  const settings = loadConnection();
  const { address, apiKey, tls, metadata } = settings.connectionOptions;
  // Lazily: without Temporal the API is alive and says what it lacks, instead of being started over and over. Without
  // the interceptor that repeats failed calls: a probe wants today's answer, and none may be left over at the end.
  const temporal = Connection.lazy({ address, apiKey, tls, metadata, interceptors: [] });
  const database = await openDatabase();
  try {
    const fleet = await openSimulatedFleet(database);
    const ledger = openLedger(database);
    const probes = storeProbes(database, temporal, settings.namespace);
    const metrics = createMetrics({ statistics: ledger.statistics, fleet, probes, log });
    const server = createApiServer({ fleet, ledger, probes, metrics, log });
    const url = await server.listen({ port, host });
    log.info({ url, temporal: address, database: database.location }, 'api ready');
    const signal = await untilAskedToEnd();
    log.info({ signal }, 'api stopping');
    await server.close();
  } finally {
    await Promise.all([temporal.close(), database.close()]);
  }
  log.info('api stopped');
}

/** Once: whoever asks a second time does not want to wait. */
function untilAskedToEnd(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
}

try {
  await serve(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  } else {
    log.error({ error: error instanceof Error ? error.message : String(error) }, 'api failed');
    process.exitCode = EXIT_FAILURE;
  }
}
