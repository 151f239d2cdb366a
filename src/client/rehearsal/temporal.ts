import { WorkflowUpdateFailedError } from '@temporalio/client';
import {
  ApplicationFailure,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/common';
import type { Process } from '../../rehearsal/process.ts';
import type { Rehearsal } from '../../rehearsal/rehearsal.ts';
import type { ConnectedClient } from '../../temporal/connection.ts';
import {
  failureTypes,
  type DecideInput,
  type ImageRolloutInput,
  type ScaleSetRolloutInput,
} from '../../workflows/messages.ts';

/**
 * The interpreter in place of a Temporal server, so that what people do in a rehearsal is done by the very functions of the
 * client library. Only what these ask of a connection is there.
 */
export function rehearsalTemporal(rehearsal: Rehearsal): ConnectedClient {
  let attributes = {};
  const operatorService = {
    listSearchAttributes: async () => ({ customAttributes: attributes }),
    addSearchAttributes: async ({ searchAttributes }: { searchAttributes: object }) => {
      attributes = { ...attributes, ...searchAttributes };
    },
  };
  const client = {
    options: { namespace: 'rehearsal' },
    withDeadline: (_deadline: number, work: () => Promise<unknown>) => work(),
    workflow: {
      start: async (type: string, options: StartOptions) => start(rehearsal, type, options),
      getHandle: (id: string) => handleOf(rehearsal, id),
    },
  };
  return {
    client,
    connection: { operatorService, close: async () => undefined },
  } as unknown as ConnectedClient;
}

interface StartOptions {
  workflowId: string;
  workflowIdReusePolicy?: string;
  args: [unknown];
}

function start(rehearsal: Rehearsal, type: string, options: StartOptions) {
  const { workflowId, workflowIdReusePolicy, args } = options;
  const [input] = args;
  const isUsedUp = workflowIdReusePolicy === 'REJECT_DUPLICATE' && rehearsal.isClosed(workflowId);
  let process: Process | null = null;
  if (!isUsedUp) {
    process =
      type === 'imageRollout'
        ? rehearsal.startImageRollout(input as ImageRolloutInput)
        : rehearsal.startScaleSet(input as ScaleSetRolloutInput);
  }
  if (process === null) {
    throw new WorkflowExecutionAlreadyStartedError('Workflow execution already started', workflowId, type);
  }
  return { firstExecutionRunId: process.runId };
}

function handleOf(rehearsal: Rehearsal, id: string) {
  const open = (): Process => {
    const process = rehearsal.find(id);
    if (process) return process;
    throw new WorkflowNotFoundError('workflow not found', id, undefined);
  };
  return {
    describe: async () => {
      if (rehearsal.isClosed(id)) return { status: { name: 'COMPLETED' } };
      open();
      return { status: { name: 'RUNNING' } };
    },
    signal: async () => open().wake(),
    executeUpdate: async (_update: unknown, { args }: { args: [DecideInput] }) => {
      open();
      const decision = await rehearsal.answerHalt(id, args[0]);
      if (typeof decision !== 'string') return decision;
      const refusal = ApplicationFailure.nonRetryable(decision, failureTypes.NotHalted);
      throw new WorkflowUpdateFailedError('Workflow Update failed', refusal);
    },
  };
}
