import type { Registry } from 'prom-client';
import { virtualAt, type VirtualClock } from '../domain/clock.ts';
import type { Statistics } from '../ledger/port.ts';
import { BATCH_DURATION_BOUNDS, ledgerRegistry } from './ledger-metrics.ts';

export interface LedgerSource {
  readonly statistics: Statistics;
  readonly fleet: { clock(): Promise<VirtualClock> };
}

export interface Reading {
  registry: Registry;
  readAt: number;
  /** How long it took, in milliseconds. */
  cost: number;
}

/** However many ask, and however often, the ledger is asked no more than that. */
const LEAST_AGE_MS = 5_000;
/** Reading a large ledger takes its time, in which a worker on SQLite does nothing else: at most a twentieth of all. */
const AGE_PER_COST = 20;

/** The ledger's metrics, kept for a while; those who ask at the same time share one reading. A failed one is not kept. */
export class LedgerReader {
  readonly #source: LedgerSource;
  #last: Reading | null = null;
  #running: Promise<Reading> | null = null;

  constructor(source: LedgerSource) {
    this.#source = source;
  }

  /** @throws what the database throws */
  async read(): Promise<Reading> {
    if (this.#last !== null && !isStale(this.#last)) return this.#last;
    this.#running ??= this.#readNow().finally(() => (this.#running = null));
    return this.#running;
  }

  async #readNow(): Promise<Reading> {
    const wall = Date.now();
    const now = virtualAt(await this.#source.fleet.clock(), wall);
    const request = { now, batchDurationBounds: BATCH_DURATION_BOUNDS };
    const statistics = await this.#source.statistics.read(request);
    const readAt = Date.now();
    const registry = ledgerRegistry(statistics, { virtual: now, wall });
    this.#last = { registry, readAt, cost: readAt - wall };
    return this.#last;
  }
}

function isStale({ readAt, cost }: Reading): boolean {
  return Date.now() - readAt > Math.max(LEAST_AGE_MS, cost * AGE_PER_COST);
}
