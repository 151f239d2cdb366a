import type { Instant } from '../domain/clock.ts';
import type { LoopWatch } from '../workflows/loops/host.ts';
import type { Scheduler } from './scheduler.ts';

/** What a process is waiting for, for whoever wants to know why nothing moves. */
export interface Waiting {
  what: string;
  since: Instant;
  until: Instant | null;
}

export type ProcessEnd<T> =
  { kind: 'ended'; result: T } | { kind: 'failed'; error: unknown } | { kind: 'terminated' };

/**
 * A workflow's run in the interpreter: it waits in virtual time, and can be cancelled and terminated as one in Temporal. A
 * terminated one is left where it waits, for ever.
 */
export class Process implements LoopWatch {
  readonly id: string;
  /** Of the run that it is in: it may continue as a new one. */
  runId: string;
  readonly #scheduler: Scheduler;
  readonly #ends: ((end: ProcessEnd<unknown>) => void)[] = [];
  readonly #children = new Map<Process, 'terminate' | 'cancel'>();
  #woken = false;
  #wakeUp: (() => void) | null = null;
  #cancelRequested: boolean;
  #isOpen = true;
  waiting: Waiting | null = null;

  constructor(scheduler: Scheduler, id: string, runId: string, cancelled = false) {
    this.#scheduler = scheduler;
    this.id = id;
    this.runId = runId;
    this.#cancelRequested = cancelled;
  }

  get now(): Instant {
    return this.#scheduler.now;
  }

  get cancelRequested(): boolean {
    return this.#cancelRequested;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  doing(): void {
    // Nobody looks on: what happened is told by the journal and the ledger.
  }

  wake(): void {
    this.#woken = true;
    this.#wakeUp?.();
  }

  cancel(): void {
    this.#cancelRequested = true;
    this.wake();
  }

  /** What becomes of a child when this one is terminated. */
  adopt(child: Process, whenTerminated: 'terminate' | 'cancel'): void {
    this.#children.set(child, whenTerminated);
  }

  async waitFor(what: string, until: Instant, _note = '', lookAt = until): Promise<void> {
    if (!this.#woken && this.now < lookAt) await this.#park(what, lookAt, true);
    this.#woken = false;
  }

  async waitForWake(what: string): Promise<void> {
    if (!this.#woken) await this.#park(what, null, true);
    this.#woken = false;
  }

  async sleepUntil(until: Instant, what: string): Promise<void> {
    if (this.now < until) await this.#park(what, until, false);
  }

  /** Does something now, as an event of its own; never answers once the process is closed. */
  perform<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#scheduler.schedule(this.now, async () => {
        if (!this.#isOpen) return;
        try {
          const value = await work();
          if (this.#isOpen) resolve(value);
        } catch (error) {
          if (this.#isOpen) reject(error);
        }
      });
    });
  }

  onEnd(listener: (end: ProcessEnd<unknown>) => void): void {
    this.#ends.push(listener);
  }

  close(end: ProcessEnd<unknown>): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.waiting = null;
    if (end.kind === 'terminated') {
      for (const [child, what] of this.#children) {
        if (what === 'cancel') child.cancel();
        else child.close(end);
      }
    }
    for (const listener of this.#ends) listener(end);
  }

  #park(what: string, until: Instant | null, canBeWoken: boolean): Promise<void> {
    this.waiting = { what, since: this.now, until };
    return new Promise((resolve) => {
      let withdraw = () => {};
      const go = () => {
        this.#wakeUp = null;
        if (!this.#isOpen) return;
        this.waiting = null;
        resolve();
      };
      if (until !== null) withdraw = this.#scheduler.schedule(until, go);
      if (canBeWoken) {
        this.#wakeUp = () => {
          this.#wakeUp = null;
          withdraw();
          this.#scheduler.schedule(this.now, go);
        };
      }
    });
  }
}
