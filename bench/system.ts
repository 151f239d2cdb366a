import { join } from 'node:path';
import { startRollout } from '../src/client/index.ts';
import { openDatabase } from '../src/database/database.ts';
import { imageLabel } from '../src/domain/image.ts';
import { openSimulatedFleet } from '../src/fleet/index.ts';
import { openLedger } from '../src/ledger/index.ts';
import { requireUpgraded } from './require-upgraded.ts';
import { measured, type RolloutFigures } from './rollout.ts';
import { fleetSpecOf, IMAGE, NEW_VERSION, type Shape } from './shape.ts';
import type { Stage } from './stage.ts';
import { SETTINGS } from './settings.ts';

/** This system: its own worker, a fleet and a ledger in a SQLite file, a rollout that is started as a person would. */
export async function rollOut(
  stage: Stage,
  namespace: string,
  shape: Shape,
  { countActions = true }: { countActions?: boolean } = {},
): Promise<RolloutFigures> {
  const databaseUrl = `file:${join(stage.folder, `${namespace}.db`)}`;
  const database = await openDatabase(databaseUrl);
  const fleet = await openSimulatedFleet(database);
  await fleet.seed(fleetSpecOf(shape));
  const worker = await stage.startWorker(namespace, '../src/worker.ts', { DATABASE_URL: databaseUrl });
  try {
    const ledger = openLedger(database);
    const figures = await measured(stage, namespace, {
      vms: shape.vms,
      worker,
      countActions,
      start: async (connected) => {
        const { workflowId } = await startRollout(
          { fleet, ledger, temporal: () => Promise.resolve(connected) },
          {
            image: imageLabel(IMAGE),
            version: NEW_VERSION,
            phases: [{ name: 'all', regions: [...shape.regions] }],
            settings: SETTINGS,
            who: 'bench',
          },
        );
        await connected.client.workflow.getHandle(workflowId).result();
      },
    });
    await requireUpgraded(database, shape);
    return figures;
  } finally {
    await worker.stop();
    await database.close();
  }
}
