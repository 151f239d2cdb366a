import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

/** The figures are the machine's; what holds on every machine is what a rollout costs Temporal. */
it('npm run bench ends with one line of figures, within the budgets of events', async () => {
  const small = ['--vms', '200', '--growth', '100', '--turns', '1', '--output', 'json'];
  const args = ['--silent', 'run', 'bench', '--', ...small];
  const { stdout } = await run('npm', args);
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  const figures = JSON.parse(lines[0] ?? '') as Record<string, number>;
  for (const name of ['vmsPerSecond', 'emptyTreeRatio', 'naiveRatio', 'historyBytesPerVm', 'workerRssMiB'])
    expect(figures[name], name).toBeGreaterThan(0);
  expect(figures['eventsPerVm']).toBeLessThan(2.5);
  expect(figures['eventsPerVmZonal']).toBeLessThan(5.5);
  expect(figures['actionsPerVm']).toBeLessThan(1);
  expect(figures['largestHistory']).toBeLessThan(10_000);
  expect(figures['criticalPathOverhead']).toBeLessThan(0.05);
});

it('refuses numbers that make no sense', async () => {
  const wrong = run('npm', ['--silent', 'run', 'bench', '--', '--vms', 'many']);
  await expect(wrong).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('whole number of VMs'),
  });
});
