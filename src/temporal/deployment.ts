import type { WorkerDeploymentOptions } from '@temporalio/worker';

/**
 * The worker deployment version that a worker is of, from `WORKER_DEPLOYMENT_NAME` and `WORKER_BUILD_ID`; undefined where neither is set:
 * workers of two versions share all work then. Workflows say themselves how they move between versions; this release's all do.
 * @throws Error when only one of the two is set
 */
export function loadDeployment(env: NodeJS.ProcessEnv = process.env): WorkerDeploymentOptions | undefined {
  const deploymentName = env['WORKER_DEPLOYMENT_NAME'] ?? '';
  const buildId = env['WORKER_BUILD_ID'] ?? '';
  if (deploymentName === '' && buildId === '') return undefined;
  if (deploymentName === '' || buildId === '') {
    const [set, missing] =
      buildId === ''
        ? ['WORKER_DEPLOYMENT_NAME', 'WORKER_BUILD_ID']
        : ['WORKER_BUILD_ID', 'WORKER_DEPLOYMENT_NAME'];
    throw new Error(`${set} is set and ${missing} is not: a worker's version needs both, or neither.`);
  }
  return {
    version: { deploymentName, buildId },
    useWorkerVersioning: true,
    defaultVersioningBehavior: 'AUTO_UPGRADE',
  };
}
