import type { ChildProcess } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { claimDatabase, recordOwner, releaseDatabase } from './database-claim.ts';
import { devServerArguments, type DevServerSettings } from './dev-server-command.ts';
import { ServerExitedError, ServerProcess } from './dev-server-process.ts';
import { freePort, isFree } from './ports.ts';
import { findTemporalCli, type Report } from './servers/index.ts';

export interface DevServerOptions {
  /** The SQLite file; in memory without one. */
  readonly dbFile?: string;
  /** The gRPC port. Default: 7233, or a free one when that is taken; 0: a free one. */
  readonly port?: number;
  /** The Web UI's port. Default: 8233, or a free one when that is taken; 0: a free one. */
  readonly uiPort?: number;
  /** Default: loopback, for the dev server asks nobody who they are. */
  readonly ip?: string;
  /** Default: beside the database; in memory, a temporary file that goes with the server. */
  readonly logFile?: string;
  /** Where the Web UI has payloads decrypted. */
  readonly codecEndpoint?: string | undefined;
  /** Without the Web UI. */
  readonly headless?: boolean;
  readonly extraArgs?: readonly string[];
  readonly report?: Report;
}

/** A dev server that runs, as a process of its own. */
export interface DevServer {
  /** Host and port of gRPC. */
  readonly address: string;
  readonly uiUrl: string | undefined;
  readonly pid: number;
  readonly process: ChildProcess;
  readonly logFile: string;
  /** Settles when the process has ended, whether by `stop()` or by itself. */
  readonly exited: Promise<void>;
  /** What it logged last, to explain an end that nobody asked for. */
  lastLogLines(): Promise<string>;
  /** Ends the process and waits until it is gone: SIGINT, and SIGKILL 10 s later. Calling it again is harmless. */
  stop(): Promise<void>;
}

const DEFAULT_PORT = 7233;
const DEFAULT_UI_PORT = 8233;
const LOOPBACK = '127.0.0.1';
const START_ATTEMPTS = 3;

/**
 * Starts a dev server and waits until it serves. It ends with this process, even when that is killed.
 * @throws ServerNotFoundError when there is no Temporal CLI and none can be fetched
 * @throws ServerExitedError with its last log lines when it does not come up
 * @throws DatabaseInUseError when another dev server runs on the same file
 */
export async function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  const { path } = await findTemporalCli({ report: options.report });
  const { dbFile } = options;
  if (dbFile === undefined) return startOnFreePorts(path, options);
  await mkdir(dirname(resolve(dbFile)), { recursive: true });
  await claimDatabase(dbFile);
  try {
    return await startOnFreePorts(path, options);
  } catch (error) {
    await releaseDatabase(dbFile);
    throw error;
  }
}

async function startOnFreePorts(cli: string, options: DevServerOptions): Promise<DevServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(cli, options, await chooseSettings(options));
    } catch (error) {
      // Between asking for a free port and listening on it, somebody else may take it.
      const portTaken =
        error instanceof ServerExitedError && error.message.includes('address already in use');
      if (!portTaken || attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function chooseSettings(options: DevServerOptions): Promise<DevServerSettings> {
  const { dbFile, extraArgs, codecEndpoint, ip = LOOPBACK } = options;
  const port = await choosePort(options.port, DEFAULT_PORT, ip);
  if (options.headless) return { dbFile, extraArgs, ip, port };
  const uiPort = await choosePort(options.uiPort, DEFAULT_UI_PORT, ip);
  return { dbFile, extraArgs, ip, port, uiPort, codecEndpoint };
}

/** A port that a person asked for is taken at their word: the server says so when it can't have it. */
async function choosePort(wanted: number | undefined, standard: number, ip: string): Promise<number> {
  if (wanted) return wanted;
  return wanted === undefined && (await isFree(standard, ip)) ? standard : freePort(ip);
}

async function startOnce(
  cli: string,
  options: DevServerOptions,
  settings: DevServerSettings,
): Promise<DevServer> {
  const { ip, port, uiPort, dbFile } = settings;
  const logFile = options.logFile ?? (dbFile ? `${dbFile}.log` : temporaryLog(port));
  const removeLog = options.logFile === undefined && dbFile === undefined;
  await mkdir(dirname(resolve(logFile)), { recursive: true });
  const address = `${ip}:${port}`;
  const server = await ServerProcess.start({ cli, args: devServerArguments(settings), logFile, address });
  if (dbFile !== undefined) await recordOwner(dbFile, { pid: server.pid, ip, port });
  return {
    address,
    uiUrl: uiPort === undefined ? undefined : `http://${ip}:${uiPort}`,
    pid: server.pid,
    process: server.child,
    logFile,
    exited: server.exited,
    lastLogLines: () => server.lastLogLines(),
    stop: async () => {
      await server.stop();
      if (dbFile !== undefined) await releaseDatabase(dbFile);
      if (removeLog) await rm(logFile, { force: true });
    },
  };
}

const temporaryLog = (port: number) =>
  join(tmpdir(), `os-image-rollouts-temporal-${process.pid}-${port}.log`);
