import { execFile } from 'node:child_process';
import { chmod, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { expect, it } from 'vitest';
import { inTemporaryFolder } from '../temporal/fakes.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Runs the check with an npm that gives this report. */
function auditWith(report: object, ...args: string[]): Promise<{ code: number; output: string }> {
  return inTemporaryFolder(async (folder) => {
    const npm = join(folder, 'npm');
    await writeFile(npm, `#!/bin/sh\necho '${JSON.stringify(report)}'\nexit 1\n`);
    await chmod(npm, 0o755);
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
    const script = ['--import', 'tsx', 'scripts/audit-dependencies.ts', ...args];
    return new Promise((resolve) => {
      execFile(process.execPath, script, { cwd: ROOT, env }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr }),
      );
    });
  });
}

const metadata = { dependencies: { prod: 120 } };

it.each([
  [
    'a high finding',
    {
      metadata,
      vulnerabilities: { a: { severity: 'high', range: '<2' }, b: { severity: 'low', range: '*' } },
    },
    [],
    1,
    'high: a <2\n',
  ],
  [
    'lesser ones',
    { metadata, vulnerabilities: { b: { severity: 'moderate', range: '*' } } },
    [],
    0,
    '120 production dependencies, 0 with',
  ],
  [
    'a registry that does not answer',
    { message: '405 Method Not Allowed' },
    [],
    0,
    'could not be audited: 405',
  ],
  [
    'that, where an answer is required',
    { message: '405 Method Not Allowed' },
    ['--required'],
    1,
    'could not be audited: 405',
  ],
])('the audit of dependencies tells of %s', async (_, report, args, code, words) => {
  const ended = await auditWith(report, ...args);
  expect(ended.output).toContain(words);
  expect(ended.code).toBe(code);
});
