import {
  CancellationScope,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  allHandlersFinished,
  condition,
  continueAsNew,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { AttemptRef, ScaleSetLook } from '../activities/types.ts';
import { searchAttributes } from '../temporal/search-attributes.ts';
import { looks } from './activities.ts';
import { batchUpgrade } from './batch-upgrade.ts';
import { batchUpgradeId } from './ids.ts';
import type { ScaleSetRolloutInput, ScaleSetRolloutResult } from './messages.ts';
import { Children } from './children.ts';
import { Watch, historyIsLong } from './watch.ts';

/**
 * Upgrades one scale set: look (observe and decide), act, look again. Everything that it knows is in the fleet and the
 * ledger, so that a run that was terminated is followed by one that goes on where it stood.
 */
export async function scaleSetRollout(input: ScaleSetRolloutInput): Promise<ScaleSetRolloutResult> {
  const watch = new Watch(input.clock, 'scaleSet', 'starting');
  return CancellationScope.nonCancellable(() => upgrade(input, watch));
}

async function upgrade(input: ScaleSetRolloutInput, watch: Watch): Promise<ScaleSetRolloutResult> {
  let attempt: AttemptRef | undefined = input.attempt;
  for (;;) {
    const look: ScaleSetLook = await looks.lookAtScaleSet(lookInput(input, attempt, watch));
    attempt = look.attempt;
    switch (look.kind) {
      case 'batch':
        await runBatch(input, look, watch);
        break;
      case 'wait':
        await watch.waitFor(
          look.what,
          look.until ?? watch.now + input.settings.fallbackPoll,
          progressLine(look),
        );
        break;
      case 'finished':
        if (look.foreign && !input.windDown) {
          attempt = undefined;
          break;
        }
        return finish(look.status, look);
      case 'conflict':
        return finish('Conflict', look);
    }
    // A cancel is known to this run alone: it ends by itself soon, and is not handed over.
    if (historyIsLong(input.settings.maxHistoryEvents) && !watch.cancelRequested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof scaleSetRollout>({ ...input, ...(attempt ? { attempt } : {}) });
    }
  }
}

function lookInput(input: ScaleSetRolloutInput, attempt: AttemptRef | undefined, watch: Watch) {
  const { workflowId, runId } = workflowInfo();
  return {
    rolloutId: input.rolloutId,
    scaleSetId: input.scaleSetId,
    startedBy: input.startedBy,
    phase: input.phase,
    region: input.region,
    workflow: { id: workflowId, runId },
    ...(attempt ? { attempt } : {}),
    cancelRequested: watch.cancelRequested,
    windDown: input.windDown ?? false,
    at: watch.now,
  };
}

async function runBatch(
  input: ScaleSetRolloutInput,
  look: Extract<ScaleSetLook, { kind: 'batch' }>,
  watch: Watch,
): Promise<void> {
  const place = [
    look.zone === null ? null : `zone ${look.zone}`,
    look.updateDomain === null ? null : `update domain ${look.updateDomain}`,
    `${look.instanceIds.length} VMs`,
  ].filter((part) => part !== null);
  watch.doing(`Batch ${look.batch}: ${place.join(', ')}\n\n${progressLine(look)}`);
  await new Children(watch).run(() =>
    startChild(batchUpgrade, {
      workflowId: batchUpgradeId(workflowInfo().workflowId, look.attempt.number, look.batch),
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      parentClosePolicy: ParentClosePolicy.TERMINATE,
      staticSummary: `batch ${look.batch}: ${place.join(', ')}`,
      args: [
        {
          v: 1,
          rolloutId: look.rolloutId,
          scaleSetId: input.scaleSetId,
          clock: input.clock,
          target: look.target,
          attempt: look.attempt,
          batch: look.batch,
          zone: look.zone,
          updateDomain: look.updateDomain,
          action: look.action,
          instanceIds: look.instanceIds,
          restoresOnFailure: look.restoresOnFailure,
          settings: input.settings,
        },
      ],
    }),
  );
}

function finish(
  status: ScaleSetRolloutResult['status'],
  look: ScaleSetLook & { reason: ScaleSetRolloutResult['reason'] },
): ScaleSetRolloutResult {
  upsertSearchAttributes([{ key: searchAttributes.status, value: status }]);
  return { status, reason: look.reason, progress: look.progress };
}

function progressLine({ progress }: ScaleSetLook): string {
  return `${progress.successfulInstanceCount} upgraded, ${progress.failedInstanceCount} failed, ${progress.inProgressInstanceCount} in progress, ${progress.pendingInstanceCount} pending`;
}
