import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { msToTs } from '@temporalio/common/lib/time.js';
import { describe, expect, it } from 'vitest';
import { devServerEnvironment } from '../support/temporal.ts';

/** Whoever runs the tests may have a server configured. */
const { TEMPORAL_ADDRESS: _address, TEMPORAL_PROFILE: _profile, ...inherited } = process.env;
const unconfigured = { ...inherited, TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' };

describe('npm run temporal', () => {
  const main = fileURLToPath(new URL('../../src/temporal/main.ts', import.meta.url));
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', main, ...args], {
      env: { ...process.env, ...env },
    });

  it('exits 64 on an option that it does not know', async () => {
    await expect(run(['--bogus'])).rejects.toMatchObject({
      code: 64,
      stderr: expect.stringContaining("unknown option '--bogus'") as string,
    });
  });

  it('checks and prepares a configured server instead of starting one', async () => {
    const environment = await devServerEnvironment();
    try {
      const namespace = 'rollouts';
      await environment.connection.workflowService.registerNamespace({
        namespace,
        workflowExecutionRetentionPeriod: msToTs('1 day'),
      });
      const { stdout } = await run([], {
        TEMPORAL_ADDRESS: environment.address,
        TEMPORAL_NAMESPACE: namespace,
      });
      expect(stdout).toContain('knows all 6 search attributes');
      const { customAttributes } = await environment.connection.operatorService.listSearchAttributes({
        namespace,
      });
      expect(customAttributes).toMatchObject({ RolloutPhase: 3, RolloutImage: 2 });
    } finally {
      await environment.stop();
    }
  });

  it('serves in the foreground until it is asked to end, and takes the server with it', async () => {
    const args = ['--import', 'tsx', main, '--in-memory', '--port', '0', '--ui-port', '0'];
    const embedded = spawn(process.execPath, args, {
      env: unconfigured,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    for await (const chunk of embedded.stdout) {
      printed += String(chunk);
      if (printed.includes('Ctrl-C stops')) embedded.kill('SIGTERM');
    }
    if (embedded.exitCode === null) await once(embedded, 'exit');
    expect(embedded.exitCode).toBe(0);
    expect(printed).toMatch(/TEMPORAL_ADDRESS=127\.0\.0\.1:\d+ npm run worker/);
    const pid = Number(/process (\d+)/.exec(printed)?.[1]);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
