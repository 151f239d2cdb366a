import { join } from 'node:path';
import { openDatabase } from '../src/database/database.ts';
import { openSimulatedFleet, type SimulatedFleet } from '../src/fleet/index.ts';
import { openLedger } from '../src/ledger/index.ts';
import type { Ledger } from '../src/ledger/port.ts';
import type { ConnectedClient } from '../src/temporal/connection.ts';
import { requireUpgraded } from './require-upgraded.ts';
import { measured, type RolloutFigures } from './rollout.ts';
import { fleetSpecOf, type Shape } from './shape.ts';
import type { Stage } from './stage.ts';

/** What a rollout is started on. */
export interface Stores {
  fleet: SimulatedFleet;
  ledger: Ledger;
}

/** Seeds a fleet of that shape in a SQLite file, has a worker upgrade it, and takes the figures. */
export async function onFleet(
  stage: Stage,
  namespace: string,
  shape: Shape,
  how: {
    /** The worker's file, from this folder. */
    worker: string;
    countActions?: boolean;
    /** Starts the root workflow, and answers when it has ended. */
    start: (connected: ConnectedClient, stores: Stores) => Promise<void>;
  },
): Promise<RolloutFigures> {
  const databaseUrl = `file:${join(stage.folder, `${namespace}.db`)}`;
  const database = await openDatabase(databaseUrl);
  try {
    const stores = { fleet: await openSimulatedFleet(database), ledger: openLedger(database) };
    await stores.fleet.seed(fleetSpecOf(shape));
    const worker = await stage.startWorker(namespace, how.worker, { DATABASE_URL: databaseUrl });
    try {
      const figures = await measured(stage, namespace, {
        vms: shape.vms,
        worker,
        countActions: how.countActions ?? true,
        start: (connected) => how.start(connected, stores),
      });
      await requireUpgraded(database, shape);
      return figures;
    } finally {
      await worker.stop();
    }
  } finally {
    await database.close();
  }
}
