import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { startProcess } from '../src/demo/managed-process.ts';
import type { ConnectedClient } from '../src/temporal/connection.ts';
import { startDevServer, type DevServer, type DevServerOptions } from '../src/temporal/dev-server.ts';

/** One dev server for a whole run, and the workers that take turns on it, each in a namespace of its own. */
export interface Stage {
  /** For databases and logs; removed at the end. */
  folder: string;
  address: string;
  connected(namespace: string): ConnectedClient;
  /**
   * Starts a worker as a process of its own.
   * @param file from this folder
   */
  startWorker(namespace: string, file: string, env?: Record<string, string>): Promise<BenchWorker>;
  /** Memory of the server's process now, in MiB. */
  serverRssMiB(): Promise<number>;
  /** Seconds of processor time that the server has used. */
  serverCpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

export interface BenchWorker {
  /** The most memory that the process has had so far, in MiB. */
  peakRssMiB(): Promise<number>;
  /** Seconds of processor time that it has used. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * @param namespaces that the benches of the run are going to use
 * @param options the server's; `inMemory`: without a file
 */
export async function openStage(
  namespaces: readonly string[],
  { inMemory = false, ...options }: DevServerOptions & { inMemory?: boolean } = {},
): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'rollouts-bench-'));
  const server = await startDevServer({
    port: 0,
    headless: true,
    ...(inMemory ? {} : { dbFile: join(folder, 'temporal.db') }),
    ...options,
    extraArgs: [...namespaces.flatMap((name) => ['--namespace', name]), ...(options.extraArgs ?? [])],
  });
  const connection = await Connection.connect({ address: server.address });
  return {
    folder,
    address: server.address,
    connected: (namespace) => ({ connection, client: new Client({ connection, namespace }) }),
    startWorker: (namespace, file, env) => startWorker({ folder, server }, namespace, file, env),
    serverRssMiB: () => memoryOf(server.pid, 'VmRSS'),
    serverCpuSeconds: () => cpuSecondsOf(server.pid),
    stop: async () => {
      await connection.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** `BENCH_PROFILE=<folder>` keeps a processor profile of every worker there, for Chromium's developer tools. */
const PROFILING = process.env['BENCH_PROFILE']
  ? ['--cpu-prof', `--cpu-prof-dir=${process.env['BENCH_PROFILE']}`]
  : [];

async function startWorker(
  { folder, server }: { folder: string; server: DevServer },
  namespace: string,
  file: string,
  env: Record<string, string> = {},
): Promise<BenchWorker> {
  const worker = await startProcess({
    name: `worker of ${namespace}`,
    args: [
      ...PROFILING,
      '--import',
      import.meta.resolve('tsx'),
      fileURLToPath(new URL(file, import.meta.url)),
    ],
    env: {
      ...process.env,
      LOG_LEVEL: 'info',
      TEMPORAL_ADDRESS: server.address,
      TEMPORAL_NAMESPACE: namespace,
      ...env,
    },
    logFile: join(folder, `${namespace}.log`),
    outlives: false,
    readiness: (log) => (log.includes('worker ready') ? 'ready' : null),
  });
  return {
    peakRssMiB: () => memoryOf(worker.pid, 'VmHWM'),
    cpuSeconds: () => cpuSecondsOf(worker.pid),
    stop: () => worker.stop(),
  };
}

/** @param field of the process's status: `VmHWM` is its peak, `VmRSS` what it has now */
async function memoryOf(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
  return Math.round(Number(kib) / 1024);
}

/** Linux counts in hundredths of a second. */
const TICKS_PER_SECOND = 100;

async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // After the name in brackets, which may hold spaces: user and system time are the 12th and 13th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
