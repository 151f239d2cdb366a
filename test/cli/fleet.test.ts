import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EPOCH, OLD_VERSION, request, TARGET, testSetId, type TestSet } from '../support/fleet.ts';
import { recordAttempt } from './recorded.ts';
import { IMAGE, rolloutsOn, run, workspace, type Workspace } from './support.ts';

let space: Workspace;

beforeEach(() => {
  space = workspace();
});
afterEach(() => space.remove());

interface Shown {
  scaleSets: { id: string; region: string; zones: string[]; instances?: Record<string, unknown>[] }[];
}

const show = async (...options: string[]) =>
  JSON.parse((await run(['fleet', 'show', '-o', 'json', ...options], space)).stdout) as Shown;

describe('fleet show', () => {
  it('has scale sets with their instances as JSON', async () => {
    await (await rolloutsOn(space)).close();
    const { scaleSets } = await show('--instances');
    const web = scaleSets.find(({ id }) => id === testSetId('web'));
    expect(web).toMatchObject({
      name: 'web',
      region: 'eastus',
      zones: ['1', '2', '3'],
      capacity: 9,
      healthy: 9,
      image: IMAGE,
      imageVersion: 'latest',
      versions: { [OLD_VERSION]: 9 },
      orchestrationMode: 'Uniform',
    });
    expect(web?.instances).toHaveLength(9);
    expect(web?.instances?.[0]).toEqual({
      id: '0',
      instanceId: '0',
      version: OLD_VERSION,
      health: 'healthy',
      zone: '1',
      updateDomain: 0,
      faultDomain: expect.any(Number) as number,
      powerState: 'running',
      provisioningState: 'Succeeded',
      applicationHealth: 'healthy',
      latestModelApplied: true,
      protectFromScaleSetActions: false,
      quarantined: null,
      vmId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      computerName: 'web000000',
      privateIpAddress: expect.stringMatching(/^10\./),
      osDisk: {
        id: expect.stringContaining('web_0_OsDisk_1_'),
        version: OLD_VERSION,
        createdAt: expect.stringMatching(/^2025-12-06T/),
      },
      previousOsDisk: null,
      dataDisks: [],
      extensions: [],
    });
  });

  it('tells of a VM in the middle of an upgrade what is kept, what failed, and what did not run', async () => {
    const extensions = [{ name: 'setup' }, { name: 'agent', provisionAfterExtensions: ['setup'] }];
    const set: TestSet = {
      name: 'web',
      region: 'eastus',
      capacity: 2,
      os: 'Windows',
      dataDisks: [64],
      extensions,
    };
    const rollouts = await rolloutsOn(space, [set], {
      behaviour: 'instant',
      faults: [{ kind: 'extensionFails', extension: 'setup', instances: ['1'] }],
    });
    for (const operation of ['osDisk.swap', 'model.apply', 'extension.run'] as const) {
      await rollouts.fleet.operate(request(testSetId('web'), ['1'], operation, EPOCH));
    }
    await rollouts.close();
    const { scaleSets } = await show('--instances');
    expect(scaleSets[0]?.instances?.[1]).toMatchObject({
      previousOsDisk: { version: OLD_VERSION },
      dataDisks: [{ lun: 0, sizeGB: 64, driveLetter: expect.stringMatching(/^[E-Z]$/) }],
      extensions: [
        { name: 'setup', state: 'failed', error: { code: 'ExtensionFailed' } },
        { name: 'agent', state: 'notRun' },
      ],
    });
    const { stdout } = await run(['fleet', 'show', '--instances'], space);
    expect(stdout).toContain(`      its previous OS disk is kept: ${OLD_VERSION}\n`);
    expect(stdout).toContain(
      '      extension setup failed: ExtensionFailed: Extension "setup" ended with exit code 1.\n',
    );
    expect(stdout).toContain('      extension agent was not run\n');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  it('shows a part, without instances unless asked for', async () => {
    await (await rolloutsOn(space)).close();
    const there = await show('--region', 'Sweden Central');
    expect(there.scaleSets.map(({ id }) => id)).toEqual([testSetId('legacy'), testSetId('queue')]);
    expect(there.scaleSets[0]).not.toHaveProperty('instances');
    expect((await show('--scale-set', 'WEB')).scaleSets).toHaveLength(1);
  });

  it('has aligned columns as text', async () => {
    await (await rolloutsOn(space)).close();
    const { stdout } = await run(['fleet', 'show', '--region', 'eastus', '--instances'], space);
    expect(stdout).toContain(
      'REGION  PAIR    ZONES  SCALE SETS  VMS  HEALTHY\neastus  westus  1,2,3           1    9        9',
    );
    expect(stdout).toContain(`VM  VERSION          HEALTH   ZONE  UPDATE DOMAIN`);
  });
});

describe('fleet seed', () => {
  it('makes the same fleet of the same numbers and seed', async () => {
    const numbers = [
      '--regions',
      '3',
      '--scale-sets',
      '6',
      '--instances',
      '60',
      '--seed',
      '7',
      '--speed',
      '60',
    ];
    const seeded = await run(['fleet', 'seed', ...numbers, '-o', 'json'], space);
    expect(JSON.parse(seeded.stdout)).toMatchObject({ regions: 3, scaleSets: 6, instances: 60 });
    const first = await show();
    await run(['fleet', 'seed', ...numbers, '--force'], space);
    expect((await show()).scaleSets).toEqual(first.scaleSets);
  });

  it('replaces a fleet only when told to, and never turns time back', async () => {
    await (await rolloutsOn(space)).close();
    const refused = await run(['fleet', 'seed', '--scale-sets', '2', '--instances', '4'], space);
    expect(refused.code).toBe(64);
    const ahead = ['--speed', '100000'];
    await run(['fleet', 'seed', '--force', ...ahead], space);
    const before = await show();
    const seeded = await run(
      ['fleet', 'seed', '--force', '--scale-sets', '2', '--instances', '4', '-o', 'json'],
      space,
    );
    expect(seeded.code).toBe(0);
    const { epochVirtual } = JSON.parse(seeded.stdout) as { epochVirtual: number };
    expect(epochVirtual).toBeGreaterThan(Date.parse((before as unknown as { now: string }).now));
    expect((await show()).scaleSets).toHaveLength(2);
  });

  it('holds nothing against the VMs of a new fleet that was held against those of the old one', async () => {
    const rollouts = await rolloutsOn(space);
    const { ledger } = rollouts;
    const scaleSetId = testSetId('web');
    await recordAttempt(rollouts, scaleSetId, { outcomes: { '1': 'restoreFailed' } });
    await ledger.heldVersions.hold({ scaleSetId, version: TARGET, who: 'ann', why: 'bad', since: EPOCH });
    expect((await run(['fleet', 'seed', '--force'], space)).code).toBe(0);
    expect(await ledger.quarantine.list()).toEqual([]);
    expect(await ledger.heldVersions.list({ scaleSetId })).toEqual([]);
    await rollouts.close();
  });

  it('does not replace a fleet under a rollout', async () => {
    const rollouts = await rolloutsOn(space);
    await rollouts.ledger.rollouts.create({
      id: 'rollout/x/1.0/1',
      kind: 'platform',
      target: { image: { kind: 'platform', publisher: 'a', offer: 'b', sku: 'c' }, version: '1.0' },
      generation: 1,
      phases: [],
      settings: {} as never,
      startedBy: 'me',
      startedAt: EPOCH,
    });
    await rollouts.close();
    const { code, stderr } = await run(['fleet', 'seed', '--force'], space);
    expect(code).toBe(1);
    expect(stderr).toContain('rollout/x/1.0/1 is Running on it');
  });
});

describe('fleet import', () => {
  it('takes over what the az CLI lists', async () => {
    const id = testSetId('imported');
    const sets = await space.write('sets.json', [
      {
        id,
        name: 'imported',
        location: 'westeurope',
        sku: { name: 'Standard_D2s_v5', capacity: 1 },
        orchestrationMode: 'Uniform',
        upgradePolicy: { mode: 'Manual', automaticOSUpgradePolicy: { enableAutomaticOSUpgrade: true } },
        virtualMachineProfile: {
          storageProfile: {
            imageReference: {
              publisher: 'Canonical',
              offer: '0001-com-ubuntu-server-jammy',
              sku: '22_04-lts',
              version: 'latest',
            },
          },
        },
      },
    ]);
    const instances = await space.write('instances.json', [
      {
        id: `${id}/virtualMachines/0`,
        instanceId: '0',
        provisioningState: 'Succeeded',
        storageProfile: { imageReference: { exactVersion: OLD_VERSION } },
      },
    ]);
    const { code, stdout, stderr } = await run(
      ['fleet', 'import', '--scale-sets', sets, '--instances', instances],
      space,
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toContain('Imported 1 scale set with 1 VM.');
    expect((await show('--instances')).scaleSets).toHaveLength(1);
    // Its image gets into the catalog with its first version.
    expect(await run(['publish', IMAGE, '22.04.202512050'], space)).toMatchObject({ code: 0 });
    expect(await run(['plan', IMAGE], space)).toMatchObject({ code: 0 });
  });

  it('names what is wrong in the files', async () => {
    const sets = await space.write('sets.json', [{ name: 'x' }]);
    const none = await space.write('none.json', []);
    const { code, stderr } = await run(['fleet', 'import', '--scale-sets', sets, '--instances', none], space);
    expect(code).toBe(64);
    expect(stderr).toContain('scaleSets.0.');
  });
});

describe('publish', () => {
  it('publishes a version once', async () => {
    await (await rolloutsOn(space)).close();
    const args = ['publish', IMAGE.toUpperCase(), '22.04.202601010', '-o', 'json'];
    expect(JSON.parse((await run(args, space)).stdout)).toMatchObject({
      kind: 'published',
      image: IMAGE,
      version: '22.04.202601010',
      regions: null,
    });
    expect(JSON.parse((await run(args, space)).stdout)).toMatchObject({ kind: 'existed' });
  });

  it('replicates a gallery version to the regions named', async () => {
    await (await rolloutsOn(space)).close();
    const gallery = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/one/images/web';
    const nowhere = await run(['publish', gallery, '1.0.1'], space);
    expect(nowhere).toMatchObject({ code: 64, stderr: expect.stringContaining('say by --region') as string });
    const there = await run(['publish', gallery, '1.0.1', '--region', 'eastus', '-o', 'json'], space);
    expect(JSON.parse(there.stdout)).toMatchObject({ kind: 'published', regions: ['eastus'] });
  });
});
