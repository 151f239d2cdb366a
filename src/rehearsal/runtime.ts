import { ApplicationFailure } from '@temporalio/common';
import { createActivities, type Activities } from '../activities/index.ts';
import { SECOND, type Duration, type Instant, type VirtualClock } from '../domain/clock.ts';
import type { Fleet } from '../fleet/port.ts';
import type { Ledger } from '../ledger/port.ts';
import type { LoopHost } from '../workflows/loops/host.ts';
import { patiently, type OnWait } from '../workflows/loops/patience.ts';
import { parseWorkflowId } from '../workflows/ids.ts';
import { NON_RETRYABLE_TYPES, type ScaleSetRolloutInput } from '../workflows/messages.ts';
import { LostError, disturbed, type Loss } from './disturbed.ts';
import { Process, type ProcessEnd } from './process.ts';
import type { Scheduler } from './scheduler.ts';

/**
 * What happens to an activity's call: `lostBefore`: the worker dies before it begins; `lostAfter`: after it has done its
 * work, so that it is done again; `terminateBefore`, `terminate`: the workflow that called it is terminated, before or
 * after the activity has done its work.
 */
export type Disturbance = 'none' | 'lostBefore' | 'lostAfter' | 'terminateBefore' | 'terminate';

/** An activity that was carried out: also one whose answer is lost then. */
export type Step = {
  [Name in keyof Activities]: {
    at: Instant;
    processId: string;
    activity: Name;
    input: Parameters<Activities[Name]>[0];
    result: Awaited<ReturnType<Activities[Name]>>;
  };
}[keyof Activities];

/** A call that did not succeed and is made again. */
export interface Retry {
  at: Instant;
  processId: string;
  activity: keyof Activities;
  error: Error;
  again: Instant;
}

export interface RuntimeOptions {
  fleet: Fleet;
  ledger: Ledger;
  scheduler: Scheduler;
  clock: VirtualClock;
  /** Asked at every call of an activity. */
  disturb?: ((activity: string, processId: string) => Disturbance) | undefined;
  /**
   * Asked at every call that an activity makes to the fleet or the ledger (`ledger.attempts.open`): the worker dies before or
   * after it, in the middle of the activity, which is carried out again from its beginning.
   */
  disturbStore?: ((call: string) => Loss) | undefined;
  /** Asked between two steps of a region or a set: true has its history grown so long that it continues as new. */
  continueAsNew?: ((processId: string) => boolean) | undefined;
  /** Called after every activity, before anything else happens. */
  onStep?: ((step: Step) => Promise<void> | void) | undefined;
  onRetry?: ((retry: Retry) => void) | undefined;
}

/** How long it takes to find out that a worker is gone, and the waits between tries (as the worker's own settings). */
const LOST_AFTER = 10 * SECOND;
const FIRST_RETRY = SECOND / 2;
const LONGEST_RETRY = 60 * SECOND;

/** A call that has failed this often, over more than an hour, will not succeed: something is wrong with the code. */
const MAX_TRIES = 100;

/** The server's part in the interpreter: which processes run, activities with their retries, wake-ups. */
export class Runtime {
  readonly scheduler: Scheduler;
  readonly clock: VirtualClock;
  readonly ledger: Ledger;
  readonly #activities: Activities;
  readonly #options: RuntimeOptions;
  readonly #open = new Map<string, Process>();
  readonly #closed = new Set<string>();
  #runs = 0;
  /** The first thing that happened and never should: the run ends with it. */
  defect: Error | null = null;
  /** How the workflow of a set is started, by whoever finds it gone. */
  startScaleSet: (input: ScaleSetRolloutInput) => Process | null = () => null;

