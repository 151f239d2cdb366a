import type { FleetTables } from './tables-fleet.ts';
import type { JournalTables } from './tables-journal.ts';
import type { LedgerTables } from './tables-ledger.ts';
import type { WatcherTables } from './tables-watchers.ts';

/** Every table. JSON is kept as text, instants as whole milliseconds, booleans as 0 and 1: the same on both engines. */
export type Tables = FleetTables & JournalTables & LedgerTables & WatcherTables;
