import type { Generated } from 'kysely';
import type { EventData, EventKind } from '../domain/events.ts';
import type { Json } from './tables-ledger.ts';

/** What watchers are told of, and who they are. */
export interface WatcherTables {
  events: EventsTable;
  watchers: WatchersTable;
}

export interface EventsTable {
  /** Rises in the order of commit. */
  seq: Generated<number>;
  event_key: string;
  kind: string;
  subject: string;
  /** Virtual. */
  at: number;
  data: Json<EventData>;
  recorded_at: number;
}

/** Times are those of the clock on the wall. */
export interface WatchersTable {
  name: string;
  url: string;
  /** Null: all. */
  kinds: Json<EventKind[]> | null;
  /** Where a worker finds what to sign with: never that itself. */
  secret: string;
  who: string;
  added_at: number;
  /** The last event that it has had, or did not want. */
  last_seq: number;
  failures: number;
  failing_since: number | null;
  last_error: string | null;
  last_try_at: number | null;
  last_accepted_at: number | null;
  next_try_at: number;
  disabled_at: number | null;
  disabled_why: string | null;
  lease_owner: string | null;
  lease_until: number;
}
