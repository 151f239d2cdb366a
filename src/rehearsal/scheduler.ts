import { setImmediate as drained } from 'node:timers/promises';
import { isoTime, type Instant } from '../domain/clock.ts';
import { uniform } from '../domain/random.ts';

/** Something that is to happen at a moment of virtual time. */
interface Event {
  at: Instant;
  /** Decides among events of the same moment. */
  tie: number;
  seq: number;
  run: () => void | Promise<void>;
}

/** More events than this at one moment mean that something goes round in circles. */
const MAX_EVENTS_AT_ONCE = 50_000;

/**
 * Virtual time: one event after the other, in order of their moments. Whatever waits in the code that events wake waits for
 * a later event, never for the world outside: so when an event's work is done, nothing moves before the next one.
 */
export class Scheduler {
  readonly #seed: string | null;
  #events: Event[] = [];
  #now: Instant;
  #seq = 0;

  /** @param seed order of events of the same moment; first come, first served if null */
  constructor(start: Instant, seed: string | null = null) {
    this.#now = start;
    this.#seed = seed;
  }

  get now(): Instant {
    return this.#now;
  }

  /** @returns a function that takes the event back */
  schedule(at: Instant, run: Event['run']): () => void {
    const seq = ++this.#seq;
    const tie = this.#seed === null ? 0 : uniform(this.#seed, 'tie', seq);
    const event: Event = { at: Math.max(at, this.#now), tie, seq, run };
    this.#insert(event);
    return () => {
      const index = this.#events.indexOf(event);
      if (index >= 0) this.#events.splice(index, 1);
    };
  }

  /**
   * Lets events happen until `isDone`, or until there is none left.
   * @returns true when it is done; false when nothing is left that could happen
   * @throws Error when time stands still although things happen
   */
  async run(isDone: () => boolean): Promise<boolean> {
    for (let atOnce = 0; !isDone(); atOnce++) {
      const event = this.#events.pop();
      if (event === undefined) return false;
      if (event.at > this.#now) atOnce = 0;
      this.#now = event.at;
      if (atOnce > MAX_EVENTS_AT_ONCE) throw new EndlessError(this.#now, atOnce);
      await event.run();
      await drained();
    }
    return true;
  }

  /** The list is kept in falling order, so that the next event is taken off its end. */
  #insert(event: Event): void {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isLater(this.#events[middle] as Event, event)) low = middle + 1;
      else high = middle;
    }
    this.#events.splice(low, 0, event);
  }
}

function isLater(a: Event, b: Event): boolean {
  return (a.at - b.at || a.tie - b.tie || a.seq - b.seq) > 0;
}

/** Things happen for ever, and time does not pass. */
export class EndlessError extends Error {
  override readonly name = 'EndlessError';

  constructor(at: Instant, events: number) {
    super(`Time stands still at ${isoTime(at)}: ${events} events have happened at that moment.`);
  }
}
