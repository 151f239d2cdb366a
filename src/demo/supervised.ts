import { setTimeout as delay } from 'node:timers/promises';
import {
  ProcessFailedError,
  startProcess,
  type ManagedProcess,
  type ProcessOptions,
} from './managed-process.ts';

/** A process that dies so often is broken: starting it again would go on for ever. */
const MAX_RESTARTS = 5;
const RESTART_PAUSE_MS = 200;

/** A process that is started again when it dies. */
export class Supervised {
  readonly #options: ProcessOptions;
  readonly #tell: (text: string) => void;
  readonly #fail: (error: Error) => void;
  #current: ManagedProcess;
  #restarts = 0;
  #stopping = false;
  /** The restart that is under way. */
  #starting: Promise<unknown> = Promise.resolve();

  private constructor(
    options: ProcessOptions,
    tell: (text: string) => void,
    fail: (error: Error) => void,
    first: ManagedProcess,
  ) {
    this.#options = options;
    this.#tell = tell;
    this.#fail = fail;
    this.#current = first;
    this.#watch(first);
  }

  /**
   * Starts the process and waits until it is ready.
   * @param tell is told of deaths and restarts
   * @param fail is called when starting it again is given up
   * @throws ProcessFailedError when the first start fails
   */
  static async start(
    options: ProcessOptions,
    tell: (text: string) => void,
    fail: (error: Error) => void,
  ): Promise<Supervised> {
    return new Supervised(options, tell, fail, await startProcess(options));
  }

  /** The process as it is now; while it is being started again, the one that died. */
  get current(): ManagedProcess {
    return this.#current;
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#starting;
    await this.#current.stop();
  }

  /** From now on it is left to itself: nobody starts it again, and this process does not wait for it. */
  release(): void {
    this.#stopping = true;
    this.#current.release();
  }

  #watch(process: ManagedProcess): void {
    void process.exited.then((how) => {
      if (!this.#stopping) this.#starting = this.#restart(process, how);
    });
  }

  async #restart({ name, pid, logFile }: ManagedProcess, how: string): Promise<void> {
    if (++this.#restarts > MAX_RESTARTS) {
      this.#fail(new ProcessFailedError(`The ${name} has died ${this.#restarts} times; see ${logFile}.`));
      return;
    }
    this.#tell(`The ${name} (process ${pid}) is gone: ${how}. Starting another one.`);
    try {
      await delay(RESTART_PAUSE_MS);
      this.#current = await startProcess(this.#options);
      this.#tell(`The new ${name} is process ${this.#current.pid}.`);
      this.#watch(this.#current);
    } catch (error) {
      this.#fail(error as Error);
    }
  }
}
