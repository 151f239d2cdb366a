import { spawn } from 'node:child_process';
import { open, readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { guardedCommand } from '../temporal/servers/index.ts';

export interface ProcessOptions {
  /** For people: `worker`. */
  name: string;
  /** Node's arguments: the file to run and what it takes. */
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Everything that it writes is appended to this file. */
  logFile: string;
  /** It may outlive the demo; otherwise it ends with the demo, even when that is killed. */
  outlives: boolean;
  /** Reads from what it has logged so far that it is ready; null: not yet. */
  readiness: (log: string) => string | null;
}

/** A process of the demo that is ready to serve. */
export interface ManagedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** What its readiness was read from. */
  readonly ready: string;
  /** Settles when it is gone: how it ended, for people. */
  readonly exited: Promise<string>;
  /** From now on this process does not wait for it. */
  release(): void;
  /** Asks it to end, and ends it after a while; answers when it is gone. */
  stop(): Promise<void>;
}

/** A process of the demo ended or did not become ready. The message ends with what it logged last. */
export class ProcessFailedError extends Error {
  override readonly name = 'ProcessFailedError';
}

const READY_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;
const STOP_GRACE_MS = 6_000;
const LOG_LINES = 12;

/**
 * Starts a process of its own, in a process group of its own: Ctrl-C reaches the demo alone, which then ends all in order.
 * @throws ProcessFailedError when it ends before it is ready, or is not ready within a minute
 */
export async function startProcess(options: ProcessOptions): Promise<ManagedProcess> {
  const { name, logFile } = options;
  const offset = await stat(logFile).then(
    ({ size }) => size,
    () => 0,
  );
  const log = await open(logFile, 'a');
  // A file and no pipe: what is kept goes on writing when the demo is gone.
  const child = spawn(...commandOf(options), {
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
    env: options.env,
  });
  await log.close();
  let ended = false;
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `exit code ${code}` : `killed by ${signal}`),
    );
    child.once('error', (error) => resolve(error.message));
  }).finally(() => (ended = true));
  const stop = async () => {
    if (ended) return;
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await exited.finally(() => clearTimeout(killer));
  };
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const ready = options.readiness(await logAfter(logFile, offset));
    if (ready !== null)
      return { name, pid: child.pid ?? -1, logFile, ready, exited, stop, release: () => child.unref() };
    if (ended || Date.now() >= deadline) {
      const what = ended
        ? `ended before it was ready (${await exited})`
        : 'did not become ready within a minute';
      await stop();
      throw new ProcessFailedError(`The ${name} ${what}.\n${await lastLogLines(logFile)}`);
    }
    await Promise.race([delay(LOOK_EVERY_MS), exited]);
  }
}

function commandOf({ args, outlives }: ProcessOptions): [string, string[]] {
  return outlives ? [process.execPath, [...args]] : guardedCommand(process.execPath, args);
}

async function logAfter(file: string, offset: number): Promise<string> {
  return (await readFile(file)).subarray(offset).toString('utf8');
}

/** The end of a log, introduced by where it is. */
export async function lastLogLines(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return `Its log, ${file}, ends:\n${text.trimEnd().split('\n').slice(-LOG_LINES).join('\n')}`;
}
