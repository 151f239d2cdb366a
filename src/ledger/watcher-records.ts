/** Watchers, who are told of what happens, and how they are told. Times are those of the clock on the wall. */

import type { Instant } from '../domain/clock.ts';
import type { AfterFailure, Failures } from '../domain/delivery.ts';
import type { EventKind, RolloutEvent } from '../domain/events.ts';

/** An event as it was recorded. `at` is virtual. */
export interface RecordedEvent extends RolloutEvent {
  /** Rises in the order in which events came to be known. */
  seq: number;
}

export interface NewWatcher {
  name: string;
  url: string;
  /** What it is told of; null: everything. */
  kinds: EventKind[] | null;
  /** Where a worker finds what to sign with, such as `env:WATCHER_SECRET`: never that itself. */
  secret: string;
  who: string;
  addedAt: Instant;
}

export interface Watcher extends NewWatcher, Failures {
  /** The last event that it has had, or did not want. */
  lastSeq: number;
  /** Why the last try failed; null when it did not. */
  lastError: string | null;
  lastTryAt: Instant | null;
  lastAcceptedAt: Instant | null;
  nextTryAt: Instant;
  /** Set when it is told nothing more until a person says so. */
  disabledAt: Instant | null;
  disabledWhy: string | null;
}

/** What people do about watchers. Names are in lower case. */
export interface Watchers {
  /** It is told of what happens from now on. @throws AlreadyRecordedError when there is one of that name */
  add(watcher: NewWatcher): Promise<Watcher>;
  get(name: string): Promise<Watcher | null>;
  /** By name, with how many events each has yet to get. */
  list(): Promise<(Watcher & { pending: number })[]>;
  /** @returns false when there is none */
  remove(name: string): Promise<boolean>;
  /**
   * Has it tried at once, and told again if it was disabled.
   * @param skip leaves out the event that it gets next
   * @returns the event that was left out, if one was
   */
  retry(name: string, skip: boolean): Promise<RecordedEvent | null>;
  /** Records an event for it alone, to be sent at once. @returns its `seq` */
  test(name: string, event: RolloutEvent): Promise<number>;
}

/** A watcher that a deliverer has to itself for some time. */
export interface Lease {
  name: string;
  /** The deliverer. */
  owner: string;
}

/** What a deliverer does: whatever it records without a lease that holds is not recorded. */
export interface Deliveries {
  /** The names of watchers that have something to get, are due for a try, and that nobody has to himself. */
  due(now: Instant): Promise<string[]>;
  /** Null when another one was faster, or it is due no more. */
  claim(lease: Lease, now: Instant, until: Instant): Promise<Watcher | null>;
  /**
   * The next events for a watcher after one, in their order.
   * @returns at most `limit` of them; up to `upTo` there are no others
   */
  after(
    watcher: Pick<Watcher, 'name' | 'kinds'>,
    seq: number,
    limit: number,
  ): Promise<{ events: RecordedEvent[]; upTo: number }>;
  /**
   * The watcher is past everything up to `seq`.
   * @param acceptedAt when it accepted that event; null if it was not for it
   * @param until how long the lease is to hold from now on
   * @returns false when it does not hold any more
   */
  passed(lease: Lease, seq: number, acceptedAt: Instant | null, until: Instant): Promise<boolean>;
  /** A try that failed; ends the lease. */
  failed(lease: Lease, failure: AfterFailure, now: Instant): Promise<void>;
  release(lease: Lease): Promise<void>;
  /** Removes events recorded before that, which every watcher that is told anything has had. @returns how many */
  prune(before: Instant): Promise<number>;
}
