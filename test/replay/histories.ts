import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where recorded histories are kept: a folder for each release, a file for each situation. */
export const HISTORIES = fileURLToPath(new URL('histories', import.meta.url));

/** What stands in place of every identity and of every worker's own task queue. */
export const SCRUBBED = 'worker';

/** An event of a history in the JSON of `temporal workflow show`; only what is looked at here is named. */
export interface HistoryEvent {
  eventType: string;
  workflowExecutionStartedEventAttributes?: { workflowId: string; workflowType: { name: string } };
  activityTaskScheduledEventAttributes?: { activityType: { name: string } };
  startChildWorkflowExecutionInitiatedEventAttributes?: { workflowType: { name: string } };
  workflowExecutionSignaledEventAttributes?: { signalName: string };
  workflowExecutionUpdateAcceptedEventAttributes?: { acceptedRequest?: { input?: { name?: string } } };
}

export interface History {
  events: HistoryEvent[];
}

export interface RecordedHistory {
  /** `0.1.0/batch-upgrade-restored` */
  name: string;
  /** Workflows name their children by it, so a replay needs the right one. */
  workflowId: string;
  history: History;
  /** The file, word for word. */
  text: string;
}

/** All recorded histories of all releases, in the order of their names. */
export async function recordedHistories(): Promise<RecordedHistory[]> {
  const files = await readdir(HISTORIES, { recursive: true });
  const names = files.filter((file) => file.endsWith('.json')).toSorted();
  return Promise.all(names.map(readHistory));
}

async function readHistory(file: string): Promise<RecordedHistory> {
  const text = await readFile(join(HISTORIES, file), 'utf8');
  const history = JSON.parse(text) as History;
  return { name: file.replace(/\.json$/, ''), workflowId: workflowIdOf(history), history, text };
}

/** The id of the workflow that a history is of. */
export function workflowIdOf({ events }: History): string {
  const id = events[0]?.workflowExecutionStartedEventAttributes?.workflowId;
  if (id === undefined)
    throw new Error('A history begins with WorkflowExecutionStarted and its workflow id.');
  return id;
}

/**
 * A history without what tells of the machine that it was recorded on: a worker's identity is its process and host, and so
 * is the name of its sticky task queue; stacks name its folders. Replay reads none of them.
 * @param json as `historyToJson` writes it
 */
export function scrubbed(json: string): string {
  const clean = JSON.parse(json, function (this: { kind?: unknown }, key: string, value: unknown) {
    if (typeof value !== 'string') return value;
    const isSticky = key === 'name' && this.kind === 'TASK_QUEUE_KIND_STICKY';
    if (key === 'stackTrace') return '';
    return key === 'identity' || isSticky ? SCRUBBED : value;
  }) as History;
  return `${JSON.stringify(clean)}\n`;
}