  constructor(options: RuntimeOptions) {
    this.#options = options;
    this.scheduler = options.scheduler;
    this.clock = options.clock;
    this.ledger = options.ledger;
    const { disturbStore } = options;
    const store = <T extends object>(name: string, given: T) =>
      disturbStore ? disturbed(given, name, disturbStore) : given;
    this.#activities = createActivities({
      fleet: store('fleet', options.fleet),
      ledger: store('ledger', options.ledger),
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

  /** True when a process of that id has run and does no more. */
  isClosed(id: string): boolean {
    return !this.#open.has(id) && this.#closed.has(id);
  }

  /** True when a process's history is to be taken for too long: it continues as a new run then. */
  continuesAsNew(process: Process): boolean {
    if (process.cancelRequested || !this.#options.continueAsNew?.(process.id)) return false;
    process.runId = this.#nextRunId();
    return true;
  }

  /** Starts a process; null when one of that id runs. */
  start<T>(id: string, body: (process: Process) => Promise<T>, cancelled = false): Process | null {
    if (this.#open.has(id)) return null;
    const process = new Process(this.scheduler, id, this.#nextRunId(), cancelled);
    this.#open.set(id, process);
    process.onEnd((end) => {
      this.#open.delete(id);
      this.#closed.add(id);
      if (end.kind === 'failed') this.#noteFailure(id, end.error);
    });
    this.scheduler.schedule(this.scheduler.now, () => {
      if (!process.isOpen) return;
      void body(process).then(
        (result) => process.close({ kind: 'ended', result }),
        (error: unknown) => process.close({ kind: 'failed', error }),
      );
    });
    return process;
  }

  #nextRunId(): string {
    return `run-${++this.#runs}`;
  }

  /** Sets and batches may fail: they were overtaken, or a region gives them up. Nothing above them has a reason to. */
  #noteFailure(id: string, error: unknown): void {
    const level = parseWorkflowId(id)?.level;
    const mayFail = level === 'scaleSet' || level === 'batch';
    if (!mayFail) this.defect ??= new Error(`${id} failed: ${String(error)}`, { cause: error });
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

  /** Tells of a wait before another try. */
  onWait(process: Process, activity: keyof Activities): OnWait {
    return (error, again) =>
      this.#options.onRetry?.({
        ...{ at: process.now, processId: process.id, activity, error: error as Error, again },
      });
  }

  /** Calls an activity from a process, as the worker would: again until it succeeds, unless that cannot help. */
  async call<N extends keyof Activities>(
    process: Process,
    name: N,
    input: Parameters<Activities[N]>[0],
  ): Promise<Awaited<ReturnType<Activities[N]>>> {
    for (let tries = 1, wait = FIRST_RETRY; ; tries++, wait = Math.min(2 * wait, LONGEST_RETRY)) {
      try {
        return await process.perform(() => this.#carryOut(process, name, input));
      } catch (error) {
        const failure = error instanceof ApplicationFailure ? error : null;
        if (failure?.nonRetryable || NON_RETRYABLE_TYPES.includes(failure?.type ?? '')) throw error;
        if (tries >= MAX_TRIES) {
          const message = `${name} of ${process.id} failed ${tries} times: ${String(error)}`;
          this.defect ??= new Error(message, { cause: error });
        }
        const delay = (await this.#wishedDelay(failure)) ?? wait;
        const again = process.now + (error instanceof LostError ? LOST_AFTER : delay);
        this.onWait(process, name)(error, again);
        await process.sleepUntil(again, `another try of ${name}: ${String(error)}`);
      }
    }
  }

  /** How long a failure wants to be waited for, in virtual time: it says so in wall time, as to a server. */
  async #wishedDelay(failure: ApplicationFailure | null): Promise<Duration | null> {
    if (failure?.nextRetryDelay == null) return null;
    return Number(failure.nextRetryDelay) * (await this.#options.fleet.clock()).speed;
  }

  async #carryOut<N extends keyof Activities>(
    process: Process,
    name: N,
    input: Parameters<Activities[N]>[0],
  ): Promise<Awaited<ReturnType<Activities[N]>>> {
    type Result = Awaited<ReturnType<Activities[N]>>;
    const activity = this.#activities[name] as (given: typeof input) => Promise<Result>;
    const disturbance = this.#options.disturb?.(name, process.id) ?? 'none';
    if (disturbance === 'lostBefore') throw new LostError();
    if (disturbance === 'terminateBefore') process.close({ kind: 'terminated' });
    if (!process.isOpen) throw new LostError();
    const at = process.now;
    const result = await activity(input);
    await this.#options.onStep?.({ at, processId: process.id, activity: name, input, result } as Step);
    if (disturbance === 'terminate') process.close({ kind: 'terminated' });
    if (disturbance === 'lostAfter') throw new LostError();
    return result;
  }

  /** What the loops of sets and batches run on. */
  loopHost(process: Process): LoopHost {
    const look =
      <N extends keyof Activities>(name: N) =>
      (input: Parameters<Activities[N]>[0] & { scaleSetId: string; at: Instant }) =>
        patiently(
          process,
          input.scaleSetId,
          input,
          (given) => this.call(process, name, given),
          this.onWait(process, name),
        );
    return {
      watch: process,
      looks: {
        lookAtScaleSet: look('lookAtScaleSet'),
        checkHealth: look('checkHealth'),
        closeBatch: look('closeBatch'),
        closeRollBack: look('closeRollBack'),
        giveUpScaleSet: look('giveUpScaleSet'),
      },
      step: (name, input) => look(name)(input),
    };
  }
}
