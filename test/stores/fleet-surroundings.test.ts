import { expect, it } from 'vitest';
import { HOUR } from '../../src/domain/clock.ts';
import type { ScaleSet } from '../../src/domain/scale-set.ts';
import {
  openSimulatedFleet,
  resourcePlace,
  resourceUrl,
  type Json,
  type SimulatedFleet,
} from '../../src/fleet/index.ts';
import { describeEngines } from '../support/engines.ts';
import { EPOCH, fleetOf, testSetId, type TestFleetOptions, type TestSet } from '../support/fleet.ts';

const URL = 'https://store.example/App.zip?sig=secret';
const GROUP = testSetId('x').replace('/providers/Microsoft.Compute/virtualMachineScaleSets/x', '');
const clusterId = (name: string) => `${GROUP}/providers/Microsoft.ServiceFabric/clusters/${name}`;
const probeId = (name: string) => `${GROUP}/providers/Microsoft.Network/loadBalancers/${name}/probes/app`;
const around = async (fleet: SimulatedFleet, name: string, at = EPOCH) =>
  fleet.surroundings((await fleet.scaleSet(testSetId(name))) as ScaleSet, at);

describeEngines('what is around a scale set', (open) => {
  const aFleet = async (sets: (Partial<TestSet> & { name: string })[], options: TestFleetOptions = {}) => {
    const all = sets.map((set) => ({ region: 'eastus', capacity: 5, ...set }));
    return (await fleetOf(all, { database: await open(), ...options })).fleet;
  };

  it('is its probe, with the SKU of its load balancer (rule C4)', async () => {
    const probe = (intervalInSeconds: number) => ({ name: 'app', properties: { intervalInSeconds } });
    const id = probeId('basic').replace('/probes/app', '');
    const fleet = await aFleet(
      [
        { name: 'usual' },
        { name: 'basic', model: model({ networkProfile: { healthProbe: { id: probeId('BASIC') } } }) },
        { name: 'lost', model: model({ networkProfile: { healthProbe: { id: probeId('lost') } } }) },
        { name: 'blind', health: 'none' },
      ],
      { loadBalancers: [{ id, sku: { name: 'Basic' }, properties: { probes: [probe(120)] } }] },
    );
    expect((await around(fleet, 'usual')).probe).toEqual({
      intervalSeconds: 15,
      loadBalancerSku: 'Standard',
    });
    expect((await around(fleet, 'basic')).probe).toEqual({ intervalSeconds: 120, loadBalancerSku: 'Basic' });
    expect((await around(fleet, 'lost')).probe).toBeNull();
    expect((await around(fleet, 'blind')).probe).toBeNull();
  });

  it('is the node type that it is of a cluster, which comes about by its sets (rule C5)', async () => {
    const fleet = await aFleet([
      { name: 'front', serviceFabric: { cluster: 'orders', durability: 'Bronze', stateless: true } },
      { name: 'back', serviceFabric: { cluster: 'orders', nodeType: 'be', durability: 'Silver' } },
      { name: 'other', serviceFabric: { cluster: 'mail', durability: 'Gold' }, os: 'Windows' },
      { name: 'web' },
    ]);
    expect((await around(fleet, 'front')).cluster).toEqual({
      name: 'orders',
      nodeType: { name: 'front', durabilityLevel: 'Bronze', isStateless: true },
    });
    expect((await around(fleet, 'back')).cluster).toEqual({
      name: 'orders',
      nodeType: { name: 'be', durabilityLevel: 'Silver', isStateless: false },
    });
    expect((await around(fleet, 'other')).cluster?.name).toBe('mail');
    expect((await around(fleet, 'web')).cluster).toBeNull();

    const clusters = await fleet.serviceFabricClusters();
    expect(clusters.map(({ id }) => id)).toEqual([clusterId('mail'), clusterId('orders')]);
    expect(nodeTypesOf(clusters[1])).toMatchObject([
      { name: 'front', isPrimary: false, vmInstanceCount: 5 },
      { name: 'be', isPrimary: true, vmInstanceCount: 5 },
    ]);
    expect(await fleet.scaleSet(testSetId('front'))).toMatchObject({
      healthProbeId: probeId('front-lb'),
      extensions: [{ type: 'ServiceFabricLinuxNode', typeHandlerVersion: '1.1' }],
      serviceFabric: { nodeTypeRef: 'front', durabilityLevel: 'Bronze' },
    });
    // From Silver on Service Fabric judges its nodes itself.
    expect(await fleet.scaleSet(testSetId('other'))).toMatchObject({
      healthProbeId: null,
      extensions: [{ type: 'ServiceFabricNode' }],
    });
  });

  it('is what its cluster says, where the description lists it, and as it is changed', async () => {
    const listed = (durabilityLevel: 'Silver' | 'Gold') => ({
      id: clusterId('Orders'),
      properties: {
        clusterEndpoint: 'https://orders.example/',
        nodeTypes: [{ name: 'BE', durabilityLevel }],
      },
    });
    const fleet = await aFleet(
      [
        { name: 'be', serviceFabric: { cluster: 'orders', durability: 'Silver' } },
        { name: 'fe', serviceFabric: { cluster: 'orders', durability: 'Silver' } },
      ],
      { serviceFabricClusters: [listed('Gold')] },
    );
    expect((await around(fleet, 'be')).cluster).toMatchObject({
      name: 'Orders',
      nodeType: { name: 'BE', durabilityLevel: 'Gold' },
    });
    expect((await around(fleet, 'fe')).cluster).toEqual({ name: 'Orders', nodeType: null });
    await fleet.putServiceFabricCluster(listed('Silver'));
    expect((await around(fleet, 'be')).cluster?.nodeType?.durabilityLevel).toBe('Silver');
  });

  it('is each external resource that has expired or is gone by then (rule C8)', async () => {
    const fleet = await aFleet(
      [{ name: 'web', extensions: [{ name: 'app', settings: { fileUris: [URL] } }] }, { name: 'bare' }],
      {
        externalResources: [
          { url: URL, credentialExpiresAt: EPOCH + HOUR },
          { url: 'https://store.example/other', goneAt: EPOCH },
        ],
      },
    );
    const url = resourceUrl(URL);
    expect((await around(fleet, 'web', EPOCH + HOUR - 1)).unusableResources).toEqual([]);
    expect((await around(fleet, 'web', EPOCH + HOUR)).unusableResources).toEqual([
      { url, problem: 'expired', since: EPOCH + HOUR },
    ]);
    expect((await around(fleet, 'bare', EPOCH + HOUR)).unusableResources).toEqual([]);
    const place = resourcePlace(URL);
    await fleet.putExternalResource({ url: place, credentialExpiresAt: null, goneAt: EPOCH });
    expect((await around(fleet, 'web')).unusableResources).toEqual([{ url, problem: 'gone', since: EPOCH }]);
  });

  it('is imported with the sets; what is not listed is said', async () => {
    const fleet = await openSimulatedFleet(await open());
    const node = (clusterEndpoint: string) => ({
      name: 'sf',
      publisher: 'Microsoft.Azure.ServiceFabric',
      type: 'ServiceFabricNode',
      typeHandlerVersion: '1.1',
      settings: { clusterEndpoint, nodeTypeRef: 'be', durabilityLevel: 'silver' },
    });
    const endpoint = 'https://eastus.servicefabric.azure.com/runtime/clusters/1';
    const probe = { id: probeId('lb'), name: 'app', protocol: 'Tcp', port: 80, intervalInSeconds: 120 };
    const { notes } = await fleet.import({
      scaleSets: [
        listedSet('web', { networkProfile: { healthProbe: { id: probeId('lb') } } }),
        listedSet('api', { networkProfile: { healthProbe: { id: probeId('unlisted') } } }),
        listedSet('be', { extensionProfile: { extensions: [node(`${endpoint}/`)] } }),
        listedSet('fe', { extensionProfile: { extensions: [node('https://elsewhere.example')] } }),
      ],
      instances: [],
      // As the az CLI prints them: flattened.
      loadBalancers: [
        { id: probeId('lb').replace('/probes/app', ''), sku: { name: 'Basic' }, probes: [probe] },
      ],
      clusters: [
        {
          id: clusterId('orders'),
          clusterEndpoint: endpoint,
          nodeTypes: [{ name: 'be', durabilityLevel: 'Silver' }],
        },
      ],
      at: EPOCH,
    });
    expect((await around(fleet, 'web')).probe).toEqual({ intervalSeconds: 120, loadBalancerSku: 'Basic' });
    expect((await around(fleet, 'api')).probe).toEqual({ intervalSeconds: 15, loadBalancerSku: 'Standard' });
    expect((await around(fleet, 'be')).cluster).toMatchObject({
      name: 'orders',
      nodeType: { durabilityLevel: 'Silver', isStateless: false },
    });
    expect((await around(fleet, 'fe')).cluster).toBeNull();
    expect(notes).toEqual([
      expect.stringMatching(/^api: its load balancer was not listed; .*--load-balancers/),
      expect.stringMatching(/^fe: its Service Fabric cluster was not listed; .*--clusters/),
    ]);
  });

  it('is refused where it is listed without an id', async () => {
    const fleet = await openSimulatedFleet(await open());
    const attempt = fleet.import({
      scaleSets: [],
      instances: [],
      loadBalancers: [{ name: 'lb' }],
      clusters: 'none',
      at: EPOCH,
    });
    await expect(attempt).rejects.toThrow(
      /loadBalancers\.0\.id: It is missing[\s\S]*clusters: give the list that the az CLI prints/,
    );
  });
});

/** A change of a described set's model. */
function model(virtualMachineProfile: Json): Json {
  return { properties: { virtualMachineProfile } };
}

function nodeTypesOf(cluster: Json | undefined): unknown {
  return (cluster?.['properties'] as Json | undefined)?.['nodeTypes'];
}

function listedSet(name: string, profile: Json): Json {
  const imageReference = { publisher: 'Canonical', offer: 'jammy', sku: 'lts', version: 'latest' };
  return {
    id: testSetId(name),
    name,
    location: 'eastus',
    sku: { capacity: 0 },
    virtualMachineProfile: { storageProfile: { imageReference }, ...profile },
  };
}
