import { CancellationScope, setWorkflowOptions } from '@temporalio/workflow';
import { temporalLoop } from './activities.ts';
import { upgradeBatch } from './loops/batch.ts';
import type { BatchUpgradeInput, BatchUpgradeResult } from './messages.ts';
import { pinned } from './pinned.ts';
import { Watch } from './watch.ts';

/** Upgrades the instances of one batch: see `upgradeBatch`. Nothing interrupts it, Temporal's Cancel neither. */
export async function batchUpgrade(input: BatchUpgradeInput): Promise<BatchUpgradeResult> {
  const watch = new Watch(input.clock, 'batch', 'replacing OS disks');
  return CancellationScope.nonCancellable(() => upgradeBatch(input, temporalLoop(watch, input)));
}

setWorkflowOptions(pinned, batchUpgrade);
