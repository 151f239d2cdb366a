import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rolloutsOn, workspace, type Ran } from './support.ts';

/** The command as a process of its own, as people run it. Each costs a second: what can be tested within, is. */
const root = join(import.meta.dirname, '../..');
const space = workspace();

beforeAll(async () => (await rolloutsOn(space)).close());
afterAll(() => space.remove());

function spawnCommand(args: readonly string[]): Promise<Ran> {
  const main = join(root, 'src/client/cli/main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], {
    cwd: root,
    env: { ...process.env, DATABASE_URL: space.databaseUrl, TEMPORAL_ADDRESS: '127.0.0.1:1' },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

describe('the process', () => {
  it('answers on standard output and ends with 0', async () => {
    const { code, stdout, stderr } = await spawnCommand(['fleet', 'show', '--output', 'json']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toHaveProperty('scaleSets');
  });

  it('complains on standard error and ends with 64', async () => {
    const { code, stdout, stderr } = await spawnCommand(['plan', 'jammy']);
    expect(code).toBe(64);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error: "jammy" is no image/);
  });
});
