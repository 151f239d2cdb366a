import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { guardedCommand } from './servers/index.ts';

export interface ServerProcessOptions {
  readonly cli: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly address: string;
}

/** The server ended before it served, or did not come to serve. The message holds what it logged last. */
export class ServerExitedError extends Error {
  override readonly name = 'ServerExitedError';
}

const READY_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 50;
const STOP_GRACE_MS = 10_000;
const LOG_LINES = 15;

/** The dev server's process: started, watched, ended. */
export class ServerProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  readonly #logFile: string;
  #printed = false;

  private constructor(child: ChildProcess, logFile: string) {
    this.child = child;
    this.#logFile = logFile;
    this.exited = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    // Stdout carries the summary and, on a wrong flag, pages of usage that would bury the error: neither is kept.
    child.stdout?.on('data', () => (this.#printed = true));
    const endWithUs = () => void child.kill('SIGTERM');
    process.once('exit', endWithUs);
    void this.exited.then(() => process.off('exit', endWithUs));
  }

  /** Starts the process and waits until it serves; it does not survive a failure to. */
  static async start({ cli, args, logFile, address }: ServerProcessOptions): Promise<ServerProcess> {
    // A truncated log, so that its last lines are this server's; a group of its own, so that Ctrl-C in the terminal
    // reaches only us and the worker can finish before its server goes.
    const log = await open(logFile, 'w');
    const [command, commandArgs] = guardedCommand(cli, args);
    const child = spawn(command, commandArgs, { stdio: ['ignore', 'pipe', log.fd], detached: true });
    const server = new ServerProcess(child, logFile);
    await log.close();
    try {
      await server.#untilServing(address);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  get running(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  async lastLogLines(): Promise<string> {
    const text = await readFile(this.#logFile, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-LOG_LINES).join('\n');
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    this.child.kill('SIGINT');
    const killer = setTimeout(() => this.child.kill('SIGKILL'), STOP_GRACE_MS);
    await this.exited.finally(() => clearTimeout(killer));
  }

  /**
   * Serving means that it printed its summary, which it does once its ports are bound, and that it answers. Answers
   * alone would not do: they may come from another server on a port that ours failed to get.
   */
  async #untilServing(address: string): Promise<void> {
    const deadline = Date.now() + READY_WITHIN_MS;
    let reason = 'it printed nothing';
    while (this.running && Date.now() < deadline) {
      if (this.#printed) {
        try {
          await Promise.race([checkHealth(address), this.exited]);
          if (this.running) return;
        } catch (error) {
          reason = error instanceof Error ? error.message : String(error);
        }
      }
      await Promise.race([delay(ASK_EVERY_MS), this.exited]);
    }
    const what = this.running
      ? `does not serve after ${READY_WITHIN_MS / 1000} s: ${reason}`
      : 'ended at once';
    throw new ServerExitedError(
      `The Temporal dev server for ${address} ${what}. Its log, ${this.#logFile}, ends:\n${await this.lastLogLines()}`,
    );
  }
}

/** Asks for the namespace that workflows will run in: the frontend accepts connections before it is of use. */
async function checkHealth(address: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: 2_000 });
  try {
    const ask = () => connection.workflowService.describeNamespace({ namespace: 'default' });
    await connection.withDeadline(Date.now() + 2_000, ask);
  } finally {
    await connection.close();
  }
}
