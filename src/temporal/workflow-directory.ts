import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { WorkflowDirectory } from '../activities/index.ts';
import { turnOf } from '../workflows/dispatch.ts';
import { scaleSetRolloutId } from '../workflows/ids.ts';
import { TASK_QUEUE, lookAgainSignal, type ScaleSetRolloutInput } from '../workflows/messages.ts';

/** What activities and the command ask of Temporal itself, on a client. */
export function workflowDirectory(client: Client): WorkflowDirectory {
  return {
    isOpen: (workflowId) => isOpen(client, workflowId),
    wake: async (workflowIds) => {
      await Promise.all([...new Set(workflowIds)].map((id) => wake(client, id)));
    },
    windDown: (input) => windDown(client, input),
  };
}

async function isOpen(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** A wake-up that is lost costs time and nothing else, so no failure of it may stop the step that sends it. */
async function wake(client: Client, workflowId: string): Promise<void> {
  await client.workflow
    .getHandle(workflowId)
    .signal(lookAgainSignal)
    .catch(() => undefined);
}

async function windDown(client: Client, input: ScaleSetRolloutInput): Promise<void> {
  try {
    await client.workflow.start('scaleSetRollout', {
      workflowId: scaleSetRolloutId(input.scaleSetId),
      taskQueue: TASK_QUEUE,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      priority: turnOf(input.region),
      staticSummary: 'finishes what a terminated upgrade left half done',
      args: [input],
    });
  } catch (error) {
    // It runs: then it takes the attempt over itself.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
