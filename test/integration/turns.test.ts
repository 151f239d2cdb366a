import type { WorkflowHandle } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { expect, it } from 'vitest';
import type { Activities } from '../../src/activities/index.ts';
import type { BatchAction } from '../../src/domain/attempt-kinds.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { turnOf } from '../../src/workflows/dispatch.ts';
import { TASK_QUEUE, type BatchUpgradeInput } from '../../src/workflows/messages.ts';
import { TARGET, testSetId } from '../support/fleet.ts';
import { useRealServer, workflowBundle } from '../support/rollout.ts';
import { waitingTasks } from '../support/task-queues.ts';

/*
 * Who is next where more waits than workers can take. The batches are the real workflows; what they call does nothing, so that
 * nothing but the server decides on the order.
 */

const env = useRealServer({
  extraArgs: [
    // A queue has four parts by default, each with an order of its own.
    'matching.numTaskqueueReadPartitions=1',
    'matching.numTaskqueueWritePartitions=1',
    // Otherwise the server counts once in five seconds how many tasks wait.
    'matching.taskQueueInfoByBuildIdTTL="100ms"',
  ].flatMap((setting) => ['--dynamic-config-value', setting]),
});

const MANY = 12;

/** Batches, each of one VM and so of one step that waits, in the order in which they begin. */
const BATCHES: { region: string; action: BatchAction }[] = [
  ...Array.from({ length: MANY }, () => ({ region: 'eastus', action: 'swap' as const })),
  { region: 'westus', action: 'swap' },
  { region: 'westus', action: 'swap' },
  { region: 'eastus', action: 'restore' },
  { region: 'eastus', action: 'restore' },
];

function batchOf({ region, action }: (typeof BATCHES)[number], index: number): BatchUpgradeInput {
  return {
    v: 1,
    rolloutId: 'rollout/test',
    scaleSetId: testSetId(`${region}-${index}`),
    region,
    clock: { epochVirtual: 0, epochWall: 0, speed: 1 },
    target: TARGET,
    attempt: { id: `attempt-${index}`, fence: 1, number: 1 },
    batch: 1,
    zone: null,
    updateDomain: null,
    action,
    instanceIds: ['0'],
    restoresOnFailure: true,
    settings: DEFAULT_SETTINGS,
  };
}

const done = async () => ({ pendingUntil: null, incomplete: false });
const healthy = async () => ({ healthy: 1, nextLookAt: null, waiting: 0, toRestore: [], left: 0 });

const untilWaiting = (count: number) =>
  expect.poll(() => waitingTasks(env.client, TASK_QUEUE), { timeout: 60_000, interval: 200 }).toBe(count);

/** The steps in the order in which a worker that does one at a time was given them: `swapOsDisks eastus`. */
async function orderOf(batches: typeof BATCHES): Promise<string[]> {
  const order: string[] = [];
  const noted = (name: string) => async (input: { scaleSetId: string }) => {
    order.push(`${name} ${input.scaleSetId.split('/').at(-1)?.split('-')[0]}`);
    return done();
  };
  const activities: Partial<Activities> = {
    swapOsDisks: noted('swapOsDisks'),
    restoreOsDisks: noted('restoreOsDisks'),
    configureInstances: done,
    checkHealth: healthy,
  };
  const connection = env.nativeConnection;
  const shared = { connection, taskQueue: TASK_QUEUE, activities };
  // It leaves all steps to the other, which comes when all of them wait.
  const planner = await Worker.create({
    ...shared,
    workflowBundle: await workflowBundle(),
    enableNonLocalActivities: false,
  });
  await planner.runUntil(async () => {
    const handles: WorkflowHandle[] = [];
    for (const [index, batch] of batches.entries()) {
      // What comes last has to overtake: it must not be there first by chance.
      if (index === MANY) await untilWaiting(MANY);
      handles.push(
        await env.client.workflow.start('batchUpgrade', {
          workflowId: `batch-${index}`,
          taskQueue: TASK_QUEUE,
          priority: turnOf(batch.region),
          args: [batchOf(batch, index)],
        }),
      );
    }
    await untilWaiting(batches.length);
    const only = await Worker.create({
      ...shared,
      maxConcurrentActivityTaskExecutions: 1,
      maxConcurrentActivityTaskPolls: 1,
    });
    await only.runUntil(() => Promise.all(handles.map((handle) => handle.result())));
  });
  return order;
}

it('with one slot and a backlog restores come first, and a small region is not starved by a large one', async () => {
  const order = await orderOf(BATCHES);
  expect(order).toHaveLength(BATCHES.length);
  // The first one may have been on its way to the worker before anything else could be compared with it.
  expect(order.slice(0, 3).filter((step) => step === 'restoreOsDisks eastus')).toHaveLength(2);
  const small = order.flatMap((step, i) => (step === 'swapOsDisks westus' ? [i] : []));
  expect(small).toHaveLength(2);
  expect(Math.max(...small), order.join('\n')).toBeLessThan(MANY / 2);
});
