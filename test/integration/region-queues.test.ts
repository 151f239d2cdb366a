import type { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { expect, it } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { rolloutStatus } from '../../src/client/index.ts';
import { createWorkerGroup, type WorkerGroup } from '../../src/temporal/worker-group.ts';
import { workerSettings } from '../../src/temporal/worker-settings.ts';
import { workflowDirectory } from '../../src/temporal/workflow-directory.ts';
import { regionTaskQueue } from '../../src/workflows/messages.ts';
import { NEW_VERSION } from '../support/fleet.ts';
import {
  inBatch,
  passTimeUntil,
  QUICK,
  rolloutWorld,
  startRollout,
  useRealServer,
  versionsOf,
  workflowBundle,
  type RolloutWorld,
} from '../support/rollout.ts';
import { NAMESPACE } from '../support/temporal.ts';

const env = useRealServer();

const SETS = [
  { name: 'web', region: 'eastus', capacity: 3 },
  { name: 'api', region: 'swedencentral', capacity: 3 },
];
const PHASES = [{ name: 'all', regions: ['eastus', 'swedencentral'] }];

/** The workers of a process, as `WORKER_*` in its environment says. */
async function workersWith(
  { fleet, ledger }: RolloutWorld,
  connection: NativeConnection,
  variables: Record<string, string>,
) {
  return createWorkerGroup({
    connection,
    namespace: NAMESPACE,
    workflowBundle: await workflowBundle(),
    activities: createActivities({ fleet, ledger, workflows: workflowDirectory(env.client) }),
    settings: workerSettings(variables),
    fleet,
  });
}

/** What `rollouts status` goes by. */
const contextOf = ({ fleet, ledger }: RolloutWorld) => ({
  fleet,
  ledger,
  temporal: async () => ({ client: env.client, connection: env.client.connection as never }),
});

/** The queue and the turn of every step, and the turn of every workflow below a region: `swapOsDisks <queue> <turn>`. */
async function dispatched(client: Client): Promise<string[]> {
  const found: string[] = [];
  for await (const { workflowId, runId, type } of client.workflow.list()) {
    const handle = client.workflow.getHandle(workflowId, runId);
    const { raw } = await handle.describe();
    found.push(`${type} ${raw.workflowExecutionInfo?.priority?.fairnessKey ?? ''}`);
    const { events } = await handle.fetchHistory();
    for (const { activityTaskScheduledEventAttributes: step } of events ?? []) {
      if (step)
        found.push(`${step.activityType?.name} ${step.taskQueue?.name} ${step.priority?.fairnessKey}`);
    }
  }
  return [...new Set(found)].toSorted();
}

it('a region that no worker serves is told of, waits, and goes on once there is one', async () => {
  const world = await rolloutWorld(env, SETS, { speed: 900 });
  const groups: WorkerGroup[] = [];
  const ends: Promise<void>[] = [];
  const serve = async (variables: Record<string, string>) => {
    // As every process has: two workers of one connection may not share a queue.
    const { address } = (env.client.connection as Connection).options;
    const connection = await NativeConnection.connect({ address });
    const group = await workersWith(world, connection, variables);
    groups.push(group);
    ends.push(group.run().then(() => connection.close()));
  };
  await serve({ WORKER_REGIONS: 'East US' });
  const settings = { ...QUICK, activityQueues: 'region' as const };
  const handle = await startRollout(world, { phases: PHASES, settings });
  await passTimeUntil(world, () => inBatch(world, 'api', 1), '50 ms');
  await passTimeUntil(world, async () => (await versionsOf(world, 'web'))[NEW_VERSION] === 3, '50 ms');

  const report = await rolloutStatus(contextOf(world), handle.workflowId);
  const wait = { where: 'swedencentral', kind: 'worker', until: null };
  expect(report.waitsFor).toContainEqual(expect.objectContaining(wait));
  expect(report.advice).toEqual([
    'No worker serves swedencentral, so its VMs wait: start one by `WORKER_REGIONS=swedencentral npm run worker`.',
  ]);
  expect(await versionsOf(world, 'api')).not.toHaveProperty(NEW_VERSION);

  await serve({ WORKER_REGIONS: '*', WORKER_WORKFLOWS: 'false' });
  expect(await handle.result()).toMatchObject({ status: 'Completed' });
  expect(await versionsOf(world, 'api')).toEqual({ [NEW_VERSION]: 3 });
  expect(groups.map((group) => group.getState())).toEqual(['RUNNING', 'RUNNING']);
  for (const group of groups) group.shutdown();
  await Promise.all(ends);

  const steps = ['configureInstances', 'swapOsDisks'];
  const workflows = ['batchUpgrade', 'regionRollout', 'scaleSetRollout'];
  expect(await dispatched(env.client)).toEqual(
    [
      'imageRollout ',
      'phaseRollout ',
      ...['eastus', 'swedencentral'].flatMap((region) => [
        ...workflows.map((type) => `${type} ${region}`),
        ...steps.map((step) => `${step} ${regionTaskQueue(region)} ${region}`),
      ]),
    ].toSorted(),
  );
});
