import { Command, CommanderError, Option } from 'commander';
import { connectClient, DEFAULT_ADDRESS, loadConnection, type TemporalConnection } from './connection.ts';
import { startDevServer, type DevServer } from './dev-server.ts';
import { parsePort } from './ports.ts';
import { registerSearchAttributes } from './register-search-attributes.ts';
import { searchAttributeDefinitions } from './search-attributes.ts';

/** `npm run temporal`: the embedded server in the foreground, or a check of the server that is configured. */
interface Options {
  readonly dbFile: string;
  readonly inMemory?: true;
  readonly port?: number;
  readonly uiPort?: number;
  readonly codecEndpoint?: string;
}

/** As in BSD's sysexits: a wrong command line is told apart from a server that fails. */
const EXIT_USAGE = 64;
const EXIT_FAILURE = 1;

function parseOptions(args: readonly string[]): Options {
  const command = new Command('npm run temporal --')
    .description('Runs a Temporal server on this machine, for as long as this command runs.')
    .addOption(
      new Option('--db-file <path>', 'keep everything in this SQLite file').default('var/temporal.db'),
    )
    .addOption(new Option('--in-memory', 'keep nothing: faster, and gone at the end').conflicts('dbFile'))
    .option('--port <number>', 'port of gRPC (default: 7233, or a free one when it is taken)', parsePort)
    .option('--ui-port <number>', 'port of the Web UI (default: 8233, or a free one)', parsePort)
    .option('--codec-endpoint <url>', 'has the Web UI decrypt payloads there: see npm run codec-server')
    .addHelpText(
      'after',
      '\nIf TEMPORAL_ADDRESS or a Temporal profile names a server, that one is checked instead.',
    )
    .allowExcessArguments(false)
    .showHelpAfterError('(--help shows the options)')
    .exitOverride();
  return command.parse(args, { from: 'user' }).opts<Options>();
}

/** Somebody else runs the server: make sure that it is there and knows our search attributes. */
async function checkConfiguredServer(settings: TemporalConnection): Promise<void> {
  const { address } = settings.connectionOptions;
  console.log(
    `A Temporal server is configured: ${address}, namespace ${settings.namespace}. None is started here.`,
  );
  const { connection } = await connectClient(settings);
  try {
    await registerSearchAttributes(connection, settings.namespace);
  } finally {
    await connection.close();
  }
  console.log(
    `It answers and knows all ${searchAttributeDefinitions.length} search attributes of the rollouts.`,
  );
}

/** Resolves when a person, or whatever runs us, asks us to end. From now on such a signal no longer kills us. */
function untilAskedToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
}

function describe(server: DevServer, dbFile: string | undefined): string {
  const port = server.address.split(':').at(-1);
  const isDefault = DEFAULT_ADDRESS.endsWith(`:${port}`);
  const setting = isDefault ? '' : `TEMPORAL_ADDRESS=${server.address} `;
  return [
    `Temporal server  ${server.address} (process ${server.pid})`,
    `Web UI           ${server.uiUrl}`,
    `Database         ${dbFile ?? 'in memory'}`,
    `Log              ${server.logFile}`,
    '',
    `Next, in another terminal: ${setting}npm run worker`,
    'Ctrl-C stops the server.',
  ].join('\n');
}

async function runServer({ dbFile, inMemory, port, uiPort, codecEndpoint }: Options): Promise<number> {
  const file = inMemory ? undefined : dbFile;
  const server = await startDevServer({ dbFile: file, port, uiPort, codecEndpoint });
  const ended = server.exited.then(() => 'ended' as const);
  const asked = untilAskedToEnd().then(() => 'asked' as const);
  // Only now: whoever reads it may well ask at once.
  console.log(describe(server, file));
  const why = await Promise.race([ended, asked]);
  if (why === 'ended')
    console.error(`The server ended by itself. Its log ends:\n${await server.lastLogLines()}`);
  await server.stop();
  return why === 'ended' ? EXIT_FAILURE : 0;
}

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    const settings = loadConnection();
    if (!settings.configured) return await runServer(options);
    await checkConfiguredServer(settings);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    console.error(error instanceof Error ? error.message : error);
    return EXIT_FAILURE;
  }
}

process.exitCode = await main(process.argv.slice(2));
