import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflows } from '../src/temporal/workflow-bundle.ts';

/**
 * The last step of `npm run build`: all workflow code in one file, at the place where `loadWorkflowBundle` looks; once more for
 * workers that encrypt. A worker starts a second or two sooner by it, and every worker of an image runs the very same code.
 * Made from the sources, not from their compiled form: stack traces in a history then name the lines that a person knows.
 */
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

async function bundle(name: string, options: { failureConverterPath?: string } = {}): Promise<void> {
  const { code } = await bundleWorkflows(options);
  await writeFile(path(`../dist/${name}`), code);
  console.log(`dist/${name}: ${(code.length / 2 ** 20).toFixed(1)} MiB`);
}

await bundle('workflow-bundle.js');
await bundle('workflow-bundle-encrypted.js', {
  failureConverterPath: path('../src/temporal/codec/failure-converter.ts'),
});
