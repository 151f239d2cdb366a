import type { Queries } from '../../database/database.ts';
import type { VirtualClock } from '../../domain/clock.ts';
import { readHead, type Head } from './world.ts';

/** How much later than at once this process sees that another one has changed a fault, or has seeded the fleet anew. */
const REMEMBERED_FOR_MS = 50;

/**
 * The fleet's clock and revision, which every activity asks for several times and which hardly ever change: read once in a
 * while. Whoever changes them in this process says so.
 */
export class FleetHead {
  readonly #db: Queries;
  #read: { head: Promise<Head>; at: number } | null = null;

  constructor(db: Queries) {
    this.#db = db;
  }

  /** Null before anything was seeded. */
  async clock(): Promise<VirtualClock | null> {
    return (await this.#head()).clock;
  }

  async revision(): Promise<number> {
    return (await this.#head()).revision;
  }

  /** The next one that asks reads. */
  forget(): void {
    this.#read = null;
  }

  /** The same work, after which what it may have changed is read anew. */
  changing<A extends unknown[], R>(work: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return (...args) => work(...args).finally(() => this.forget());
  }

  #head(): Promise<Head> {
    const now = performance.now();
    if (this.#read === null || now - this.#read.at > REMEMBERED_FOR_MS) {
      const head = readHead(this.#db);
      this.#read = { head, at: now };
      // One that could not be read is not remembered.
      head.catch(() => this.forget());
    }
    return this.#read.head;
  }
}
