import type { Client } from '@temporalio/client';
import { historyToJson } from './temporal.ts';

/** One run of a workflow with its history, as JSON and as the server gives it out: not decoded. */
export interface RecordedRun {
  readonly workflowId: string;
  readonly history: object;
}

/** The histories of all workflows that a server knows. */
export async function recordedRuns(client: Client): Promise<RecordedRun[]> {
  const runs: RecordedRun[] = [];
  for await (const { workflowId, runId } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    runs.push({ workflowId, history: JSON.parse(historyToJson(history)) as object });
  }
  return runs;
}

/** Every text in a value of JSON, and what those in base64 hold, as one text to be searched. */
export function everythingIn(value: unknown): string {
  const found: string[] = [];
  const visit = (one: unknown): void => {
    if (typeof one === 'string') found.push(one, Buffer.from(one, 'base64').toString('utf8'));
    else if (Array.isArray(one)) one.forEach(visit);
    else if (typeof one === 'object' && one !== null) {
      for (const [key, member] of Object.entries(one)) {
        found.push(key);
        visit(member);
      }
    }
  };
  visit(value);
  return found.join('\n');
}

/** The encodings of all payloads in a history's JSON, by how many have each; of encrypted ones with the key's id. */
export function encodingsIn(history: unknown): Record<string, number> {
  const counts: Record<string, number> = {};
  const visit = (one: unknown): void => {
    if (typeof one !== 'object' || one === null) return;
    const { metadata } = one as { metadata?: Record<string, string> };
    if (metadata?.['encoding'] !== undefined) {
      const names = [metadata['encoding'], metadata['encryption-key-id'] ?? ''];
      const name = names
        .map((text) => Buffer.from(text, 'base64').toString())
        .join(' ')
        .trim();
      counts[name] = (counts[name] ?? 0) + 1;
    }
    for (const [key, member] of Object.entries(one)) if (!isInTheOpen(key, member)) visit(member);
  };
  visit(history);
  return counts;
}

/** What is never encrypted: search attributes, which the server has to read, and what the SDK's core notes of a local activity. */
function isInTheOpen(key: string, member: unknown): boolean {
  return key === 'searchAttributes' || (key === 'data' && typeof member === 'object');
}
