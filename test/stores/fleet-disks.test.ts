import { expect, it } from 'vitest';
import type { Instance } from '../../src/domain/scale-set.ts';
import { mergeModels, type Json } from '../../src/fleet/index.ts';
import { describeEngines } from '../support/engines.ts';
import { EPOCH, fleetOf, NEW_VERSION, OLD_VERSION, request, type TestSet } from '../support/fleet.ts';
import { journalOf } from '../support/fleet-journal.ts';

const s = (seconds: number) => EPOCH + seconds * 1000;
const HOUR = 3600;

describeEngines('disks of the simulated fleet', (open) => {
  const swapped = async (set: Partial<TestSet>, ids = ['0']) => {
    const made = await fleetOf([{ region: 'eastus', capacity: 6, ...set }], { database: await open() });
    const id = made.scaleSetIds[0] as string;
    const before = await made.fleet.instances(id, s(0));
    await made.fleet.operate(request(id, ids, 'osDisk.swap', s(0)));
    return { ...made, id, before, after: await made.fleet.instances(id, s(HOUR)) };
  };

  it('keeps an instance what it is, with its data disks, on a new OS disk (rule B4)', async () => {
    const { before, after } = await swapped({ dataDisks: [64, 128] });
    const [old, now] = [before[0], after[0]];
    expect(now?.osDisk).toMatchObject({ source: { version: NEW_VERSION } });
    expect(now?.osDisk?.id).not.toBe(old?.osDisk?.id);
    expect(now?.previousOsDisk).toEqual(old?.osDisk);
    expect(now?.dataDisks).toEqual([
      { lun: 0, sizeGB: 64, driveLetter: null },
      { lun: 1, sizeGB: 128, driveLetter: null },
    ]);
    expect(now).toMatchObject({ instanceId: '0', zone: old?.zone, updateDomain: old?.updateDomain });
    const others = before.slice(1).map((instance) => ({ ...instance, seenAt: s(HOUR) }));
    expect(after.slice(1)).toEqual(others);
  });

  it('keeps identity and addresses through swap, restore and model update (rule B4)', async () => {
    const { fleet, id, before, after } = await swapped({ extensions: [{ name: 'app' }] });
    const identities = (instances: Instance[]) =>
      instances.map(({ vmId, computerName, privateIpAddress }) => ({ vmId, computerName, privateIpAddress }));
    expect(identities(before)[1]).toEqual({
      vmId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/),
      computerName: 'set-1000001',
      privateIpAddress: expect.stringMatching(/^10\.\d+\.0\.5$/),
    });
    for (const part of ['vmId', 'computerName', 'privateIpAddress'] as const) {
      expect(new Set(before.map((instance) => instance[part])).size).toBe(6);
    }
    expect(identities(after)).toEqual(identities(before));
    await fleet.operate(request(id, ['1'], 'model.apply', s(HOUR)));
    await fleet.operate(request(id, ['1'], 'extension.run', s(HOUR)));
    await fleet.operate(request(id, ['0'], 'osDisk.restore', s(HOUR)));
    expect(identities(await fleet.instances(id, s(2 * HOUR)))).toEqual(identities(before));
  });

  it('runs custom data with the model, on the new OS disk, and tells of it (rule B4)', async () => {
    const osProfile = { customData: 'IyEvYmluL3NoCg==' };
    const made = await swapped({ model: { properties: { virtualMachineProfile: { osProfile } } } });
    await made.fleet.operate(request(made.id, ['0'], 'model.apply', s(HOUR)));
    await made.fleet.instances(made.id, s(2 * HOUR));
    const told = (await journalOf(made.database, made.id)).filter((line) => line.includes('model.apply'));
    expect(told).toEqual([
      `${HOUR}s 0 model.apply customData started ->${NEW_VERSION}`,
      expect.stringContaining(`0 model.apply customData succeeded ->${NEW_VERSION}`),
    ]);
    const plain = await swapped({});
    await plain.fleet.operate(request(plain.id, ['0'], 'model.apply', s(HOUR)));
    const lines = await journalOf(plain.database, plain.id);
    expect(lines.some((line) => line.includes('customData'))).toBe(false);
  });

  it('may give data disks other letters on Windows, unless a boot script keeps them', async () => {
    const windows: Partial<TestSet> = { os: 'Windows', dataDisks: [64, 128, 256] };
    const ids = ['0', '1', '2', '3', '4', '5'];
    const letters = (instances: { dataDisks: { driveLetter: string | null }[] }[]) =>
      instances.map(({ dataDisks }) => dataDisks.map(({ driveLetter }) => driveLetter).join(''));
    const free = await swapped(windows, ids);
    expect(letters(free.before)).toEqual(ids.map(() => 'EFG'));
    expect(letters(free.after)).not.toEqual(letters(free.before));
    for (const { dataDisks } of free.after) {
      expect(new Set(dataDisks.map(({ driveLetter }) => driveLetter)).size).toBe(3);
    }
    const kept = await swapped({ ...windows, keepDriveLetters: true }, ids);
    expect(letters(kept.after)).toEqual(letters(kept.before));
    // The old OS disk knows the old letters.
    await free.fleet.operate(request(free.id, ids, 'osDisk.restore', s(HOUR)));
    expect(letters(await free.fleet.instances(free.id, s(2 * HOUR)))).toEqual(letters(free.before));
  });

  it('brings the same disk back with a restore, and drops the failed one (rule B6)', async () => {
    const { fleet, id, database, before } = await swapped({ extensions: [{ name: 'app' }] });
    const [state] = await fleet.operate(request(id, ['0'], 'osDisk.restore', s(HOUR)));
    expect(state).toMatchObject({ status: 'running' });
    expect((await fleet.instances(id, s(HOUR), ['0']))[0]).toMatchObject({
      osDisk: null,
      powerState: 'stopped',
    });
    const [restored] = await fleet.instances(id, s(2 * HOUR), ['0']);
    expect(restored).toMatchObject({
      osDisk: before[0]?.osDisk,
      previousOsDisk: null,
      powerState: 'running',
      provisioningState: 'Succeeded',
      applicationHealth: 'healthy',
      extensions: [{ name: 'app', state: 'succeeded' }],
      configuredAt: state?.endsAt,
    });
    expect((await journalOf(database, id)).at(-1)).toContain(
      `osDisk.restore succeeded ${NEW_VERSION}>${OLD_VERSION}`,
    );
  });

  it('brings back with the disk what was configured on it, which may be an older model (rule B6)', async () => {
    const made = await fleetOf([{ region: 'eastus', capacity: 6 }], { database: await open() });
    const { fleet, scaleSetIds } = made;
    const [id = ''] = scaleSetIds;
    const profile = { properties: { virtualMachineProfile: { userData: 'bmV3' } } };
    const model = mergeModels((await fleet.model(id)) as Json, profile);
    await fleet.writeModel({ model, apiVersion: '2024-11-01', at: s(0) });
    const hasModel = async (at: number) => (await fleet.instances(id, at, ['0']))[0]?.latestModelApplied;
    expect(await hasModel(s(1))).toBe(false);
    await fleet.operate(request(id, ['0'], 'osDisk.swap', s(1)));
    await fleet.operate(request(id, ['0'], 'model.apply', s(1)));
    expect(await hasModel(s(HOUR))).toBe(true);
    await fleet.operate(request(id, ['0'], 'osDisk.restore', s(HOUR)));
    expect(await hasModel(s(2 * HOUR))).toBe(false);
  });

  it('cannot restore a disk that was given up', async () => {
    const { fleet, id, database } = await swapped({});
    await fleet.discardPreviousOsDisks(id, ['0', '1'], s(HOUR));
    await fleet.discardPreviousOsDisks(id, ['0', '1'], s(HOUR));
    const [state] = await fleet.operate(request(id, ['0'], 'osDisk.restore', s(HOUR)));
    expect(state).toMatchObject({ status: 'failed', error: { code: 'NoPreviousOsDisk' } });
    expect((await fleet.instances(id, s(HOUR), ['0']))[0]).toMatchObject({
      osDisk: { source: { version: NEW_VERSION } },
      previousOsDisk: null,
    });
    expect((await journalOf(database, id)).slice(-2).map((line) => line.split(' ')[3])).toEqual([
      'started',
      'failed',
    ]);
  });

  it('spreads instances over zones, and in a zone over update domains', async () => {
    const { fleet, scaleSetIds } = await fleetOf(
      [
        { region: 'eastus', capacity: 20, zones: ['1', '2', '3'] },
        { region: 'westus', capacity: 11 },
        { region: 'eastus', capacity: 4, orchestrationMode: 'Flexible', health: 'extension' },
      ],
      { database: await open() },
    );
    const [zonal, regional, flexible] = await Promise.all(scaleSetIds.map((id) => fleet.instances(id, s(0))));
    const count = (of: (string | number | null)[]) =>
      [...new Set(of)].map((value) => of.filter((other) => other === value).length);
    expect(count(zonal?.map(({ zone }) => zone) ?? [])).toEqual([7, 7, 6]);
    const first = zonal?.filter(({ zone }) => zone === '1').map(({ updateDomain }) => updateDomain);
    expect(first).toEqual([0, 1, 2, 3, 4, 0, 1]);
    expect(regional?.map(({ instanceId }) => instanceId)).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '8',
      '9',
      '10',
    ]);
    expect(count(regional?.map(({ updateDomain }) => updateDomain) ?? [])).toEqual([3, 2, 2, 2, 2]);
    expect(
      flexible?.every(({ updateDomain, faultDomain }) => updateDomain === null && faultDomain === null),
    ).toBe(true);
  });
});
