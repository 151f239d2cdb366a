import { DAY, isoTime, type Instant, type VirtualClock } from '../domain/clock.ts';
import type { Fleet } from '../fleet/port.ts';
import type { Decision, DecisionKind, Ledger, Rollout } from '../ledger/port.ts';
import type { DecideInput, ImageRolloutInput, ScaleSetRolloutInput } from '../workflows/messages.ts';
import { ImageDriver } from './drivers/image.ts';
import { startScaleSet } from './drivers/scale-set.ts';
import type { Process } from './process.ts';
import { Runtime, type RuntimeOptions } from './runtime.ts';
import { Scheduler } from './scheduler.ts';

/** A fleet that may be another one to the workers that call it than to people who look on. */
type RehearsedFleet = Fleet & { overApi?(): Fleet };

export interface RehearsalOptions<F extends RehearsedFleet = RehearsedFleet> extends Pick<
  RuntimeOptions,
  'disturb' | 'disturbStore' | 'continueAsNew' | 'onStep' | 'onRetry'
> {
  fleet: F;
  ledger: Ledger;
  start: Instant;
  /** Order of what happens at the same moment; first come, first served if absent. */
  seed?: string | undefined;
  /** Virtual time after which it is given up: something waits for ever, for a person as like as not. */
  limit?: number | undefined;
}

/** How a run ended; a paused rollout that nobody resumes is `outOfTime`. */
export type RehearsalEnd = 'ended' | 'waitsForDecision' | 'outOfTime';

/** Too little for any clock to notice, and above 0. */
const STANDING = 1e-9;

/**
 * Rollouts in virtual time, in this process: the activities, the loops and the planner are those of the workers; only
 * Temporal is played by the interpreter. Hours take milliseconds, and the same seed gives the same run.
 */
export class Rehearsal<F extends RehearsedFleet = RehearsedFleet> {
  /** The fleet, whose clock shows the interpreter's time. */
  readonly fleet: F;
  readonly #runtime: Runtime;
  readonly #scheduler: Scheduler;
  readonly #drivers = new Map<string, ImageDriver>();
  readonly #limit: Instant;
  #actions = 0;

  constructor(options: RehearsalOptions<F>) {
    const { start, seed = null, limit = 60 * DAY } = options;
    const scheduler = new Scheduler(start, seed);
    this.#scheduler = scheduler;
    this.#limit = start + limit;
    const clock = async () => ({ epochVirtual: scheduler.now, epochWall: Date.now(), speed: STANDING });
    this.fleet = { ...options.fleet, clock };
    const called = { ...(options.fleet.overApi?.() ?? options.fleet), clock };
    this.#runtime = new Runtime({ ...options, fleet: called, scheduler, clock: clockFrom(start) });
    this.#runtime.startScaleSet = (input) => this.startScaleSet(input);
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

  /** True when a workflow of that id has run and does no more. */
  isClosed(id: string): boolean {
    return this.#runtime.isClosed(id);
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
    if (rollout.kind !== 'manual' || !scaleSet) {
      return this.startImageRollout({ v: 1, rolloutId, clock, target, phases, settings });
    }
    const { id: scaleSetId, region } = scaleSet;
    return this.startScaleSet({
      ...{ v: 1, rolloutId, scaleSetId, clock, target, phase: null, region, settings },
    });
  }

  /** Starts the workflow of a rollout over the fleet; null while it runs. */
  startImageRollout(input: ImageRolloutInput): Process | null {
    const driver = new ImageDriver(this.#runtime, input);
    const process = driver.start();
    if (process !== null) this.#drivers.set(input.rolloutId, driver);
    return process;
  }

  /** Starts the workflow of a scale set; null while it runs. */
  startScaleSet(input: ScaleSetRolloutInput): Process | null {
    return startScaleSet(this.#runtime, input);
  }

  /** Ends workflows as by hand in the Web UI. @returns how many */
  terminate(isMeant: (id: string) => boolean): number {
    const meant = this.processes.filter((process) => isMeant(process.id));
    for (const process of meant) process.close({ kind: 'terminated' });
    return meant.length;
  }

  /** A person's decision on a halted rollout (rule D2), and what is recorded then; or why it is refused. */
  async answerHalt(rolloutId: string, input: DecideInput): Promise<Decision | string> {
    return (await this.#drivers.get(rolloutId)?.decide(input)) ?? `${rolloutId} does not run.`;
  }

  /** The same, about whatever it is halted in; null when it is refused. */
  async decide(
    rolloutId: string,
    decision: DecisionKind,
    who: string,
    why: string,
  ): Promise<Decision | null> {
    const halt = this.#drivers.get(rolloutId)?.halt;
    if (halt == null) return null;
    const answer = await this.answerHalt(rolloutId, { ...halt, decision, who, why });
    return typeof answer === 'string' ? null : answer;
  }

  /** Everybody looks again, as after an order. */
  wakeAll(): void {
    for (const process of this.processes) process.wake();
  }

  /**
   * Lets everything happen, until all has ended or only a person could go on.
   * @throws Error that tells who waits for what, when nothing can happen any more; or what went wrong, when something did that
   *   never should
   */
  async run(): Promise<RehearsalEnd> {
    const isOver = () =>
      this.#actions === 0 && (this.processes.length === 0 || this.#onlyPeopleAreWaitedFor());
    await this.#scheduler.run(
      () => this.#runtime.defect !== null || isOver() || this.#scheduler.now > this.#limit,
    );
    if (this.#runtime.defect !== null) throw this.#runtime.defect;
    if (isOver()) return this.processes.length === 0 ? 'ended' : 'waitsForDecision';
    if (this.now > this.#limit) return 'outOfTime';
    throw new StalledError(this.now, this.waits());
  }

  /** Who waits for what: `rollout/...: the bake time, since 2026-01-05T10:00:00.000Z`. */
  waits(): string[] {
    return this.processes.map(({ id, waiting }) =>
      waiting === null ? `${id}: works` : `${id}: ${waiting.what}, since ${isoTime(waiting.since)}`,
    );
  }

  #onlyPeopleAreWaitedFor(): boolean {
    return this.processes.every((process) => this.#drivers.get(process.id)?.waitsForDecision === true);
  }
}

/** Nothing can happen any more, and something still waits: a defect. */
export class StalledError extends Error {
  override readonly name = 'StalledError';

  constructor(at: Instant, waits: readonly string[]) {
    super(`Nothing can happen any more at ${isoTime(at)}, and there wait:\n  ${waits.join('\n  ')}`);
  }
}

/** What workflows are given as the fleet's clock. The interpreter itself tells them the time. */
function clockFrom(start: Instant): VirtualClock {
  return { epochVirtual: start, epochWall: 0, speed: 1 };
}
