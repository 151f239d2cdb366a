import { openDatabase, type Database } from '../database/database.ts';
import { openSimulatedFleet, type SimulatedFleet } from '../fleet/index.ts';
import { openLedger } from '../ledger/index.ts';
import type { Ledger } from '../ledger/port.ts';
import { copyDatabase } from './copy-database.ts';

/** A fleet and a ledger of a rehearsal's own, in memory: whatever happens there happens nowhere else. */
export interface World {
  database: Database;
  fleet: SimulatedFleet;
  ledger: Ledger;
  close(): Promise<void>;
}

/** An empty world, or a copy of what is in a database, which is only read. */
export async function openWorld(source?: Database): Promise<World> {
  const database = await openDatabase(':memory:');
  if (source) await copyDatabase(source, database);
  return {
    database,
    fleet: await openSimulatedFleet(database),
    ledger: openLedger(database),
    close: () => database.close(),
  };
}
