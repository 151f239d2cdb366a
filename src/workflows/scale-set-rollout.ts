import {
  CancellationScope,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  allHandlersFinished,
  condition,
  continueAsNew,
  setWorkflowOptions,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { AttemptRef } from '../activities/types.ts';
import { searchAttributes } from '../temporal/search-attributes.ts';
import { temporalLoop } from './activities.ts';
import { batchUpgrade } from './batch-upgrade.ts';
import { Children } from './children.ts';
import { batchUpgradeId } from './ids.ts';
import { upgradeScaleSet } from './loops/scale-set.ts';
import type { BatchUpgradeInput, ScaleSetRolloutInput, ScaleSetRolloutResult } from './messages.ts';
import { pinned } from './pinned.ts';
import { Watch, historyIsLong } from './watch.ts';

/** Upgrades one scale set: see `upgradeScaleSet`. Temporal's Cancel ends it after the batch under way. */
export async function scaleSetRollout(input: ScaleSetRolloutInput): Promise<ScaleSetRolloutResult> {
  const watch = new Watch(input.clock, 'scaleSet', 'starting');
  return CancellationScope.nonCancellable(async () => {
    const { workflowId: id, runId } = workflowInfo();
    const result = await upgradeScaleSet(input, {
      ...temporalLoop(watch, input),
      workflow: { id, runId },
      runBatch: (batch, place) => runBatch(batch, place, watch),
      handOver: (attempt) => handOver(input, attempt, watch),
    });
    upsertSearchAttributes([{ key: searchAttributes.status, value: result.status }]);
    return result;
  });
}

setWorkflowOptions(pinned, scaleSetRollout);

async function runBatch(batch: BatchUpgradeInput, place: string, watch: Watch): Promise<void> {
  await new Children(watch).run(() =>
    startChild(batchUpgrade, {
      workflowId: batchUpgradeId(workflowInfo().workflowId, batch.attempt.number, batch.batch),
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      parentClosePolicy: ParentClosePolicy.TERMINATE,
      staticSummary: `batch ${batch.batch}: ${place}`,
      args: [batch],
    }),
  );
}

/** A cancel is known to this run alone: it ends by itself soon, and is not handed over. */
async function handOver(
  input: ScaleSetRolloutInput,
  attempt: AttemptRef | undefined,
  watch: Watch,
): Promise<void> {
  if (!historyIsLong(input.settings.maxHistoryEvents) || watch.cancelRequested) return;
  await condition(allHandlersFinished);
  await continueAsNew<typeof scaleSetRollout>({ ...input, ...(attempt ? { attempt } : {}) });
}
