import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rolloutSettings } from '../../src/client/settings.ts';
import { regionTaskQueue } from '../../src/workflows/messages.ts';
import { imageRolloutId } from '../../src/workflows/ids.ts';
import { EPOCH, TARGET } from '../support/fleet.ts';
import { IMAGE, rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

let space: Workspace;
let rollouts: TestRollouts;

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space);
  rollouts.temporalServer.polled.set(regionTaskQueue('eastus'), Date.now());
  rollouts.temporalServer.polled.set(regionTaskQueue('westus'), Date.now() - 10 * 60_000);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rollouts.close();
  await space.remove();
});

const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });

describe('regions with task queues of their own', () => {
  it('are asked for by an option, which is recorded, or by the environment for all that is started', async () => {
    await command('start', IMAGE, '--activity-queues', 'region');
    expect((await rollouts.ledger.rollouts.list())[0]?.settings.activityQueues).toBe('region');
    expect(rolloutSettings({}, { ACTIVITY_QUEUES: 'region' }).activityQueues).toBe('region');
    expect(rolloutSettings({ activityQueues: 'shared' }, { ACTIVITY_QUEUES: 'region' })).toMatchObject({
      activityQueues: 'shared',
    });
  });

  it('are refused under another name', async () => {
    const { code, stderr } = await command('start', IMAGE, '--activity-queues', 'zone');
    expect(code).toBe(64);
    expect(stderr).toContain('Allowed choices are shared, region');
    vi.stubEnv('ACTIVITY_QUEUES', 'zone');
    const refused = await command('plan', IMAGE);
    expect(refused).toMatchObject({ code: 64 });
    expect(refused.stderr).toContain('ACTIVITY_QUEUES is "zone": give shared or region, or leave it out.');
  });

  it('warn whoever starts something where no worker serves', async () => {
    const { stdout } = await command('start', IMAGE, '--activity-queues', 'region', '--output', 'json');
    const of = (region: string) =>
      `No worker serves ${region}, so its VMs will wait: start one by \`WORKER_REGIONS=${region} npm run worker\`.`;
    const { warnings } = JSON.parse(stdout) as { warnings: string[] };
    expect(warnings).toEqual(expect.arrayContaining([of('swedencentral'), of('westus')]));
    expect(warnings).not.toContain(of('eastus'));
  });

  it('are not asked about where all share one', async () => {
    const { stdout } = await command('start', IMAGE, '--output', 'json');
    expect(stdout).not.toContain('No worker serves');
  });

  it('show in status and watch that they wait for a worker', async () => {
    await command('start', IMAGE, '--activity-queues', 'region');
    const rolloutId = imageRolloutId(TARGET, 1);
    const regions = ['eastus', 'westus'];
    await rollouts.ledger.phases.open({ rolloutId, phase: 1, round: 1, at: EPOCH, target: TARGET, regions });
    const status = await command('status');
    expect(status.stdout).toMatch(/^ {2}swedencentral +a worker: none serves this region +open$/m);
    expect(status.stdout).toContain('! No worker serves swedencentral, so its VMs wait');
    const watched = await command('watch', '--timeout', '300ms');
    expect(watched.stdout).toContain('swedencentral waits for a worker: none serves this region');
  });
});
