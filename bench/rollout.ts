import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { ConnectedClient } from '../src/temporal/connection.ts';
import { historyFigures, type HistoryFigures } from './histories.ts';
import type { BenchWorker, Stage } from './stage.ts';

/** What a rollout of one shape took and cost. */
export interface RolloutFigures extends HistoryFigures {
  vms: number;
  /** From the start of the first workflow until the last one has closed. */
  seconds: number;
  vmsPerSecond: number;
  workerRssMiB: number;
  /** Of the worker since it started polling, and of the server. */
  workerCpuSeconds: number;
  serverCpuSeconds: number;
  serverRssMiB: number;
}

const LOOK_EVERY_MS = 100;

/** Runs workflows to their end on a worker and takes the figures. */
export async function measured(
  stage: Stage,
  namespace: string,
  {
    vms,
    worker,
    countActions = true,
    start,
  }: {
    vms: number;
    worker: BenchWorker;
    countActions?: boolean;
    /** Starts the root workflow, and answers when it has ended. */
    start: (connected: ConnectedClient) => Promise<void>;
  },
): Promise<RolloutFigures> {
  const connected = stage.connected(namespace);
  const before = { worker: await worker.cpuSeconds(), server: await stage.serverCpuSeconds() };
  await start(connected);
  const { client } = connected;
  await allClosed(client);
  const seconds = await spanOf(client);
  const workerCpuSeconds = (await worker.cpuSeconds()) - before.worker;
  const serverCpuSeconds = (await stage.serverCpuSeconds()) - before.server;
  const workerRssMiB = await worker.peakRssMiB();
  const serverRssMiB = await stage.serverRssMiB();
  const figures = await historyFigures(client, { countActions });
  const vmsPerSecond = vms / seconds;
  const processor = { workerCpuSeconds, serverCpuSeconds };
  return { vms, seconds, vmsPerSecond, workerRssMiB, ...processor, serverRssMiB, ...figures };
}

/** Visibility lags a little behind. */
async function allClosed(client: Client): Promise<void> {
  for (;;) {
    const { count } = await client.workflow.count("ExecutionStatus = 'Running'");
    if (count === 0) return;
    await delay(LOOK_EVERY_MS);
  }
}

/** Seconds from the first start to the last end, by the server's clock. */
async function spanOf(client: Client): Promise<number> {
  let first = Infinity;
  let last = 0;
  for await (const { startTime, closeTime } of client.workflow.list()) {
    first = Math.min(first, startTime.getTime());
    last = Math.max(last, closeTime?.getTime() ?? 0);
  }
  return (last - first) / 1000;
}
