import { setTimeout as delay } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Worker } from '@temporalio/worker';
import { virtualAt, type Instant, type VirtualClock } from '../../src/domain/clock.ts';

/** For how long a worker must have had nothing to do: longer than it waits before it tries a local activity again. */
const IDLE_MS = 2_000;
const POLL_MS = 100;

/**
 * Virtual time on a server that skips. It passes while somebody sleeps there, and stands still between two sleeps.
 *
 * The server counts what is to be done, and skips no time meanwhile. It forgets to count down when a child ends after the run
 * that had begun and abandoned it, as a region's sets may after a cancel or when the region has continued as new: time would
 * be skipped never again. Where it skips none though the worker has nothing to do, the count is put right here.
 */
export class SkippedTime {
  readonly #env: TestWorkflowEnvironment;
  readonly #worker: Worker;
  readonly #clock: VirtualClock;
  #now: Instant;

  constructor(env: TestWorkflowEnvironment, worker: Worker, clock: VirtualClock, now: Instant) {
    this.#env = env;
    this.#worker = worker;
    this.#clock = clock;
    this.#now = now;
  }

  /** As of the last sleep's end. */
  get now(): Instant {
    return this.#now;
  }

  async passUntil(moment: Instant): Promise<void> {
    if (moment > this.#now) await this.#sleep(moment - this.#now);
    this.#now = virtualAt(this.#clock, await this.#env.currentTimeMs());
  }

  async #sleep(ms: number): Promise<void> {
    let sleeps = true;
    const slept = this.#env.sleep(ms).finally(() => (sleeps = false));
    let idleFor = 0;
    for (;;) {
      await Promise.race([slept, delay(POLL_MS)]);
      if (!sleeps) return slept;
      idleFor = this.#isIdle() ? idleFor + POLL_MS : 0;
      if (idleFor < IDLE_MS) continue;
      idleFor = 0;
      await this.#env.connection.testService?.unlockTimeSkipping({});
    }
  }

  #isIdle(): boolean {
    const { numInFlightActivities, numInFlightWorkflowActivations } = this.#worker.getStatus();
    return numInFlightActivities === 0 && numInFlightWorkflowActivations === 0;
  }
}
