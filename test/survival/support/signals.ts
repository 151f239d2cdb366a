import { readFile } from 'node:fs/promises';
import type { DevServer } from '../../../src/temporal/dev-server.ts';
import { until, type SurvivalWorld, type WorkerProcess } from './world.ts';

/** Freezes a process from outside, and waits until it stands still. */
export async function freeze({ pid }: { pid: number }): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await untilFrozen({ pid });
}

/** Waits until a process stands still, whoever stopped it. */
export function untilFrozen({ pid }: { pid: number }): Promise<void> {
  return until(`process ${pid} is stopped`, async () => {
    // `State: T (stopped)`
    return /^State:\s+T/m.test(await readFile(`/proc/${pid}/status`, 'utf8'));
  });
}

export function thaw({ pid }: { pid: number }): void {
  process.kill(pid, 'SIGCONT');
}

/** @returns how it ended, for people: once it is gone */
export async function kill(victim: WorkerProcess | DevServer): Promise<void> {
  process.kill(victim.pid, 'SIGKILL');
  await victim.exited;
}

const TASK_STARTED = 2;

/** The workflows a task of which a worker has in hand, as the server sees it. */
export async function workflowsInHand({ env: { client } }: SurvivalWorld): Promise<string[]> {
  const inHand: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
    const { raw } = await client.workflow.getHandle(workflowId).describe();
    if (Number(raw.pendingWorkflowTask?.state) === TASK_STARTED) inHand.push(workflowId);
  }
  return inHand;
}

/** How many workflow tasks ran into their time-out: those that a death has cut off. */
export async function tasksCutOff({ env: { client } }: SurvivalWorld): Promise<number> {
  let cut = 0;
  for await (const { workflowId, runId } of client.workflow.list()) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    cut += (events ?? []).filter((event) => event.workflowTaskTimedOutEventAttributes).length;
  }
  return cut;
}
