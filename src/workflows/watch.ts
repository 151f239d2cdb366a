import {
  CancellationScope,
  condition,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { isoTime, virtualAt, wallAt, type Instant, type VirtualClock } from '../domain/clock.ts';
import { lookAgainSignal, statusQuery, type WorkflowStatus } from './messages.ts';

/**
 * What every level shares: virtual time, waits that a wake-up ends, Temporal's Cancel as a flag (the main loop acts on
 * it at a safe moment, nothing is interrupted), and the status that people and queries see.
 */
export class Watch {
  readonly #clock: VirtualClock;
  readonly #status: WorkflowStatus;
  #woken = false;
  #cancelRequested = false;

  /** Sets the handlers: call it before the first `await` of the workflow, in its root scope. */
  constructor(clock: VirtualClock, level: WorkflowStatus['level'], doing: string, cancelled = false) {
    this.#clock = clock;
    this.#cancelRequested = cancelled;
    this.#status = { level, doing, waitingFor: null };
    setHandler(lookAgainSignal, () => this.wake());
    setHandler(statusQuery, () => this.#status);
    CancellationScope.current().cancelRequested.catch(() => {
      this.#cancelRequested = true;
      this.wake();
    });
  }

  /** Virtual time now. */
  get now(): Instant {
    return virtualAt(this.#clock, Date.now());
  }

  get cancelRequested(): boolean {
    return this.#cancelRequested;
  }

  /** The next `waitFor` ends at once, or the one that waits now does. */
  wake(): void {
    this.#woken = true;
  }

  /** Says what the workflow is doing: one line for people, shown in the Web UI and by `rollouts status`. */
  doing(text: string): void {
    this.#status.doing = text;
    this.#status.waitingFor = null;
    setCurrentDetails(text);
  }

  /**
   * Waits for a wake-up, or until `until`; says so meanwhile. `note` stands above it in the Web UI.
   * @param lookAt ends it earlier, though what is waited for comes at `until`
   */
  async waitFor(what: string, until: Instant, note = '', lookAt = until): Promise<void> {
    this.#status.waitingFor = { what, since: this.now, until };
    setCurrentDetails(
      `${note === '' ? '' : `${note}\n\n`}Waiting for **${what}**\n\nsince ${isoTime(this.now)}, at the latest until ${isoTime(until)}`,
    );
    while (!this.#woken && this.now < lookAt) {
      await condition(() => this.#woken, this.#wallUntil(lookAt), {
        summary: `wait for ${what}`.slice(0, 190),
      });
    }
    this.#woken = false;
    this.#status.waitingFor = null;
  }

  /** Waits for a wake-up alone: for children, whose end wakes. */
  async waitForWake(what: string): Promise<void> {
    this.#status.waitingFor = { what, since: this.now, until: null };
    await condition(() => this.#woken);
    this.#woken = false;
    this.#status.waitingFor = null;
  }

  /** A wait that nothing ends early: operations of a fleet, health. */
  async sleepUntil(until: Instant, what: string): Promise<void> {
    this.#status.waitingFor = { what, since: this.now, until };
    while (this.now < until) await sleep(this.#wallUntil(until), { summary: what.slice(0, 190) });
    this.#status.waitingFor = null;
  }

  #wallUntil(until: Instant): number {
    return Math.max(1, wallAt(this.#clock, until) - Date.now());
  }
}

/** True when the history has grown so long that the workflow should continue as new at its next safe moment. */
export function historyIsLong(maxHistoryEvents: number): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength >= maxHistoryEvents;
}
