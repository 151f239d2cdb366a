import { openDatabase, type Database } from '../../database/database.ts';
import { openSimulatedFleet, type SimulatedFleet } from '../../fleet/index.ts';
import { openLedger } from '../../ledger/index.ts';
import { startTracing } from '../../telemetry/tracing.ts';
import { connectClient, type ConnectedClient } from '../../temporal/connection.ts';
import type { ClientContext } from '../context.ts';

export interface OpenOptions {
  /** `DATABASE_URL`, or the default file, if absent. */
  databaseUrl?: string | undefined;
  /** Called when Temporal is needed for the first time; connects by the environment, and is traced by it, if absent. */
  temporal?: () => Promise<ConnectedClient>;
}

/** All that the client library works on: database, fleet, ledger, and Temporal when it is needed. */
export interface OpenRollouts extends ClientContext {
  database: Database;
  fleet: SimulatedFleet;
  /** Closes what was opened: a connection to Temporal only if there is one. */
  close(): Promise<void>;
}

/**
 * Opens the client library on the simulated fleet. Temporal is connected to by whatever needs it first.
 * @throws Error that names the database when it cannot be opened
 */
export async function openRollouts({ databaseUrl, temporal }: OpenOptions = {}): Promise<OpenRollouts> {
  const tracing = await startTracing('rollouts');
  const database = await openDatabase(databaseUrl);
  let connected: Promise<ConnectedClient> | undefined;
  return {
    database,
    fleet: await openSimulatedFleet(database),
    ledger: openLedger(database),
    temporal: () => (connected ??= temporal?.() ?? connectClient(undefined, tracing.plugins)),
    close: async () => {
      // One that never came about needs no closing.
      const client = await connected?.catch(() => undefined);
      await client?.connection.close();
      await tracing.close();
      await database.close();
    },
  };
}
