import { workflowInfo } from '@temporalio/workflow';
import type { WorkflowDefinitionOptions } from '@temporalio/common';

/**
 * For workflows that end on the worker version that began them, where workers have versions: they take hours at most, and need no patches
 * then. The server refuses every task of a worker without a version that says so.
 */
export function pinned(): WorkflowDefinitionOptions {
  const isVersioned = Boolean(workflowInfo().currentDeploymentVersion?.deploymentName);
  return isVersioned ? { versioningBehavior: 'PINNED' } : {};
}
