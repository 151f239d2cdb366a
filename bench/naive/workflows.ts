import { executeChild, proxyActivities } from '@temporalio/workflow';
import type { NaiveActivities } from './activities.ts';

/*
 * How one would write it at first: a workflow for each scale set, its batches one after the other, and an activity for each VM and
 * each step. Safe enough while nothing goes wrong; what is compared is only what it costs.
 */

export interface NaiveSet {
  scaleSetId: string;
  batches: string[][];
}

const { swapOsDisk, applyModel, runExtensions, checkHealth } = proxyActivities<NaiveActivities>({
  startToCloseTimeout: '5 min',
});

export async function naiveRollout(sets: NaiveSet[]): Promise<void> {
  await Promise.all(
    sets.map((set, i) => executeChild(naiveScaleSet, { workflowId: `naive/${i}`, args: [set] })),
  );
}

export async function naiveScaleSet({ scaleSetId, batches }: NaiveSet): Promise<void> {
  for (const batch of batches) {
    await Promise.all(batch.map((instanceId) => upgradeInstance({ scaleSetId, instanceId })));
  }
}

async function upgradeInstance(vm: { scaleSetId: string; instanceId: string }): Promise<void> {
  await swapOsDisk(vm);
  await applyModel(vm);
  await runExtensions(vm);
  await checkHealth(vm);
}
