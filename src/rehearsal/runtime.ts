import { ApplicationFailure } from '@temporalio/common';
import { createActivities, type Activities } from '../activities/index.ts';
import { SECOND, type VirtualClock } from '../domain/clock.ts';
import type { Fleet } from '../fleet/port.ts';
import type { Ledger } from '../ledger/port.ts';
import type { LoopHost } from '../workflows/loops/host.ts';
import type { ScaleSetRolloutInput } from '../workflows/messages.ts';
import { Process, type ProcessEnd } from './process.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * What happens to an activity's call: `lostBefore`: the worker dies before it begins; `lostAfter`: after it has done its
 * work, so that it is done again; `terminate`: the workflow that called it is terminated.
 */
export type Disturbance = 'none' | 'lostBefore' | 'lostAfter' | 'terminate';

export interface RuntimeOptions {
  fleet: Fleet;
  ledger: Ledger;
  scheduler: Scheduler;
  clock: VirtualClock;
  /** Asked at every call of an activity. */
  disturb?: ((activity: string, processId: string) => Disturbance) | undefined;
  /** Called after every activity that changed something, with what it was given. */
  onActivity?: ((activity: string, processId: string) => Promise<void>) | undefined;
}

/** How long it takes to find out that a worker is gone, and the waits between tries (as the worker's own settings). */
const LOST_AFTER = 10 * SECOND;
const FIRST_RETRY = SECOND / 2;
const LONGEST_RETRY = 60 * SECOND;

/** The server's part in the interpreter: which processes run, activities with their retries, wake-ups. */
export class Runtime {
  readonly scheduler: Scheduler;
  readonly clock: VirtualClock;
  readonly ledger: Ledger;
  readonly #activities: Activities;
  readonly #options: RuntimeOptions;
  readonly #open = new Map<string, Process>();
  #runs = 0;
  /** How the workflow of a set is started, by whoever finds it gone. */
  startScaleSet: (input: ScaleSetRolloutInput) => Process | null = () => null;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.scheduler = options.scheduler;
    this.clock = options.clock;
    this.ledger = options.ledger;
    this.#activities = createActivities({
      fleet: options.fleet,
      ledger: options.ledger,
      heartbeat: () => {},
      workflows: {
        isOpen: async (id) => this.#open.has(id),
        wake: async (ids) => {
          for (const id of ids) this.#open.get(id)?.wake();
        },
        windDown: async (input) => void this.startScaleSet(input),
      },
    });
  }

  processes(): Process[] {
    return [...this.#open.values()];
  }

  find(id: string): Process | undefined {
    return this.#open.get(id);
  }

  /** Starts a process; null when one of that id runs. */
  start<T>(id: string, body: (process: Process) => Promise<T>, cancelled = false): Process | null {
    if (this.#open.has(id)) return null;
    const process = new Process(this.scheduler, id, `run-${++this.#runs}`, cancelled);
    this.#open.set(id, process);
    process.onEnd(() => this.#open.delete(id));
    this.scheduler.schedule(this.scheduler.now, () => {
      if (!process.isOpen) return;
      void body(process).then(
        (result) => process.close({ kind: 'ended', result }),
        (error: unknown) => process.close({ kind: 'failed', error }),
      );
    });
    return process;
  }

  /** Waits in one process for the end of another. */
  async join<T>(process: Process, child: Process): Promise<ProcessEnd<T>> {
    return new Promise((resolve) => {
      child.onEnd((end) => {
        this.scheduler.schedule(this.scheduler.now, () => {
          if (process.isOpen) resolve(end as ProcessEnd<T>);
        });
      });
    });
  }

  /** Calls an activity from a process, as the worker would: again until it succeeds, unless that cannot help. */
  async call<N extends keyof Activities>(
    process: Process,
    name: N,
    input: Parameters<Activities[N]>[0],
  ): Promise<Awaited<ReturnType<Activities[N]>>> {
    const activity = this.#activities[name] as (
      given: typeof input,
    ) => Promise<Awaited<ReturnType<Activities[N]>>>;
    for (let wait = FIRST_RETRY; ; wait = Math.min(2 * wait, LONGEST_RETRY)) {
      try {
        return await process.perform(async () => {
          const disturbance = this.#options.disturb?.(name, process.id) ?? 'none';
          if (disturbance === 'lostBefore') throw new LostError();
          const result = await activity(input);
          await this.#options.onActivity?.(name, process.id);
          if (disturbance === 'terminate') process.close({ kind: 'terminated' });
          if (disturbance === 'lostAfter') throw new LostError();
          return result;
        });
      } catch (error) {
        if (error instanceof ApplicationFailure && error.nonRetryable) throw error;
        const delay = error instanceof LostError ? LOST_AFTER : wait;
        await process.sleepUntil(process.now + delay, `another try of ${name}: ${String(error)}`);
      }
    }
  }

  /** What the loops of sets and batches run on. */
  loopHost(process: Process): LoopHost {
    const look =
      <N extends keyof Activities>(name: N) =>
      (input: Parameters<Activities[N]>[0]) =>
        this.call(process, name, input);
    return {
      watch: process,
      looks: {
        lookAtScaleSet: look('lookAtScaleSet'),
        checkHealth: look('checkHealth'),
        closeBatch: look('closeBatch'),
        closeRollBack: look('closeRollBack'),
      },
      step: (name, input) => this.call(process, name, input as Parameters<Activities[typeof name]>[0]),
    };
  }
}

/** A worker died: the server notices, and has another one do it again. */
class LostError extends Error {
  constructor() {
    super('its worker died');
  }
}
