import { planBatches } from '../../src/domain/batching.ts';
import { DEFAULT_ROLLING_POLICY } from '../../src/domain/policy.ts';
import type { Fleet } from '../../src/fleet/index.ts';
import { onFleet } from '../on-fleet.ts';
import type { RolloutFigures } from '../rollout.ts';
import type { Shape } from '../shape.ts';
import type { Stage } from '../stage.ts';
import type { NaiveSet } from './workflows.ts';

/** The same VMs upgraded by a plain implementation: see `workflows.ts`. */
export function rollOutNaively(stage: Stage, namespace: string, shape: Shape): Promise<RolloutFigures> {
  return onFleet(stage, namespace, shape, {
    worker: 'naive/worker.ts',
    start: async ({ client }, { fleet }) => {
      const options = { workflowId: 'naive', taskQueue: 'naive', args: [await setsOf(fleet)] };
      await client.workflow.execute('naiveRollout', options);
    },
  });
}

async function setsOf(fleet: Fleet): Promise<NaiveSet[]> {
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
  return sets;
}
