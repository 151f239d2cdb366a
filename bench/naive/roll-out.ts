import { join } from 'node:path';
import { planBatches } from '../../src/domain/batching.ts';
import { DEFAULT_ROLLING_POLICY } from '../../src/domain/policy.ts';
import { openSimulatedFleet } from '../../src/fleet/index.ts';
import { openDatabase } from '../../src/database/database.ts';
import { requireUpgraded } from '../require-upgraded.ts';
import { measured, type RolloutFigures } from '../rollout.ts';
import { fleetSpecOf, type Shape } from '../shape.ts';
import type { Stage } from '../stage.ts';
import type { NaiveSet } from './workflows.ts';

/** The same VMs upgraded by a plain implementation: see `workflows.ts`. */
export async function rollOutNaively(stage: Stage, namespace: string, shape: Shape): Promise<RolloutFigures> {
  const databaseUrl = `file:${join(stage.folder, `${namespace}.db`)}`;
  const database = await openDatabase(databaseUrl);
  const fleet = await openSimulatedFleet(database);
  await fleet.seed(fleetSpecOf(shape));
  const sets: NaiveSet[] = [];
  for (const { id } of await fleet.scaleSets()) {
    const instances = await fleet.instances(id, Date.now());
    const candidates = instances.map((instance) => ({ ...instance, healthy: true }));
    const plans = planBatches({
      candidates,
      instanceCount: candidates.length,
      policy: DEFAULT_ROLLING_POLICY,
    });
    sets.push({ scaleSetId: id, batches: plans.map(({ instanceIds }) => instanceIds) });
  }
  const worker = await stage.startWorker(namespace, 'naive/worker.ts', { DATABASE_URL: databaseUrl });
  try {
    const figures = await measured(stage, namespace, {
      vms: shape.vms,
      worker,
      start: async ({ client }) => {
        const options = { workflowId: 'naive', taskQueue: 'naive', args: [sets] };
        await client.workflow.execute('naiveRollout', options);
      },
    });
    await requireUpgraded(database, shape);
    return figures;
  } finally {
    await worker.stop();
    await database.close();
  }
}
