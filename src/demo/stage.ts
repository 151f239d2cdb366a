import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConnection } from '../temporal/connection.ts';
import { foreignWorkers } from './foreign-server.ts';
import {
  lastLogLines,
  ProcessFailedError,
  startProcess,
  type ManagedProcess,
  type ProcessOptions,
} from './managed-process.ts';
import { Supervised } from './supervised.ts';

/*
 * The processes that the demo plays on: the Temporal server, the worker and the API, each on its own as they would be
 * in production. Worker and API may die at any moment and are replaced; the server holds the state and may not.
 */

export interface StageOptions {
  /** Data and logs. */
  folder: string;
  databaseUrl: string;
  /** The processes are to outlive the demo. */
  keep: boolean;
  /** Tells the person what happens to the processes. */
  tell: (text: string) => void;
}

export interface Stage {
  readonly temporalAddress: string;
  /** Null for a server that a person chose: where its Web UI is, is not known. */
  readonly webUi: string | null;
  readonly apiUrl: string;
  /** Of the processes as they are now; `server` is null for one that a person chose. */
  pids(): Pids;
  /** Rejects as soon as the demo cannot go on: the server is gone, or a process keeps dying. Never resolves. */
  readonly failed: Promise<never>;
  /** Ends all processes; answers when they are gone. */
  stop(): Promise<void>;
  /** Leaves the processes to themselves. */
  release(): void;
}

export interface Pids {
  server: number | null;
  worker: number;
  api: number;
}

interface Server {
  address: string;
  webUi: string | null;
  pid: number | null;
  /** Null for a server that a person chose. */
  process: ManagedProcess | null;
}

/** Starts everything and waits until it is ready. When something fails, what was started is ended. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const { promise: failed, reject: fail } = rejectable();
  const server = await startServer(options);
  options.tell(describeServer(server));
  watchServer(server.process, fail);
  const env = { ...process.env, ...environment(server.address, options.databaseUrl) };
  const starts = [workerOptions(options, env), apiOptions(options, env)].map((each) =>
    Supervised.start(each, options.tell, fail),
  );
  const stop = async () => {
    const supervised = (await Promise.allSettled(starts)).filter((start) => start.status === 'fulfilled');
    await Promise.all(supervised.map((start) => start.value.stop()));
    // The server last: the worker hands back what it has in hand.
    await server.process?.stop();
  };
  try {
    const [worker, api] = (await Promise.all(starts)) as [Supervised, Supervised];
    for (const { current } of [worker, api])
      options.tell(`${current.name.padEnd(10)}process ${current.pid}, log ${current.logFile}`);
    return {
      temporalAddress: server.address,
      webUi: server.webUi,
      get apiUrl() {
        return api.current.ready;
      },
      pids: () => ({ server: server.pid, worker: worker.current.pid, api: api.current.pid }),
      failed,
      stop,
      release: () => {
        for (const process of [worker, api]) process.release();
        server.process?.release();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The variables by which every process, and a person's shell, finds the demo's server and database. */
export function environment(temporalAddress: string, databaseUrl: string): Record<string, string> {
  return { TEMPORAL_ADDRESS: temporalAddress, DATABASE_URL: databaseUrl };
}

/** A promise that can only fail; that nobody listens to it is no fault. */
function rejectable(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<never>((_, no) => (reject = no));
  promise.catch(() => undefined);
  return { promise, reject };
}

/**
 * The server that is configured, or an embedded one on a file. It runs under `src/temporal/main.ts`, which like any
 * other process can be left running when the demo is gone.
 */
async function startServer({ folder, keep, tell }: StageOptions): Promise<Server> {
  const settings = loadConnection();
  if (settings.configured) {
    const others = await foreignWorkers(settings);
    if (others.length > 0) {
      tell(
        `Workers of somebody else were here a moment ago (${others.join(', ')}). Stop them: they take the demo's tasks, and do not know its database.`,
      );
    }
    return { address: settings.connectionOptions.address, webUi: null, pid: null, process: null };
  }
  const main = await startProcess({
    name: 'server',
    args: runs('../temporal/main.ts', ['--db-file', join(folder, 'temporal.db')]),
    env: process.env,
    logFile: join(folder, 'server.log'),
    outlives: keep,
    readiness: (log) => (log.includes('Ctrl-C stops the server.') ? log : null),
  });
  const [, address, pid] = /^Temporal server +(\S+) \(process (\d+)\)/m.exec(main.ready) ?? [];
  const [, webUi] = /^Web UI +(\S+)/m.exec(main.ready) ?? [];
  if (address === undefined || webUi === undefined) {
    await main.stop();
    throw new ProcessFailedError(`The server did not say where it is. ${await lastLogLines(main.logFile)}`);
  }
  return { address, webUi, pid: Number(pid), process: main };
}

function describeServer({ address, pid, process: main }: Server): string {
  if (main === null) return `${'server'.padEnd(10)}${address}, as configured; none is started here`;
  return `${'server'.padEnd(10)}process ${pid}, at ${address}, log ${main.logFile}`;
}

/** Without the server nothing moves, and what it kept is its own: the demo ends. */
function watchServer(server: ManagedProcess | null, fail: (error: Error) => void): void {
  if (server === null) return;
  void server.exited.then(async (how) => {
    const log = await lastLogLines(server.logFile);
    fail(new ProcessFailedError(`The Temporal server is gone (${how}).\n${log}`));
  });
}

function workerOptions({ folder, keep }: StageOptions, env: NodeJS.ProcessEnv): ProcessOptions {
  return {
    name: 'worker',
    args: runs('../worker.ts'),
    env,
    logFile: join(folder, 'worker.log'),
    outlives: keep,
    readiness: (log) => (logLine(log, 'worker ready') ? 'ready' : null),
  };
}

function apiOptions({ folder, keep }: StageOptions, env: NodeJS.ProcessEnv): ProcessOptions {
  return {
    name: 'api',
    args: runs('../arm/main.ts', ['--port', '0']),
    env,
    logFile: join(folder, 'api.log'),
    outlives: keep,
    readiness: (log) => logLine(log, 'api ready')?.['url'] ?? null,
  };
}

/** Node's arguments that run a file of this project, from its sources as they are. */
function runs(file: string, args: readonly string[] = []): string[] {
  return ['--import', import.meta.resolve('tsx'), fileURLToPath(new URL(file, import.meta.url)), ...args];
}

/** The JSON log line with this message, or undefined. */
function logLine(log: string, message: string): Record<string, string> | undefined {
  const line = log.split('\n').find((each) => each.includes(`"msg":"${message}"`) && each.endsWith('}'));
  return line === undefined ? undefined : (JSON.parse(line) as Record<string, string>);
}
