import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleWorkflows } from '../../support/temporal.ts';
import { BUILD_FOLDER, SURVIVAL_FOLDER } from './folders.ts';
import { printReport } from './report.ts';

const run = promisify(execFile);

const root = join(import.meta.dirname, '../../..');

/**
 * Runs once before all files: compiles the worker as `npm run build` does, so that one is up in a second, in a place of its own.
 * What it returns runs after them: prints what was survived.
 */
export default async function setup(): Promise<() => Promise<void>> {
  await rm(SURVIVAL_FOLDER, { recursive: true, force: true });
  await mkdir(BUILD_FOLDER, { recursive: true });
  await run(process.execPath, [
    join(root, 'node_modules/typescript/bin/tsc'),
    ...['-p', join(root, 'tsconfig.build.json'), '--outDir', BUILD_FOLDER],
  ]);
  const { code } = await bundleWorkflows(join(root, 'src/workflows/index.ts'));
  await writeFile(join(BUILD_FOLDER, 'workflow-bundle.js'), code);
  return printReport;
}
