import { DAY, type Instant, type VirtualClock } from '../domain/clock.ts';
import type { DecisionKind, Ledger, Rollout } from '../ledger/port.ts';
import type { Fleet } from '../fleet/port.ts';
import { ImageDriver } from './drivers/image.ts';
import { startScaleSet } from './drivers/scale-set.ts';
import type { Process } from './process.ts';
import { Runtime, type RuntimeOptions } from './runtime.ts';
import { Scheduler } from './scheduler.ts';

export interface RehearsalOptions extends Pick<RuntimeOptions, 'disturb' | 'onActivity'> {
  /** Its clock must stand before `start`: virtual time is the interpreter's here. */
  fleet: Fleet;
  ledger: Ledger;
  start: Instant;
  /** Order of what happens at the same moment; first come, first served if absent. */
  seed?: string;
  /** Virtual time after which it is given up: something waits for ever. */
  limit?: number;
}

/** How a run ended. `stuck`: nothing could happen any more although something still waited; a defect. */
export type RehearsalEnd = 'ended' | 'waitsForDecision' | 'outOfTime' | 'stuck';

/**
 * Rollouts in virtual time, in this process: the activities, the loops and the planner are those of the workers; only
 * Temporal is played by the interpreter. Hours take milliseconds, and the same seed gives the same run.
 */
export class Rehearsal {
  readonly #runtime: Runtime;
  readonly #scheduler: Scheduler;
  readonly #drivers = new Map<string, ImageDriver>();
  readonly #limit: Instant;
  #actions = 0;

  constructor(options: RehearsalOptions) {
    const { start, seed = null, limit = 60 * DAY } = options;
    this.#scheduler = new Scheduler(start, seed);
    this.#limit = start + limit;
    // Nothing asks this clock for the time: the interpreter tells it with every call.
    const clock: VirtualClock = { epochVirtual: start, epochWall: 0, speed: 1 };
    this.#runtime = new Runtime({ ...options, scheduler: this.#scheduler, clock });
    this.#runtime.startScaleSet = (input) => startScaleSet(this.#runtime, input);
  }

  get now(): Instant {
    return this.#scheduler.now;
  }

  /** What runs now. */
  get processes(): Process[] {
    return this.#runtime.processes();
  }

  find(id: string): Process | undefined {
    return this.#runtime.find(id);
  }

  /** Does something at a moment: an order, a change of the fleet, a kill. */
  at(moment: Instant, action: () => Promise<void> | void): void {
    this.#actions++;
    this.#scheduler.schedule(moment, async () => {
      this.#actions--;
      await action();
    });
  }

  /** Starts what was recorded: a rollout over the fleet, or the upgrade of one set. */
  start(rollout: Rollout, scaleSet?: { id: string; region: string }): Process | null {
    const { id: rolloutId, target, settings, phases } = rollout;
    const { clock } = this.#runtime;
    if (rollout.kind === 'manual' && scaleSet) {
      const { id: scaleSetId, region } = scaleSet;
      return this.#runtime.startScaleSet({
        ...{ v: 1, rolloutId, scaleSetId, clock, target, phase: null, region, settings },
      });
    }
    const driver = new ImageDriver(this.#runtime, { v: 1, rolloutId, clock, target, phases, settings });
    this.#drivers.set(rolloutId, driver);
    return driver.start();
  }

  /** A person's decision on a halted rollout (rule D2); false when it does not wait for one. */
  async decide(rolloutId: string, decision: DecisionKind, who: string, why: string): Promise<boolean> {
    return (await this.#drivers.get(rolloutId)?.decide(decision, who, why)) ?? false;
  }

  /** Everybody looks again, as after an order. */
  wakeAll(): void {
    for (const process of this.processes) process.wake();
  }

  /** Lets everything happen, until all has ended or only a person could go on. */
  async run(): Promise<RehearsalEnd> {
    const isOver = () =>
      this.#actions === 0 && (this.processes.length === 0 || this.#onlyPeopleAreWaitedFor());
    const isDone = await this.#scheduler.run(() => isOver() || this.now > this.#limit);
    if (!isDone) return this.processes.length === 0 ? 'ended' : 'stuck';
    if (isOver()) return this.processes.length === 0 ? 'ended' : 'waitsForDecision';
    return 'outOfTime';
  }

  #onlyPeopleAreWaitedFor(): boolean {
    return this.processes.every((process) => this.#drivers.get(process.id)?.waitsForDecision === true);
  }
}
