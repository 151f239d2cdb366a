import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Runtime, type Worker } from '@temporalio/worker';
import type { Fleet } from '../fleet/port.ts';
import { createRegionWorker, createRolloutWorker, type RolloutWorkerOptions } from './rollout-worker.ts';
import { workerSettings, type WorkerSettings } from './worker-settings.ts';

export interface WorkerGroupOptions extends RolloutWorkerOptions {
  /** Where its sets are, a worker for all regions serves. */
  fleet: Pick<Fleet, 'scaleSets'>;
}

/** The workers of one process: of the shared queue, and of each region's queue that it serves. They live and end together. */
export interface WorkerGroup {
  /** `RUNNING` while all of them run; otherwise the state of one that does not. */
  getState(): string;
  /** Runs until the process or the group is asked to end, or one of them fails. @throws what it failed with */
  run(): Promise<void>;
  /** Asks all to end: they take nothing new, and what is under way ends first. */
  shutdown(): void;
}

/** Where all regions are served, one whose first set appears waits for a worker this long. */
const LOOK_FOR_REGIONS_EVERY_MS = 60_000;

/** Connects the workers that the settings ask for: they take nothing yet. */
export async function createWorkerGroup(given: WorkerGroupOptions): Promise<WorkerGroup> {
  const { settings = workerSettings() } = given;
  const options = { ...given, settings };
  const group = new Group(options, settings.regions);
  if (settings.workflows) group.add(await createRolloutWorker(options));
  await group.serveRegions();
  return group;
}

class Group implements WorkerGroup {
  readonly #options: WorkerGroupOptions;
  readonly #regions: WorkerSettings['regions'];
  readonly #served = new Set<string>();
  readonly #workers: Worker[] = [];
  readonly #runs: Promise<void>[] = [];
  readonly #ending = new AbortController();
  #isRunning = false;

  constructor(options: WorkerGroupOptions, regions: WorkerSettings['regions']) {
    this.#options = options;
    this.#regions = regions;
  }

  getState(): string {
    const states = this.#workers.map((worker) => worker.getState());
    return states.find((state) => state !== 'RUNNING') ?? 'RUNNING';
  }

  add(worker: Worker): void {
    this.#workers.push(worker);
    if (this.#isRunning) this.#start(worker);
  }

  async serveRegions(): Promise<void> {
    const regions =
      this.#regions === 'all'
        ? (await this.#options.fleet.scaleSets()).map(({ region }) => region)
        : this.#regions;
    for (const region of new Set(regions)) {
      if (this.#served.has(region)) continue;
      this.add(await createRegionWorker(this.#options, region));
      this.#served.add(region);
    }
  }

  async run(): Promise<void> {
    const following = this.#followRegions();
    this.#isRunning = true;
    for (const worker of this.#workers) this.#start(worker);
    await once(this.#ending.signal, 'abort');
    await following;
    // One that failed is told of when the others have ended as well.
    await Promise.allSettled(this.#runs);
    await Promise.all(this.#runs);
  }

  shutdown(): void {
    this.#ending.abort();
    for (const worker of this.#workers) stop(worker);
  }

  #start(worker: Worker): void {
    const run = worker.run().finally(() => this.shutdown());
    run.catch(() => undefined);
    this.#runs.push(run);
    if (this.#ending.signal.aborted) stop(worker);
  }

  /** Regions are added while workers run. */
  async #followRegions(): Promise<void> {
    const { signal } = this.#ending;
    while (this.#regions === 'all' && !signal.aborted) {
      await delay(LOOK_FOR_REGIONS_EVERY_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      // The database or the server may be away for a moment: the next look does it.
      await this.serveRegions().catch((error: unknown) =>
        Runtime.instance().logger.warn('new regions are not served yet', { error }),
      );
    }
  }
}

function stop(worker: Worker): void {
  if (worker.getState() === 'RUNNING') worker.shutdown();
}
