import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { HOUR } from '../domain/clock.ts';
import { KEPT_FOR } from '../domain/delivery.ts';
import { deliverTo, type DeliveryParts } from './deliver.ts';

/** How often it is asked who has something to get. */
const POLL_MS = 1_000;
const GRACE_MS = 3_000;
const PRUNE_EVERY_MS = HOUR;

export interface DeliveryLoop {
  /** Ends: nothing new is sent, and what is not answered within some seconds is sent again by whoever comes next. */
  close(): Promise<void>;
}

export interface DeliveryLoopOptions extends Omit<DeliveryParts, 'now'> {
  /** This machine's if absent. */
  readonly now?: () => number;
  /** What is under way when it has to end may take so long, in milliseconds; 3 seconds if absent. */
  readonly grace?: number;
}

/**
 * Tells all watchers what they have yet to get, for as long as the process lives: each on its own, so that one that is slow or down
 * holds nothing up, neither the others nor a rollout. Any number of processes may do so on one database.
 */
export function startDelivery({ grace = GRACE_MS, ...parts }: DeliveryLoopOptions): DeliveryLoop {
  const loop = new Loop({ now: Date.now, ...parts });
  const running = loop.run();
  return {
    close: async () => {
      await loop.end(grace);
      await running;
    },
  };
}

class Loop {
  readonly #parts: DeliveryParts;
  /** Who this deliverer is. */
  readonly #owner = randomUUID();
  readonly #soon = new AbortController();
  readonly #now = new AbortController();
  readonly #underWay = new Map<string, Promise<void>>();
  #prunedAt = -Infinity;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { signal } = this.#soon;
    while (!signal.aborted) {
      // The database may be away for a moment: the next look does it.
      await this.#look().catch((error: unknown) => this.#complain(error, 'watchers are not looked after'));
      await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async end(grace: number): Promise<void> {
    this.#soon.abort();
    const timer = setTimeout(() => this.#now.abort(), grace);
    await Promise.all(this.#underWay.values());
    clearTimeout(timer);
  }

  async #look(): Promise<void> {
    const { deliveries, now } = this.#parts;
    for (const name of await deliveries.due(now())) {
      if (!this.#underWay.has(name) && !this.#soon.signal.aborted) this.#start(name);
    }
    if (now() - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = now();
    await deliveries.prune(now() - KEPT_FOR);
  }

  #start(name: string): void {
    const ending = { soon: this.#soon.signal, now: this.#now.signal };
    const work = deliverTo(this.#parts, { name, owner: this.#owner }, ending)
      .catch((error: unknown) => this.#complain(error, 'a watcher could not be looked after'))
      .finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, work);
  }

  #complain(error: unknown, message: string): void {
    this.#parts.log.warn({ error: (error as Error).message }, message);
  }
}
