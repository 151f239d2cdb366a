import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EPOCH, testSetId } from '../support/fleet.ts';
import { recordAttempt } from './recorded.ts';
import { rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

const id = testSetId('web');
let space: Workspace;
let rollouts: TestRollouts;

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space, [
    { name: 'web', region: 'eastus', capacity: 3 },
    {
      name: 'worker',
      region: 'eastus',
      capacity: 5,
      serviceFabric: { cluster: 'orders', nodeType: 'be', durability: 'Silver' },
    },
  ]);
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });

describe('fleet protect, stop and start', () => {
  it('protects instances, and takes that back', async () => {
    const read = async () =>
      (await rollouts.fleet.instances(id, EPOCH)).map((one) => one.protectFromScaleSetActions);
    expect((await command('fleet', 'protect', 'web', '0', '2')).stdout).toBe(
      '2 VMs of web are protected: 0, 2.\n',
    );
    expect(await read()).toEqual([true, false, true]);
    await command('fleet', 'protect', 'web', '2', '--off');
    expect(await read()).toEqual([true, false, false]);
  });

  it('stops instances, and starts them', async () => {
    const read = async () => (await rollouts.fleet.instances(id, EPOCH)).map((one) => one.powerState);
    await command('fleet', 'stop', 'web', '1');
    expect(await read()).toEqual(['running', 'stopped', 'running']);
    await command('fleet', 'start', 'web', '1');
    expect(await read()).toEqual(['running', 'running', 'running']);
  });

  it('names the instances that are not there, and does nothing', async () => {
    const { code, stderr } = await command('fleet', 'protect', 'web', '0', '7');
    expect(code).toBe(64);
    expect(stderr).toContain('has no instance 7');
    const [first] = await rollouts.fleet.instances(id, EPOCH);
    expect(first?.protectFromScaleSetActions).toBe(false);
  });
});

describe('fleet node-type (C5)', () => {
  it('changes the durability of a node type, which its scale set is judged by', async () => {
    const nodeType = ['fleet', 'node-type', 'ORDERS', 'be', '--durability'];
    expect((await command(...nodeType, 'Gold')).stdout).toBe(
      'Node type be has durability Gold now; it was Silver.\n',
    );
    const { stdout } = await command('plan', 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts');
    expect(stdout).toContain(
      'Node type be of cluster orders has durability Gold, and the extension says Silver',
    );
    expect((await command(...nodeType, 'Gold')).stdout).toContain('has durability Gold already');
    expect(JSON.parse((await command(...nodeType, 'Silver', '-o', 'json')).stdout)).toMatchObject({
      nodeType: 'be',
      was: 'Gold',
      durabilityLevel: 'Silver',
    });
  });

  it('keeps a person from upgrading a set whose extension says another, as it keeps rollouts (D8)', async () => {
    await command('fleet', 'node-type', 'orders', 'be', '--durability', 'Gold');
    const { code, stderr } = await command('start', '--scale-set', 'worker');
    expect(code).toBe(1);
    expect(stderr).toContain('the extension says Silver: an upgrade would fail. Make the node type');
    expect(await rollouts.ledger.rollouts.list()).toEqual([]);
    await command('fleet', 'node-type', 'orders', 'be', '--durability', 'Silver');
    expect((await command('start', '--scale-set', 'worker')).code).toBe(0);
  });

  it.each([
    [['mail', 'be', '--durability', 'Gold'], 'no Service Fabric cluster mail. It has: orders.'],
    [['orders', 'fe', '--durability', 'Gold'], 'Cluster orders has no node type fe. It has: be.'],
    [['orders', 'be', '--durability', 'Iron'], 'Bronze, Silver, Gold'],
    [['orders', 'be'], "required option '--durability <level>' not specified"],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await command('fleet', 'node-type', ...args);
    expect(code).toBe(64);
    expect(stderr).toContain(message);
  });
});

describe('an instance in quarantine', () => {
  it('is shown with since when and why, and counts as unhealthy', async () => {
    const at = EPOCH + 60_000;
    await recordAttempt(rollouts, id, { outcomes: { '1': 'restoreFailed' }, error: 'disk lost', at });
    const { stdout } = await command('fleet', 'show', '--instances');
    expect(stdout).toMatch(/ 1 +\S+ +unhealthy .*\n +quarantined since 2026-01-05 10:01:00: disk lost\n/);
    expect(stdout).toMatch(/^ +SCALE SET .* VMS +HEALTHY +QUARANTINED .*\n +web .* 3 +2 +1 /m);
    const { scaleSets } = JSON.parse((await command('fleet', 'show', '-o', 'json')).stdout) as {
      scaleSets: { healthy: number }[];
    };
    expect(scaleSets[0]?.healthy).toBe(2);
    const status = (await command('status')).stdout;
    expect(status).toContain('web/1 quarantined since 2026-01-05 10:01:00, disk lost');
  });
});
