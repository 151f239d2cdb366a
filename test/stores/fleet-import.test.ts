import { expect, it } from 'vitest';
import { openSimulatedFleet, type Json } from '../../src/fleet/index.ts';
import { describeEngines } from '../support/engines.ts';
import { EPOCH, testSetId } from '../support/fleet.ts';

const IMAGE = { publisher: 'Canonical', offer: '0001-com-ubuntu-server-jammy', sku: '22_04-lts' };
const WEB = testSetId('web');
const API = testSetId('api');
const PROFILE = {
  osProfile: { linuxConfiguration: { provisionVMAgent: true } },
  storageProfile: { imageReference: { ...IMAGE, version: 'latest', exactVersion: null }, dataDisks: null },
  networkProfile: { healthProbe: null, networkInterfaceConfigurations: [] },
};
const HEALTH = {
  publisher: 'Microsoft.ManagedServices',
  typeHandlerVersion: '2.0',
  autoUpgradeMinorVersion: true,
  settings: { protocol: 'http', port: 80, requestPath: '/health' },
};

/** As the API answers. */
const WIRE_SET: Json = {
  id: WEB,
  name: 'web',
  location: 'westeurope',
  zones: ['1', '2'],
  sku: { name: 'Standard_D2s_v5', capacity: 3 },
  properties: {
    upgradePolicy: { mode: 'Manual', automaticOSUpgradePolicy: { enableAutomaticOSUpgrade: true } },
    virtualMachineProfile: {
      ...PROFILE,
      extensionProfile: {
        extensions: [{ name: 'health', properties: { ...HEALTH, type: 'ApplicationHealthLinux' } }],
      },
    },
  },
};

/** As the az CLI prints. */
const FLAT_SET: Json = {
  id: API,
  name: 'api',
  location: 'West Europe',
  resourceGroup: 'fleet',
  sku: { name: 'Standard_D2s_v5', capacity: 2 },
  orchestrationMode: 'Uniform',
  upgradePolicy: { mode: 'Automatic', rollingUpgradePolicy: null },
  virtualMachineProfile: {
    ...PROFILE,
    extensionProfile: {
      extensions: [{ name: 'health', ...HEALTH, typePropertiesType: 'ApplicationHealthLinux' }],
    },
  },
};

const wireInstance = (instanceId: string, zone: string, view?: Json): Json => ({
  id: `${WEB.toUpperCase()}/virtualMachines/${instanceId}`,
  instanceId,
  zones: [zone],
  properties: {
    latestModelApplied: instanceId !== '10',
    provisioningState: 'Succeeded',
    timeCreated: '2025-11-12T20:20:04.1863772+00:00',
    storageProfile: {
      imageReference: { ...IMAGE, version: 'latest', exactVersion: '22.04.202511010' },
      osDisk: { name: `disk-${instanceId}`, managedDisk: { id: `/disks/${instanceId}` } },
    },
    ...(view ? { instanceView: view } : {}),
  },
});

const flatInstance = (instanceId: string): Json => ({
  vmId: `11111111-0000-0000-0000-00000000000${instanceId}`,
  osProfile: { computerName: `api-${instanceId}` },
  id: `${API}/virtualMachines/${instanceId}`,
  instanceId,
  latestModelApplied: true,
  provisioningState: 'Succeeded',
  protectionPolicy: { protectFromScaleSetActions: true },
  storageProfile: { imageReference: { ...IMAGE, version: '22.04.202510060' }, osDisk: { name: 'os' } },
  instanceView: null,
});

const view = (updateDomain: number, health: string, power = 'running'): Json => ({
  platformUpdateDomain: updateDomain,
  platformFaultDomain: 1,
  vmHealth: { status: { code: `HealthState/${health}` } },
  statuses: [{ code: 'ProvisioningState/succeeded' }, { code: `PowerState/${power}` }],
});

describeEngines('importing a fleet', (open) => {
  it('takes over wire shape and flattened shape', async () => {
    const fleet = await openSimulatedFleet(await open());
    const imported = await fleet.import({
      scaleSets: [WIRE_SET, FLAT_SET],
      instances: [
        [
          wireInstance('10', '2', view(4, 'healthy')),
          wireInstance('2', '1', view(3, 'unhealthy')),
          wireInstance('3', '1', view(0, 'healthy', 'stopped')),
        ],
        [flatInstance('0'), flatInstance('1')],
      ],
      at: EPOCH,
    });
    expect(imported).toMatchObject({ scaleSets: 2, instances: 5 });
    expect(imported.notes).toEqual([
      expect.stringMatching(/^api: no update domains; they were assigned in turn/),
      expect.stringMatching(/^api: no application health; .*taken to be healthy/),
    ]);
    expect((await fleet.regions()).map(({ name }) => name)).toEqual(['westeurope']);
    expect(await fleet.scaleSet(API)).toMatchObject({
      region: 'westeurope',
      upgradePolicy: { mode: 'Automatic' },
    });

    const web = await fleet.instances(WEB, EPOCH);
    expect(web.map(({ instanceId, zone, updateDomain }) => [instanceId, zone, updateDomain])).toEqual([
      ['2', '1', 3],
      ['3', '1', 0],
      ['10', '2', 4],
    ]);
    expect(web[2]).toMatchObject({
      scaleSetId: WEB,
      faultDomain: 1,
      osDisk: { id: '/disks/10', source: { version: '22.04.202511010' } },
      latestModelApplied: false,
      applicationHealth: 'healthy',
    });
    expect(web.map(({ applicationHealth }) => applicationHealth)).toEqual([
      'unhealthy',
      'unknown',
      'healthy',
    ]);
    expect(web.map(({ powerState }) => powerState)).toEqual(['running', 'stopped', 'running']);
    const api = await fleet.instances(API, EPOCH);
    expect(api.map(({ updateDomain }) => updateDomain)).toEqual([0, 1]);
    expect(api[0]).toMatchObject({
      vmId: '11111111-0000-0000-0000-000000000000',
      computerName: 'api-0',
      protectFromScaleSetActions: true,
      osDisk: { source: { version: '22.04.202510060' } },
    });
  });

  it('imports nothing when anything is wrong, and names every path', async () => {
    const fleet = await openSimulatedFleet(await open());
    const attempt = fleet.import({
      scaleSets: { value: [WIRE_SET, { ...FLAT_SET, location: 'Mars' }, { name: 'broken' }] },
      instances: [[wireInstance('0', '1'), flatInstance('0'), { instanceId: '1' }], 'nothing'],
      at: EPOCH,
    });
    await expect(attempt).rejects.toThrow(
      /scaleSets\.1\.location.*"mars"[\s\S]*scaleSets\.2\.location: It is missing[\s\S]*instances\.1\.id.*none of the scale sets[\s\S]*instances\.2\.id: It is missing[\s\S]*instances\.3/,
    );
    expect(await fleet.scaleSets()).toEqual([]);
    await expect(fleet.import({ scaleSets: 'x', instances: [], at: EPOCH })).rejects.toThrow(/az vmss list/);
  });

  it('does not import what is there already', async () => {
    const fleet = await openSimulatedFleet(await open());
    const once = { scaleSets: [WIRE_SET], instances: [], at: EPOCH };
    await fleet.import(once);
    await expect(fleet.import({ ...once, scaleSets: [FLAT_SET, WIRE_SET] })).rejects.toThrow(
      /already.*\/web\./,
    );
    expect(await fleet.scaleSets()).toHaveLength(1);
    await fleet.import({ ...once, scaleSets: [FLAT_SET] });
    expect(await fleet.scaleSets()).toHaveLength(2);
  });
});
