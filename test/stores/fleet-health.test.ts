import { expect, it } from 'vitest';
import type { Instance } from '../../src/domain/scale-set.ts';
import type { FaultSpec, FleetSpec } from '../../src/fleet/index.ts';
import { describeEngines } from '../support/engines.ts';
import { EPOCH, fleetOf, NEW_VERSION, request, testSetId, type TestSet } from '../support/fleet.ts';

const s = (seconds: number) => EPOCH + seconds * 1000;
const iso = (seconds: number) => new Date(s(seconds)).toISOString();
const fixed = (seconds: number) => ({ min: seconds, max: seconds });
/** An instance that is upgraded at 0 s is configured after 75 s, or 85 s with the health extension, and answers 50 s later. */
const BEHAVIOUR = {
  osDiskSwap: fixed(20),
  boot: fixed(30),
  modelApply: fixed(25),
  extensionRun: fixed(35),
  becomeHealthy: fixed(50),
  osDiskRestore: fixed(40),
};

describeEngines('the health signals of the simulated fleet (rule B5)', (open) => {
  const upgraded = async (
    set: Partial<TestSet>,
    options: Partial<FleetSpec> = {},
    faults: FaultSpec[] = [],
  ) => {
    const sets = [{ name: 'web', region: 'eastus', capacity: 2, ...set }];
    const { fleet } = await fleetOf(sets, {
      database: await open(),
      behaviour: BEHAVIOUR,
      faults,
      ...options,
    });
    const id = testSetId('web');
    for (const operation of ['osDisk.swap', 'model.apply', 'extension.run'] as const) {
      await fleet.operate(request(id, ['0'], operation, s(0)));
    }
    /** So many seconds after its last extension ended. */
    const after = async (seconds: number): Promise<Instance> => {
      const configured = set.extensions === undefined ? 75 : 110;
      const [instance] = await fleet.instances(id, s(configured + seconds), ['0']);
      expect(instance?.configuredAt).toBe(s(configured));
      return instance as Instance;
    };
    const health = async (seconds: number) => (await after(seconds)).applicationHealth;
    return { fleet, id, after, health };
  };

  const probed = (properties: object) => {
    const id = testSetId('web').replace(
      'Compute/virtualMachineScaleSets/web',
      'Network/loadBalancers/web-lb',
    );
    const probe = { name: 'app', id: `${id.toUpperCase()}/probes/app`, properties };
    return { loadBalancers: [{ id, sku: { name: 'Standard' }, properties: { probes: [probe] } }] };
  };
  const extension = (typeHandlerVersion: string, settings: object): Partial<TestSet> => ({
    health: 'none',
    extensions: [
      {
        name: 'health',
        publisher: 'Microsoft.ManagedServices',
        type: 'ApplicationHealthLinux',
        typeHandlerVersion,
        settings: { port: 80, ...settings },
      },
    ],
  });

  it.each([
    ['http', { protocol: 'Http', requestPath: '/', intervalInSeconds: 20, probeThreshold: 3 }],
    ['tcp, by the older name', { protocol: 'Tcp', intervalInSeconds: 20, numberOfProbes: 3 }],
  ])('a load balancer probe (%s) asks at its interval, and turns by its threshold', async (_, probe) => {
    const { after, health } = await upgraded({}, probed(probe));
    // Answers from 50 s on: seen at 60, 80 and 100 s.
    expect(await health(99.999)).toBe('unhealthy');
    expect(await after(100)).toMatchObject({
      applicationHealth: 'healthy',
      healthyStretches: [{ from: s(175), to: null }],
      readingInterval: 20_000,
    });
  });

  it('the binary extension knows healthy and unhealthy only', async () => {
    const set = extension('1.0', {
      protocol: 'tcp',
      intervalInSeconds: 15,
      numberOfProbes: 2,
      gracePeriod: 600,
    });
    const { health, after } = await upgraded(set);
    expect(await health(0)).toBe('unhealthy');
    expect(await health(74.999)).toBe('unhealthy');
    expect(await health(75)).toBe('healthy');
    expect((await after(75)).readingInterval).toBe(15_000);
  });

  it.each([
    ['http', { protocol: 'http', requestPath: '/' }, 'unknown'],
    ['https', { protocol: 'HTTPS', requestPath: '/' }, 'unknown'],
    ['tcp', { protocol: 'tcp' }, 'unhealthy'],
  ])(
    'the rich extension (%s) is initializing for its grace period, then says so',
    async (_, settings, silence) => {
      const rich = { ...settings, intervalInSeconds: 5, numberOfProbes: 2 };
      const { health } = await upgraded(extension('2.0', { ...rich, gracePeriod: 30 }));
      expect(await health(0)).toBe('initializing');
      expect(await health(29.999)).toBe('initializing');
      expect(await health(30)).toBe(silence);
      expect(await health(54.999)).toBe(silence);
      expect(await health(55)).toBe('healthy');
      // As long as its readings take, where it does not say.
      const short = await upgraded(extension('2.1', rich));
      expect(await short.health(9.999)).toBe('initializing');
      expect(await short.health(10)).toBe(silence);
    },
  );

  it('the rich extension is initializing no longer than its application needs', async () => {
    const settings = { protocol: 'http', requestPath: '/', gracePeriod: 14_400 };
    const { health } = await upgraded(extension('2.0', settings));
    expect(await health(49)).toBe('initializing');
    expect(await health(50)).toBe('healthy');
  });

  it('an application that answers and is not well is unhealthy, and so is one that was well', async () => {
    const settings = { protocol: 'http', requestPath: '/', numberOfProbes: 3, gracePeriod: 600 };
    const bad = await upgraded(extension('2.0', settings), {}, [
      { kind: 'neverHealthy', version: NEW_VERSION },
    ]);
    expect(await bad.health(9.999)).toBe('initializing');
    expect(await bad.health(10)).toBe('unhealthy');
    const flapping = await upgraded(extension('2.0', settings), {}, [
      { kind: 'flapping', healthySeconds: 60, unhealthySeconds: 20, version: NEW_VERSION },
    ]);
    expect(await flapping.health(60)).toBe('healthy');
    // Not well from 110 s on; three readings later that is so.
    expect(await flapping.health(119.999)).toBe('healthy');
    expect(await flapping.health(120)).toBe('unhealthy');
  });

  it('without a signal power and provisioning are all that counts', async () => {
    const { after } = await upgraded({ health: 'none' });
    expect(await after(0)).toMatchObject({
      applicationHealth: 'none',
      healthyStretches: [{ from: s(75), to: null }],
      readingInterval: 0,
    });
  });

  it('an outage puts a hole into the stretches, and the grace period begins anew', async () => {
    const settings = { protocol: 'http', requestPath: '/', gracePeriod: 30 };
    const outage = { kind: 'outage' as const, from: iso(300), to: iso(400) };
    const { health, after } = await upgraded(extension('2.0', settings), {}, [outage]);
    expect((await after(100)).healthyStretches).toEqual([{ from: s(160), to: null }]);
    expect(await health(190)).toBe('unknown');
    expect(await health(290)).toBe('initializing');
    expect(await health(320)).toBe('unknown');
    expect(await after(500)).toMatchObject({
      applicationHealth: 'healthy',
      healthyStretches: [
        { from: s(160), to: s(300) },
        { from: s(450), to: null },
      ],
    });
  });

  it('an owner who stops an instance puts a hole into them as well', async () => {
    const { fleet, id, after } = await upgraded({}, probed({ protocol: 'Tcp', intervalInSeconds: 10 }));
    await after(100);
    await fleet.changeInstances(id, ['0'], { power: 'deallocated' }, s(200));
    expect(await after(200)).toMatchObject({
      powerState: 'deallocated',
      applicationHealth: 'unknown',
      healthyStretches: [{ from: s(125), to: s(200) }],
    });
    await fleet.changeInstances(id, ['0'], { power: 'running' }, s(300));
    expect(await after(226)).toMatchObject({ powerState: 'running', applicationHealth: 'unhealthy' });
    expect((await after(300)).healthyStretches).toEqual([
      { from: s(125), to: s(200) },
      { from: s(350), to: null },
    ]);
  });

  it('a new OS disk starts an instance that its owner had stopped', async () => {
    const { fleet, id } = await upgraded({});
    await fleet.changeInstances(id, ['1'], { power: 'stopped' }, s(10));
    await fleet.operate(request(id, ['1'], 'osDisk.swap', s(500)));
    await fleet.operate(request(id, ['1'], 'model.apply', s(600)));
    expect((await fleet.instances(id, s(900), ['1']))[0]).toMatchObject({
      powerState: 'running',
      applicationHealth: 'healthy',
    });
  });

  it('an instance that was never upgraded is as healthy as it was made, for long', async () => {
    const { fleet, id } = await upgraded({});
    const [, spared] = await fleet.instances(id, s(0));
    expect(spared?.healthyStretches).toEqual([{ from: spared?.configuredAt, to: null }]);
  });

  it('flaps from one moment to another, on one version, and not before it could be healthy', async () => {
    const flapping: FaultSpec[] = [
      { kind: 'flapping', periodSeconds: 100, from: iso(1_000), to: iso(1_200), instances: ['0'] },
      { kind: 'flapping', periodSeconds: 40, version: '0.0.1' },
    ];
    const { fleet, id } = await upgraded({}, probed({ protocol: 'Tcp', intervalInSeconds: 5 }), flapping);
    const [hit, spared] = await fleet.instances(id, s(1_199));
    // Well for 50 s, not for 50 s, twice: a stretch that is no longer than the first decides nothing.
    expect(hit?.healthyStretches).toEqual([
      { from: s(125), to: s(1_050) },
      { from: s(1_100), to: s(1_150) },
    ]);
    expect(hit?.applicationHealth).toBe('unhealthy');
    expect(spared?.applicationHealth).toBe('healthy');
    expect((await fleet.instances(id, s(1_200), ['0']))[0]?.applicationHealth).toBe('healthy');
  });

  it('refuses a flapping that says both, or half, of its times', async () => {
    const { fleet } = await upgraded({});
    for (const times of [
      {},
      { healthySeconds: 5 },
      { periodSeconds: 5, healthySeconds: 1, unhealthySeconds: 4 },
    ]) {
      await expect(fleet.setFaults([{ kind: 'flapping', ...times }])).rejects.toThrow(
        /give periodSeconds, or/,
      );
    }
  });
});
