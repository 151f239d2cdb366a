import { isGrpcServiceError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { statusQuery, type WorkflowStatus } from '../workflows/messages.ts';

/** `missing`: Temporal knows no workflow of that id, since it never began or is forgotten. */
export type WorkflowState = 'open' | 'closed' | 'missing';

/** Longer than an idle worker takes, and short enough for a person to wait. */
const QUERY_TIMEOUT_MS = 3_000;

/** Whether Temporal runs a workflow. */
export async function workflowState(client: Client, workflowId: string): Promise<WorkflowState> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING' || status.name === 'PAUSED' ? 'open' : 'closed';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'missing';
    throw error;
  }
}

/** The run of a workflow that is open or was the last, and the rollout that it acts for; null where that is not said. */
export async function runOf(
  client: Client,
  workflowId: string,
): Promise<{ runId: string; rolloutId: string | null }> {
  const { runId, memo } = await client.workflow.getHandle(workflowId).describe();
  const rolloutId = memo?.['rolloutId'];
  return { runId, rolloutId: typeof rolloutId === 'string' ? rolloutId : null };
}

/** What a workflow says of itself; or why it does not. */
export type StatusAnswer =
  | { kind: 'status'; status: WorkflowStatus }
  /** Nobody polls: the workflow makes no progress either. */
  | { kind: 'noWorker' }
  | { kind: 'gone' };

/** Asks a workflow what it does. A worker has to answer, and a missing one must not keep anybody waiting. */
export async function askStatus(client: Client, workflowId: string): Promise<StatusAnswer> {
  try {
    const ask = () => client.workflow.getHandle(workflowId).query(statusQuery);
    return { kind: 'status', status: await client.withDeadline(Date.now() + QUERY_TIMEOUT_MS, ask) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { kind: 'gone' };
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    // Too late, no poller lately, too many questions: whatever the server says of it, nobody has answered.
    if (isGrpcServiceError(cause)) return { kind: 'noWorker' };
    throw error;
  }
}
