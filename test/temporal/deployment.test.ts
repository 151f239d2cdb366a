import { describe, expect, it } from 'vitest';
import { loadDeployment } from '../../src/temporal/deployment.ts';

describe("a worker's version", () => {
  it('is none unless it is set', () => {
    expect(loadDeployment({})).toBeUndefined();
    expect(loadDeployment({ WORKER_DEPLOYMENT_NAME: '', WORKER_BUILD_ID: '' })).toBeUndefined();
  });

  it('is of a deployment, whose workflows move on unless they say otherwise', () => {
    expect(loadDeployment({ WORKER_DEPLOYMENT_NAME: 'rollouts', WORKER_BUILD_ID: '0.2.0' })).toEqual({
      version: { deploymentName: 'rollouts', buildId: '0.2.0' },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    });
  });

  it('is not half of one', () => {
    expect(() => loadDeployment({ WORKER_BUILD_ID: '0.2.0' })).toThrow(
      'WORKER_BUILD_ID is set and WORKER_DEPLOYMENT_NAME is not',
    );
    expect(() => loadDeployment({ WORKER_DEPLOYMENT_NAME: 'rollouts' })).toThrow('WORKER_BUILD_ID is not');
  });
});
