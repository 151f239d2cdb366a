import type { Client, WorkflowExecutionInfo, WorkflowHandle } from '@temporalio/client';

/** What the workflows of one namespace cost their server. */
export interface HistoryFigures {
  workflows: number;
  events: number;
  bytes: number;
  /** Events of the longest history of a run. */
  largest: number;
  /** Null where they were not counted. */
  actions: number | null;
}

type HistoryEvent = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

/** Events that stand for one billable action each; https://docs.temporal.io/cloud/actions lists them. */
function isAction(event: HistoryEvent): boolean {
  return [
    event.workflowExecutionStartedEventAttributes,
    event.activityTaskScheduledEventAttributes,
    event.timerStartedEventAttributes,
    event.workflowExecutionSignaledEventAttributes,
    event.workflowExecutionUpdateAcceptedEventAttributes,
    event.upsertWorkflowSearchAttributesEventAttributes,
  ].some((attributes) => attributes !== undefined && attributes !== null);
}

/** Adds up what all workflows of the client's namespace have in their histories. All must have ended. */
export async function historyFigures(
  client: Client,
  { countActions }: { countActions: boolean },
): Promise<HistoryFigures> {
  const figures = { workflows: 0, events: 0, bytes: 0, largest: 0 };
  let actions = 0;
  for await (const info of client.workflow.list()) {
    figures.workflows += 1;
    figures.events += info.historyLength;
    figures.bytes += info.historySize ?? 0;
    figures.largest = Math.max(figures.largest, info.historyLength);
    if (countActions) actions += await actionsOf(client, info);
  }
  return { ...figures, actions: countActions ? actions : null };
}

/** Local activities of one workflow task are one action together, by the marker events that the task brought. */
async function actionsOf(client: Client, { workflowId, runId }: WorkflowExecutionInfo): Promise<number> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  let actions = 0;
  const tasksWithMarkers = new Set<string>();
  for (const event of events ?? []) {
    if (isAction(event)) actions += 1;
    const marker = event.markerRecordedEventAttributes;
    if (marker) tasksWithMarkers.add(String(marker.workflowTaskCompletedEventId));
    const attempt = event.activityTaskStartedEventAttributes?.attempt ?? 1;
    actions += attempt - 1;
  }
  return actions + tasksWithMarkers.size;
}
