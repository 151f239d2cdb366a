import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

/**
 * The last step of `npm run build`: one file with all workflow code, at the place where `loadWorkflowBundle` looks. A
 * worker starts a second or two sooner by it, and every worker of an image runs the very same code.
 */
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const target = path('../dist/workflow-bundle.js');

const quiet = () => undefined;
const { code } = await bundleWorkflowCode({
  // The sources, not their compiled form: stack traces in a history then name the lines that a person knows.
  workflowsPath: path('../src/workflows/index.ts'),
  logger: { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: console.warn, error: console.error },
});
await writeFile(target, code);
console.log(`dist/workflow-bundle.js: ${(code.length / 2 ** 20).toFixed(1)} MiB`);
