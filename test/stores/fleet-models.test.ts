import { expect, it } from 'vitest';
import { mergeModels, type Json } from '../../src/fleet/index.ts';
import { describeEngines } from '../support/engines.ts';
import {
  EPOCH,
  fleetOf,
  JAMMY,
  NEW_VERSION,
  OLD_VERSION,
  request,
  testSetId,
  type TestSet,
} from '../support/fleet.ts';

const HOUR = 3_600_000;

describeEngines('writing models of the simulated fleet', (open) => {
  const aFleet = async (set: Partial<TestSet> = {}) => {
    const { kind: _kind, ...names } = JAMMY;
    const made = await fleetOf([{ region: 'eastus', capacity: 4, zones: ['1', '2'], ...set }], {
      database: await open(),
      images: [
        { ...names, versions: [{ version: OLD_VERSION }, { version: NEW_VERSION, publishedAt: EPOCH }] },
        { ...names, sku: '24_04-lts', versions: [{ version: '24.04.202511010' }] },
      ],
    });
    const { fleet } = made;
    const id = made.scaleSetIds[0] as string;
    const write = async (over: Json, at = EPOCH + HOUR) =>
      fleet.writeModel({
        model: mergeModels((await fleet.model(id)) as Json, over),
        apiVersion: '2024-11-01',
        at,
      });
    const ids = async () => (await fleet.instances(id, EPOCH + HOUR)).map(({ instanceId }) => instanceId);
    return { fleet, id, write, ids };
  };
  const automatic = (enableAutomaticOSUpgrade: boolean) => ({
    properties: { upgradePolicy: { automaticOSUpgradePolicy: { enableAutomaticOSUpgrade } } },
  });

  it('leaves instances behind the model until it is applied to them (rule C9)', async () => {
    const { fleet, id, write } = await aFleet();
    const behind = async () =>
      (await fleet.instances(id, EPOCH + 2 * HOUR)).filter(({ latestModelApplied }) => !latestModelApplied)
        .length;
    expect(await write({ tags: { team: 'web' } })).toMatchObject({ modelVersion: 1 });
    expect(await behind()).toBe(0);
    expect(await write({ properties: { virtualMachineProfile: { userData: 'bmV3' } } })).toMatchObject({
      modelVersion: 2,
    });
    expect(await behind()).toBe(4);
    await fleet.operate(request(id, ['0', '3'], 'model.apply', EPOCH + HOUR));
    expect(await behind()).toBe(2);
    expect(await fleet.model(id)).toMatchObject({ tags: { team: 'web' } });
  });

  it('leaves them behind another size of VM too, but not behind another number of them (rule B14)', async () => {
    const { fleet, id, write } = await aFleet();
    const behind = async () =>
      (await fleet.instances(id, EPOCH + 2 * HOUR)).filter((one) => !one.latestModelApplied).length;
    await write({ sku: { capacity: 3 } });
    expect(await behind()).toBe(0);
    await write({ sku: { name: 'Standard_D8s_v5' } });
    expect(await behind()).toBe(3);
  });

  it('remembers since when automatic upgrades are on (rule D6)', async () => {
    const { write } = await aFleet();
    expect(await write(automatic(false))).toMatchObject({ automaticUpgradesSince: null });
    expect(await write(automatic(true), EPOCH + 5)).toMatchObject({ automaticUpgradesSince: EPOCH + 5 });
    expect(await write(automatic(true), EPOCH + 9)).toMatchObject({
      automaticUpgradesSince: EPOCH + 5,
      modelVersion: 3,
    });
  });

  it('scales out on the latest version, with new ids, and in from the end', async () => {
    const { fleet, id, write, ids } = await aFleet();
    await fleet.deleteInstances(id, ['1', '9'], EPOCH);
    expect(await fleet.model(id)).toMatchObject({ sku: { capacity: 3 } });
    await write({ sku: { capacity: 5 } });
    expect(await ids()).toEqual(['0', '2', '3', '4', '5']);
    const [old, , , fresh] = await fleet.instances(id, EPOCH + HOUR);
    expect([old?.osDisk?.source.version, fresh?.osDisk?.source.version]).toEqual([OLD_VERSION, NEW_VERSION]);
    expect(fresh).toMatchObject({ zone: '2', applicationHealth: 'healthy' });
    await write({ sku: { capacity: 2 } });
    expect(await ids()).toEqual(['0', '2']);
  });

  it('refuses other publishers, offers, zones and kinds of image, and takes another SKU (rule C10)', async () => {
    const { fleet, id, write } = await aFleet();
    const image = (imageReference: Json) => ({
      properties: { virtualMachineProfile: { storageProfile: { imageReference } } },
    });
    await expect(write(image({ publisher: 'Debian' }))).rejects.toMatchObject({
      issues: [{ code: 'PropertyChangeNotAllowed', target: 'imageReference.publisher' }],
    });
    await expect(write({ zones: ['3'] })).rejects.toMatchObject({ issues: [{ target: 'zones' }] });
    const gallery = { id: '/g/images/web', publisher: null, offer: null, sku: null, version: null };
    await expect(write(image(gallery))).rejects.toMatchObject({ issues: [{ code: 'OperationNotAllowed' }] });
    await expect(write(image({ sku: '26_04-lts' }))).rejects.toMatchObject({
      issues: [{ code: 'PlatformImageNotFound' }],
    });
    await write(image({ sku: '24_04-lts' }));
    expect((await fleet.scaleSet(id))?.imageReference.image).toMatchObject({ sku: '24_04-lts' });
  });

  it('refuses another offer, and takes the same names in other letters (rule C10)', async () => {
    const { fleet, id, write } = await aFleet();
    const image = (imageReference: Json) => ({
      properties: { virtualMachineProfile: { storageProfile: { imageReference } } },
    });
    await expect(write(image({ offer: 'UbuntuServer' }))).rejects.toMatchObject({
      issues: [{ code: 'PropertyChangeNotAllowed', target: 'imageReference.offer' }],
    });
    await write(image({ publisher: 'CANONICAL', offer: JAMMY.offer.toUpperCase() }));
    expect((await fleet.scaleSet(id))?.imageReference.image).toMatchObject({ publisher: 'CANONICAL' });
  });

  it('remembers the API version of the last write, not of the first (rule C7)', async () => {
    const { fleet, id } = await aFleet();
    const model = (await fleet.model(id)) as Json;
    for (const apiVersion of ['2017-12-01', '2018-10-01']) {
      await fleet.writeModel({ model, apiVersion, at: EPOCH });
      expect((await fleet.scaleSet(id))?.modelApiVersion).toBe(apiVersion);
    }
  });

  it('gives new instances no version that is kept out of latest (rule C3)', async () => {
    const image = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/own/images/web';
    const [shown, hidden] = [OLD_VERSION, NEW_VERSION].map((version) => ({
      version,
      excludeFromLatest: version === NEW_VERSION,
      targetRegions: [{ name: 'eastus' }],
    }));
    const made = await fleetOf(
      [{ region: 'eastus', capacity: 1, image: { id: image }, version: OLD_VERSION }],
      {
        database: await open(),
        galleries: [{ id: image, versions: [shown, hidden].filter((one) => one !== undefined) }],
      },
    );
    const [id = ''] = made.scaleSetIds;
    const model = mergeModels((await made.fleet.model(id)) as Json, { sku: { capacity: 2 } });
    await made.fleet.writeModel({ model, apiVersion: '2024-11-01', at: EPOCH + HOUR });
    const [, fresh] = await made.fleet.instances(id, EPOCH + HOUR);
    expect(fresh?.osDisk?.source.version).toBe(OLD_VERSION);
  });

  it('makes and removes sets', async () => {
    const { fleet, id } = await aFleet();
    const other = testSetId('Other');
    const model = { ...((await fleet.model(id)) as Json), id: other, name: 'Other' };
    await fleet.writeModel({ model, apiVersion: '2024-11-01', at: EPOCH });
    expect(await fleet.instances(other.toLowerCase(), EPOCH)).toHaveLength(4);
    await fleet.deleteScaleSet(other.toUpperCase(), EPOCH);
    expect(await fleet.scaleSet(other)).toBeNull();
    expect(await fleet.instances(other, EPOCH)).toEqual([]);
    expect(await fleet.instances(id, EPOCH)).toHaveLength(4);
  });

  it('protects and stops instances', async () => {
    const { fleet, id } = await aFleet();
    await fleet.changeInstances(id, ['1'], { protectFromScaleSetActions: true }, EPOCH);
    await fleet.changeInstances(id, ['2'], { power: 'deallocated' }, EPOCH);
    const [, guarded, off] = await fleet.instances(id, EPOCH);
    expect(guarded).toMatchObject({ protectFromScaleSetActions: true, powerState: 'running' });
    expect(off).toMatchObject({ powerState: 'deallocated', applicationHealth: 'unknown' });
  });
});
