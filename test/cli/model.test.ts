import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assign, parseAssignment } from '../../src/client/model/assignments.ts';
import { redactModel, type Json } from '../../src/fleet/index.ts';
import { manualRolloutId, scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { EPOCH, OLD_VERSION, testSetId, type TestSet } from '../support/fleet.ts';
import { recordAttempt } from './recorded.ts';
import { rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

const id = testSetId('web');
const setup = {
  name: 'setup',
  settings: { fileUris: ['https://store.example/setup.sh?sig=SECRET1'] },
};
const SKUS = ['22_04-lts', '22_04-lts-gen2'].map((sku) => ({
  publisher: 'Canonical',
  offer: '0001-com-ubuntu-server-jammy',
  sku,
  versions: [{ version: OLD_VERSION }],
}));

let space: Workspace;
let rollouts: TestRollouts;

async function fleetWith(set: Partial<TestSet> = {}): Promise<void> {
  rollouts = await rolloutsOn(
    space,
    [{ name: 'web', region: 'eastus', capacity: 5, extensions: [setup], ...set }],
    { images: SKUS },
  );
}

beforeEach(() => {
  space = workspace();
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });

const openAttempt = () => recordAttempt(rollouts, id, { isOpen: true });

describe('model show', () => {
  it('prints the ARM model without secrets and without the queries of URLs', async () => {
    await fleetWith({
      model: { properties: { virtualMachineProfile: { osProfile: { adminPassword: 'SECRET2' } } } },
    });
    const { code, stdout } = await command('model', 'show', 'WEB');
    expect(code).toBe(0);
    expect(stdout).not.toContain('SECRET');
    expect(JSON.parse(stdout)).toMatchObject({
      properties: {
        upgradePolicy: { mode: 'Manual' },
        virtualMachineProfile: { osProfile: { adminPassword: '(redacted)' } },
      },
    });
    expect(stdout).toContain('https://store.example/setup.sh?(redacted)');
  });

  it('finds secrets wherever they are', () => {
    const model = {
      protectedSettings: { key: 'SECRET' },
      list: [{ CustomData: 'SECRET' }, 'curl https://a.example/x?sv=1&sig=SECRET -o y'],
      settings: {
        storageAccountKey: 'SECRET',
        dbPassword: 'SECRET',
        from: 'git https://bot:SECRET@b.example/x.git',
      },
      windowsConfiguration: { additionalUnattendContent: [{ content: 'SECRET' }] },
      userData: null,
      kept: 'https://a.example/x',
    };
    const shown = redactModel(model);
    expect(JSON.stringify(shown)).not.toContain('SECRET');
    expect(shown).toMatchObject({
      list: [{ CustomData: '(redacted)' }, 'curl https://a.example/x?(redacted) -o y'],
      settings: { from: 'git https://(redacted)@b.example/x.git' },
      userData: null,
      kept: 'https://a.example/x',
    });
  });
});

describe('a path of model set', () => {
  const model: Json = {
    location: 'eastus',
    sku: { capacity: 5 },
    properties: {
      upgradePolicy: { mode: 'Manual' },
      virtualMachineProfile: {
        extensionProfile: {
          extensions: [
            { name: 'a', properties: { settings: { x: 1 } } },
            { name: 'b.c', properties: { settings: { x: 2 } } },
          ],
        },
      },
    },
  };
  const list = 'virtualMachineProfile.extensionProfile.extensions';
  const at = (changed: Json, path: string) =>
    path.split('.').reduce<unknown>((there, key) => (there as Json)[key], changed);

  it.each([
    ['upgradePolicy.mode=Rolling', 'properties.upgradePolicy.mode', 'Rolling'],
    ['UpgradePolicy.Mode="Rolling"', 'properties.upgradePolicy.mode', 'Rolling'],
    ['properties.upgradePolicy.mode=Rolling', 'properties.upgradePolicy.mode', 'Rolling'],
    ['sku.capacity=7', 'sku.capacity', 7],
    ['tags.team={"a":1}', 'tags', { team: { a: 1 } }],
    [`${list}[1].settings.x=9`, `properties.${list}.1.properties.settings`, { x: 9 }],
    [`${list}[name=b.c].settings.x=a=b`, `properties.${list}.1.properties.settings`, { x: 'a=b' }],
    [`${list}[0].properties.settings.x=null`, `properties.${list}.0.properties.settings`, {}],
    [`${list}[name=a].name=z`, `properties.${list}.0.name`, 'z'],
    [`${list}[0]=null`, `properties.${list}.0.name`, 'b.c'],
    [`${list}[2]={"name":"n"}`, `properties.${list}.2`, { name: 'n' }],
    ['singlePlacementGroup=true', 'properties.singlePlacementGroup', true],
  ])('%s', (text, path, value) => {
    const before = structuredClone(model);
    expect(at(assign(model, parseAssignment(text)), path)).toEqual(value);
    expect(model).toEqual(before);
  });

  it.each([
    ['upgradePolicy.mode', 'is no change of a model'],
    ['a..b=1', 'is no path'],
    ['a=[1', 'is no JSON'],
    [`${list}[name=x].settings.x=1`, 'There is no virtualMachineProfile.extensionProfile.extensions[name=x]'],
    [`${list}[name=x].settings.x=1`, 'it has [name=a], [name=b.c]'],
    [`${list}[7]=1`, '[7]'],
    [`${list}.settings=1`, 'is a list: name an element'],
    [`${list}[]=1`, 'names no element'],
  ])('%s is refused: %s', (text, message) => {
    expect(() => assign(model, parseAssignment(text))).toThrow(message);
  });
});

describe('model set (B14)', () => {
  const sku = 'virtualMachineProfile.storageProfile.imageReference.sku=22_04-lts-gen2';

  it('in mode Manual says how many are behind, and how to bring them to it', async () => {
    await fleetWith();
    const { code, stdout } = await command('model', 'set', 'web', sku);
    expect(code).toBe(0);
    expect(stdout).toContain('5 instances are behind it and left to you');
    expect(stdout).toContain('rollouts update-instances web --all');
    expect(rollouts.temporalServer.workflows.size).toBe(0);
    const instances = await rollouts.fleet.instances(id, EPOCH);
    expect(instances.filter((one) => one.latestModelApplied)).toEqual([]);
  });

  it.each([
    ['Automatic', 'modelUpdate'],
    ['Rolling', 'modelUpgrade'],
  ] as const)('in mode %s starts a %s', async (mode, action) => {
    await fleetWith({ mode });
    const { code, stdout } = await command(
      ...['model', 'set', 'web', sku, '--who', 'ann', '--why', 'gen2', '-o', 'json'],
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      action,
      changed: true,
      behind: 5,
      rolloutId: manualRolloutId(id, 1),
      startedBy: 'ann',
      why: 'gen2',
    });
    expect(await rollouts.ledger.rollouts.get(manualRolloutId(id, 1))).toMatchObject({ action, why: 'gen2' });
    expect(rollouts.temporalServer.workflows.get(scaleSetRolloutId(id))?.status).toBe('RUNNING');
  });

  const optOut = 'upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade=false';
  const policy = 'upgradePolicy.rollingUpgradePolicy.maxBatchInstancePercent=30';
  it.each(['tags.team=a', 'sku.capacity=7', 'singlePlacementGroup=false', optOut, policy])(
    'of %s leaves no instance behind in modes Automatic and Rolling, and starts nothing',
    async (text) => {
      await fleetWith({ mode: 'Automatic' });
      const { code, stdout } = await command('model', 'set', 'web', text);
      expect(code).toBe(0);
      expect(stdout).toContain('No instance has to be changed for that.');
      expect(rollouts.temporalServer.workflows.size).toBe(0);
      const instances = await rollouts.fleet.instances(id, EPOCH);
      expect(instances.every((one) => one.latestModelApplied)).toBe(true);
    },
  );

  it('in mode Manual a changed upgrade policy leaves instances behind too', async () => {
    await fleetWith();
    expect((await command('model', 'set', 'web', 'tags.team=a')).stdout).toContain('No instance has to');
    expect((await command('model', 'set', 'web', optOut)).stdout).toContain('5 instances are behind it');
  });

  it('takes a JSON merge patch, flattened or not, in which null removes', async () => {
    await fleetWith();
    const file = await space.write('patch.json', {
      upgradePolicy: { mode: 'Automatic' },
      virtualMachineProfile: { extensionProfile: null },
    });
    await command('model', 'set', 'web', '--file', file, 'tags.a=b');
    const model = (await rollouts.fleet.model(id)) as { tags: Json; properties: Json };
    expect(model.tags).toEqual({ a: 'b' });
    expect(model.properties['upgradePolicy']).toMatchObject({ mode: 'Automatic' });
    expect(model.properties['virtualMachineProfile']).not.toHaveProperty('extensionProfile');
  });

  it.each([
    ['upgradePolicy.mode=Sometimes', 'properties.upgradePolicy.mode', 'give Manual or Automatic or Rolling'],
    ['sku.capacity=1001', 'sku.capacity', 'from 0 to 1000'],
    [
      'virtualMachineProfile.storageProfile.imageReference.publisher=Debian',
      'imageReference.publisher',
      'PropertyChangeNotAllowed',
    ],
    [
      'virtualMachineProfile.storageProfile.imageReference.sku=none',
      'imageReference',
      'no version in eastus',
    ],
  ])('refuses %s (C10), naming path and fix, and writes nothing', async (text, path, fix) => {
    await fleetWith({ mode: 'Automatic' });
    const before = await rollouts.fleet.model(id);
    const { code, stderr } = await command('model', 'set', 'web', text);
    expect(code).toBe(64);
    expect(stderr).toContain(`${path}: `);
    expect(stderr).toContain(fix);
    expect(await rollouts.fleet.model(id)).toEqual(before);
  });

  it.each(['Automatic', 'Rolling'] as const)(
    'in mode %s is a conflict while the set is being upgraded (B12), and writes nothing',
    async (mode) => {
      await fleetWith({ mode });
      await openAttempt();
      const before = await rollouts.fleet.model(id);
      const { code, stderr } = await command('model', 'set', 'web', sku);
      expect(code).toBe(1);
      expect(stderr).toContain('409 Conflict');
      expect(stderr).toContain('The model has not been changed: set it again then.');
      expect(await rollouts.fleet.model(id)).toEqual(before);
    },
  );

  it('lets a set opt out while it is being upgraded (C1)', async () => {
    await fleetWith({ mode: 'Automatic' });
    await openAttempt();
    expect((await command('model', 'set', 'web', optOut)).code).toBe(0);
    expect((await rollouts.fleet.scaleSet(id))?.automaticUpgradesSince).toBeNull();
  });

  it('tells that the model stands when the update cannot be started, and how to go on', async () => {
    await fleetWith({ mode: 'Automatic' });
    rollouts.temporalServer.reachable = false;
    const { code, stdout } = await command('model', 'set', 'web', sku);
    expect(code).toBe(1);
    expect(stdout).toContain('No Temporal server answers');
    expect(stdout).toContain('The model stands. Go on by: rollouts update-instances web --all');
    expect((await rollouts.fleet.scaleSet(id))?.imageReference.image).toMatchObject({
      sku: '22_04-lts-gen2',
    });
    expect(await rollouts.ledger.rollouts.list()).toEqual([]);
  });
});
