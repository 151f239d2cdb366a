import { Worker } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { loadDeployment } from '../../src/temporal/deployment.ts';
import { workflowDirectory } from '../../src/temporal/workflow-directory.ts';
import { scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { TASK_QUEUE } from '../../src/workflows/messages.ts';
import { NEW_VERSION, testSetId } from '../support/fleet.ts';
import {
  QUICK,
  inBatch,
  passTimeUntil,
  rolloutWorld,
  startRollout,
  useRealServer,
  versionsOf,
  workflowBundle,
} from '../support/rollout.ts';

/* A real server: the time-skipping one knows no worker deployments. */
const env = useRealServer();

const NAME = 'rollouts';
const version = (buildId: string) => ({
  workerDeploymentOptions: loadDeployment({ WORKER_DEPLOYMENT_NAME: NAME, WORKER_BUILD_ID: buildId }),
});

/** What `temporal worker deployment set-current-version` does; the server hears of a version when its worker polls. */
async function makeCurrent(buildId: string): Promise<void> {
  const request = { namespace: 'default', deploymentName: NAME, buildId, identity: 'test' };
  const isCurrent = () =>
    env.client.workflowService.setWorkerDeploymentCurrentVersion(request).then(
      () => true,
      () => false,
    );
  await expect.poll(isCurrent, { timeout: 30_000 }).toBe(true);
}

/** The build of the worker that a workflow's last task was done by, and whether it stays there. */
async function versioningOf(workflowId: string) {
  const { raw } = await env.client.workflow.getHandle(workflowId).describe();
  const info = raw.workflowExecutionInfo?.versioningInfo;
  return { build: info?.deploymentVersion?.buildId, behavior: info?.behavior };
}

describe('a new version of the worker', () => {
  it('takes over the rollout in the middle; sets that were begun end on the version that began them', async () => {
    const sets = [
      { name: 'first', region: 'eastus', capacity: 5 },
      { name: 'second', region: 'eastus', capacity: 2 },
    ];
    const world = await rolloutWorld(env, sets, { speed: 300, workerOptions: version('1') });
    const next = await Worker.create({
      connection: env.nativeConnection,
      taskQueue: TASK_QUEUE,
      workflowBundle: await workflowBundle(),
      activities: createActivities({ ...world, workflows: workflowDirectory(env.client) }),
      ...version('2'),
    });
    const settings = { ...QUICK, maxConcurrentScaleSets: 1 };
    await world.worker.runUntil(async () => {
      await makeCurrent('1');
      const handle = await startRollout(world, { phases: [{ name: 'all', regions: ['eastus'] }], settings });
      const begun = async () => (await inBatch(world, 'first', 1)) || (await inBatch(world, 'second', 1));
      await passTimeUntil(world, begun, '50 ms');
      const [before, after] = (await inBatch(world, 'first', 1)) ? ['first', 'second'] : ['second', 'first'];
      await next.runUntil(async () => {
        await makeCurrent('2');
        expect((await handle.result()).status).toBe('Completed');
        const region = await versioningOf(`${handle.workflowId}/phase-1/eastus`);
        expect(region.build).toBe('2');
        expect((await versioningOf(handle.workflowId)).build).toBe('2');
        expect((await versioningOf(scaleSetRolloutId(testSetId(before ?? '')))).build).toBe('1');
        expect((await versioningOf(scaleSetRolloutId(testSetId(after ?? '')))).build).toBe('2');
      });
    });
    expect(await versionsOf(world, 'first')).toEqual({ [NEW_VERSION]: 5 });
    expect(await versionsOf(world, 'second')).toEqual({ [NEW_VERSION]: 2 });
  });
});
