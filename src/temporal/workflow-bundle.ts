import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import { bundleWorkflowCode, type BundlerPlugin, type WorkerOptions } from '@temporalio/worker';

/** All workflow code as one file. */
export type WorkflowBundle = NonNullable<WorkerOptions['workflowBundle']>;

/** What else runs in the sandbox of a workflow. */
export interface BundleParts extends Pick<DataConverter, 'failureConverterPath'> {
  plugins?: BundlerPlugin[];
}

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const fileOf = (name: string) => fileURLToPath(new URL(`../workflows/${name}.${extension}`, import.meta.url));

/**
 * The bundle that `npm run build` made beside this file's compiled form, or one made now. Failures are written within the
 * workflow's sandbox, so there is one bundle for plain ones and one for encrypted ones; with plugins it is always made now,
 * which takes some seconds.
 */
export async function loadWorkflowBundle(parts: BundleParts = {}): Promise<WorkflowBundle> {
  const { failureConverterPath, plugins = [] } = parts;
  const name = failureConverterPath ? 'workflow-bundle-encrypted.js' : 'workflow-bundle.js';
  const built = fileURLToPath(new URL(`../${name}`, import.meta.url));
  return plugins.length === 0 && existsSync(built) ? { codePath: built } : bundleWorkflows(parts);
}

/** Makes the bundle from the files beside this one, without a bundler's chatter. */
export function bundleWorkflows({ failureConverterPath, plugins = [] }: BundleParts = {}): Promise<{
  code: string;
}> {
  const quiet = () => undefined;
  return bundleWorkflowCode({
    workflowsPath: fileOf('index'),
    workflowInterceptorModules: [fileOf('log-attributes')],
    ...(failureConverterPath ? { failureConverterPath } : {}),
    plugins,
    logger: {
      log: quiet,
      trace: quiet,
      debug: quiet,
      info: quiet,
      warn: console.warn,
      error: console.error,
    },
  });
}
