import { expect, it } from 'vitest';
import type { Instance } from '../../src/domain/scale-set.ts';
import type { FaultSpec, FleetSpec, Json } from '../../src/fleet/index.ts';
import { describeEngines } from '../support/engines.ts';
import { EPOCH, fleetOf, NEW_VERSION, OLD_VERSION, request, type TestSet } from '../support/fleet.ts';
import { healthySince } from '../support/health.ts';
import { journalOf } from '../support/fleet-journal.ts';

const s = (seconds: number) => EPOCH + seconds * 1000;
const iso = (seconds: number) => new Date(s(seconds)).toISOString();
const LATER = 3600;
const URL = 'https://assets.example.net/install.sh';
const DOWNLOADS = {
  extensions: [{ name: 'app', settings: { fileUris: [`${URL}?sig=secret`] } }, { name: 'next' }],
};

describeEngines('what goes wrong in a simulated fleet', (open) => {
  const fleetWith = async (
    faults: FaultSpec[],
    set: Partial<TestSet> = {},
    options: Partial<FleetSpec> = {},
  ) => {
    const sets = [
      { region: 'eastus', capacity: 10, zones: ['1', '2', '3'], ...set },
      { region: 'westus', capacity: 4, extensions: [] },
    ];
    const made = await fleetOf(sets, { database: await open(), faults, ...options });
    return { ...made, id: made.scaleSetIds[0] as string, other: made.scaleSetIds[1] as string };
  };
  type Made = Awaited<ReturnType<typeof fleetWith>>;
  const all = Array.from({ length: 10 }, (_, i) => String(i));
  /** Upgrades instances, one operation after the other, and looks at them much later. */
  const upgrade = async ({ fleet, id }: Made, ids = all): Promise<Instance[]> => {
    for (const operation of ['osDisk.swap', 'model.apply', 'extension.run'] as const) {
      await fleet.operate(request(id, ids, operation, s(0)));
    }
    return fleet.instances(id, s(LATER), ids);
  };
  const idsOf = (instances: Instance[], wanted: (instance: Instance) => boolean) =>
    instances.filter(wanted).map(({ instanceId }) => instanceId);

  it('leaves instances unhealthy on a bad version, and well again on the old one', async () => {
    const made = await fleetWith([
      { kind: 'neverHealthy', version: NEW_VERSION, scaleSet: 'set-1', instances: ['3', '7'] },
    ]);
    const instances = await upgrade(made);
    expect(idsOf(instances, (instance) => healthySince(instance) === null)).toEqual(['3', '7']);
    expect(instances[3]).toMatchObject({ applicationHealth: 'unhealthy', provisioningState: 'Succeeded' });
    await made.fleet.operate(request(made.id, ['3'], 'osDisk.restore', s(LATER)));
    expect((await made.fleet.instances(made.id, s(2 * LATER), ['3']))[0]).toMatchObject({
      osDisk: { source: { version: OLD_VERSION } },
      applicationHealth: 'healthy',
    });
  });

  it('hits the same share of instances for the same seed', async () => {
    const faults: FaultSpec[] = [{ kind: 'neverHealthy', version: NEW_VERSION, share: 0.5 }];
    const sick = (instances: Instance[]) => idsOf(instances, (instance) => healthySince(instance) === null);
    const first = sick(await upgrade(await fleetWith(faults)));
    expect(first.length).toBeGreaterThan(0);
    expect(first.length).toBeLessThan(10);
    expect(sick(await upgrade(await fleetWith(faults)))).toEqual(first);
  });

  it('boots and warms up slower, by so many seconds', async () => {
    const usual = await upgrade(await fleetWith([]));
    const slow = await upgrade(
      await fleetWith([
        { kind: 'slowBoot', seconds: 100, zone: '1' },
        { kind: 'slowHealth', seconds: 210, version: NEW_VERSION, instances: ['1'] },
      ]),
    );
    const delays = slow.map((instance, i) => [
      ((instance.configuredAt as number) - (usual[i]?.configuredAt as number)) / 1000,
      ((healthySince(instance) as number) - (healthySince(usual[i]) as number)) / 1000,
    ]);
    expect(delays.slice(0, 4)).toEqual([
      [100, 100],
      // Seen by the next reading of the probe, which asks every 15 s.
      [0, 210],
      [0, 0],
      [100, 100],
    ]);
  });

  it('fails an extension, and does not run those after it', async () => {
    const made = await fleetWith([{ kind: 'extensionFails', extension: 'APP', instances: ['0'] }], DOWNLOADS);
    const [failed, fine] = await upgrade(made, ['0', '1']);
    expect(failed).toMatchObject({
      provisioningState: 'Failed',
      healthyStretches: [],
      extensions: [
        { name: 'app', state: 'failed', error: { code: 'ExtensionFailed' } },
        { name: 'next', state: 'notRun' },
      ],
    });
    expect(failed?.configuredAt).not.toBeNull();
    expect(fine).toMatchObject({ provisioningState: 'Succeeded', applicationHealth: 'healthy' });
    const lines = await journalOf(made.database, made.id);
    expect(lines.filter((line) => line.includes(' 0 extension.run'))).toHaveLength(2);
  });

  it('fails extensions whose credential has expired, until it is renewed (rule B11)', async () => {
    const made = await fleetWith([{ kind: 'credentialExpired', url: URL, at: iso(-60) }], DOWNLOADS);
    const [failed] = await upgrade(made, ['0']);
    const error = failed?.extensions[0]?.error;
    expect(error).toMatchObject({ code: 'CredentialExpired' });
    expect(error?.message).toContain('"app"');
    expect(error?.message).toContain(URL);
    expect(error?.message).not.toContain('secret');

    await made.fleet.putExternalResource({ url: URL, credentialExpiresAt: s(10 * LATER), goneAt: null });
    const again = { attemptId: 'attempt-2', fence: 2 };
    await made.fleet.operate(request(made.id, ['0'], 'model.apply', s(LATER), again));
    await made.fleet.operate(request(made.id, ['0'], 'extension.run', s(LATER), again));
    expect((await made.fleet.instances(made.id, s(2 * LATER), ['0']))[0]).toMatchObject({
      provisioningState: 'Succeeded',
      applicationHealth: 'healthy',
    });
  });

  it('opens a place that tells tokens apart by a token of its own only: the model must be given it (rule B11)', async () => {
    const signed = { externalResources: [{ url: `${URL}?sig=secret`, credentialExpiresAt: iso(-60) }] };
    const made = await fleetWith([], DOWNLOADS, signed);
    const { fleet, id } = made;
    const codeAfter = async (attempt: number) => {
      const again = { attemptId: `attempt-${attempt}`, fence: attempt };
      const at = s(attempt * LATER);
      await fleet.operate(request(id, ['0'], 'model.apply', at, again));
      await fleet.operate(request(id, ['0'], 'extension.run', at, again));
      const [instance] = await fleet.instances(id, s((attempt + 1) * LATER), ['0']);
      return instance?.extensions[0]?.error?.code ?? 'none';
    };
    const give = async (sig: string) => {
      const model = JSON.stringify(await fleet.model(id)).replace(/sig=\w+/, `sig=${sig}`);
      await fleet.writeModel({ model: JSON.parse(model) as Json, apiVersion: '2024-11-01', at: s(LATER) });
    };
    expect(await codeAfter(1)).toBe('CredentialExpired');
    await fleet.putExternalResource({ url: `${URL}?sig=new`, credentialExpiresAt: null, goneAt: null });
    expect(await codeAfter(2)).toBe('CredentialExpired');
    await give('mistyped');
    expect(await codeAfter(3)).toBe('CredentialExpired');
    await give('new');
    expect(await codeAfter(4)).toBe('none');
  });

  it('goes by when an extension runs, not by when it is asked', async () => {
    // It expires while the disks are being swapped.
    const made = await fleetWith([{ kind: 'resourceGone', url: URL, at: iso(5) }], DOWNLOADS);
    const [failed] = await upgrade(made, ['0']);
    expect(failed?.extensions[0]?.error?.code).toBe('ExternalResourceUnavailable');
    const late = await fleetWith([{ kind: 'resourceGone', url: URL, at: iso(LATER) }], DOWNLOADS);
    expect((await upgrade(late, ['0']))[0]?.provisioningState).toBe('Succeeded');
  });

  it('goes by when that very extension runs, not by when the first of them does', async () => {
    const behaviour = { extensionRun: { min: 30, max: 30 } };
    const [app, next] = DOWNLOADS.extensions;
    const set = { capacity: 1, extensions: [{ name: next?.name ?? '' }, app ?? { name: '' }] };
    const healthy = await fleetWith([], set, { behaviour });
    const [fine] = await upgrade(healthy, ['0']);
    const firstRuns = (fine?.configuredAt ?? 0) - 60_000;
    const gone = { kind: 'resourceGone' as const, url: URL, at: new Date(firstRuns + 10_000).toISOString() };
    const [failed] = await upgrade(await fleetWith([gone], set, { behaviour }), ['0']);
    expect(failed?.extensions).toMatchObject([
      { name: 'next', state: 'succeeded' },
      { name: 'app', state: 'failed', error: { code: 'ExternalResourceUnavailable' } },
    ]);
  });

  it('puts the old disk back when a swap fails, and can try again', async () => {
    const made = await fleetWith([{ kind: 'swapFails', times: 1, instances: ['0'] }]);
    const before = await made.fleet.instances(made.id, s(0), ['0']);
    const [begun] = await made.fleet.operate(request(made.id, ['0'], 'osDisk.swap', s(0)));
    const [state] = await made.fleet.operate(request(made.id, ['0'], 'osDisk.swap', begun?.endsAt as number));
    expect(state).toMatchObject({ status: 'failed', error: { code: 'OsDiskSwapFailed' } });
    expect((await made.fleet.instances(made.id, s(LATER), ['0']))[0]).toMatchObject({
      osDisk: before[0]?.osDisk,
      powerState: 'running',
      provisioningState: 'Failed',
      healthyStretches: [],
    });
    await made.fleet.operate(request(made.id, ['0'], 'osDisk.swap', s(LATER), { ordinal: 2 }));
    expect((await made.fleet.instances(made.id, s(2 * LATER), ['0']))[0]?.osDisk?.source.version).toBe(
      NEW_VERSION,
    );
  });

  it.each([
    ['osDisk.swap', 'swapFails'],
    ['osDisk.restore', 'restoreFails'],
  ] as const)(
    'fails so many tries of %s of each instance, whatever the attempts',
    async (operation, kind) => {
      const made = await fleetWith([{ kind, times: 2, instances: ['0', '1'] }]);
      if (operation === 'osDisk.restore') await upgrade(made);
      const endOf = async (id: string, attempt: number): Promise<string> => {
        // What the workflows ask for: each attempt's first and only try.
        const start = s(attempt * LATER);
        const asked = { attemptId: `attempt-${attempt}`, fence: attempt, ordinal: 0 };
        const [begun] = await made.fleet.operate(request(made.id, [id], operation, start, asked));
        const end = begun?.endsAt as number;
        const [ended] = await made.fleet.operate(request(made.id, [id], operation, end, asked));
        return ended?.status ?? 'unknown';
      };
      const tries: string[][] = [];
      for (const attempt of [2, 3, 4]) {
        tries.push([await endOf('0', attempt), await endOf('2', attempt)]);
        // Other faults do not have these begin anew.
        await made.fleet.setFaults([
          { kind: 'slowBoot', seconds: attempt },
          { kind, times: 2, instances: ['0', '1'] },
        ]);
      }
      const others = operation === 'osDisk.swap' ? 'succeeded' : 'failed';
      expect(tries).toEqual([
        ['failed', 'succeeded'],
        ['failed', others],
        ['succeeded', others],
      ]);
      expect(await endOf('1', 5)).toBe('failed');
    },
  );

  it('never leaves an instance without an OS disk when a restore fails', async () => {
    const made = await fleetWith([{ kind: 'restoreFails', instances: ['0'] }]);
    await upgrade(made, ['0', '1']);
    const states = await made.fleet.operate(request(made.id, ['0', '1'], 'osDisk.restore', s(LATER)));
    const ended = await made.fleet.operate(
      request(made.id, ['0', '1'], 'osDisk.restore', Math.max(...states.map(({ endsAt }) => endsAt))),
    );
    expect(ended.map(({ status }) => status)).toEqual(['failed', 'succeeded']);
    expect(ended[0]?.error?.code).toBe('OsDiskRestoreFailed');
    const [left] = await made.fleet.instances(made.id, s(2 * LATER), ['0']);
    expect(left).toMatchObject({ osDisk: { source: { version: NEW_VERSION } }, provisioningState: 'Failed' });
    expect(left?.previousOsDisk?.source.version).toBe(OLD_VERSION);
  });

  it('takes a zone down between two moments, and lets it recover', async () => {
    const { fleet, id } = await fleetWith([
      { kind: 'outage', region: 'eastus', zone: '2', from: iso(60), to: iso(120) },
    ]);
    const down = async (seconds: number) =>
      idsOf(await fleet.instances(id, s(seconds)), ({ powerState }) => powerState !== 'running');
    expect(await down(59.999)).toEqual([]);
    expect(await down(60)).toEqual(['1', '4', '7']);
    expect(await down(119.999)).toEqual(['1', '4', '7']);
    expect(await down(120)).toEqual([]);
    const [warming] = await fleet.instances(id, s(121), ['1']);
    expect(warming?.applicationHealth).toBe('unhealthy');
    expect(
      (await fleet.instances(id, s(300))).every(({ applicationHealth }) => applicationHealth === 'healthy'),
    ).toBe(true);
  });

  it('gets healthy after an outage at the earliest, if one comes in between (rule B5)', async () => {
    const made = await fleetWith([{ kind: 'outage', instances: ['0'], from: iso(30), to: iso(1200) }]);
    const [hit, spared] = await upgrade(made, ['0', '1']);
    expect(healthySince(hit)).toBeGreaterThan(s(1200));
    expect(healthySince(spared)).toBeLessThan(s(600));
  });

  it.each([
    ['after', 'ServiceUnavailable'],
    ['timeout', 'GatewayTimeout'],
  ] as const)(
    'has the API fail so many times, before or %s it has done what was asked',
    async (effect, code) => {
      const { fleet, id, other, database } = await fleetWith([
        { kind: 'apiError', operation: 'osDisk.swap', times: 2, effect: 'before', scaleSet: 'SET-1' },
        { kind: 'apiError', operation: 'model.apply', times: 1, effect },
      ]);
      const swap = request(id, ['0'], 'osDisk.swap', s(0));
      await expect(fleet.operate(request(other, ['0'], 'osDisk.swap', s(0)))).resolves.toHaveLength(1);
      for (let i = 0; i < 2; i++) {
        await expect(fleet.operate(swap)).rejects.toMatchObject({ code: 'ServiceUnavailable' });
        expect(await journalOf(database, id)).toEqual([]);
      }
      expect(await fleet.operate(swap)).toMatchObject([{ status: 'running' }]);

      const apply = request(id, ['0'], 'model.apply', s(300));
      await expect(fleet.operate(apply)).rejects.toMatchObject({ code });
      const done = (await journalOf(database, id)).length;
      expect(done).toBe(3);
      expect(await fleet.operate(apply)).toMatchObject([{ startedAt: s(300) }]);
      expect(await journalOf(database, id)).toHaveLength(done);
    },
  );

  it('takes other times while it runs, and says what is wrong with them', async () => {
    const { fleet, id } = await fleetWith([]);
    const [usual] = await fleet.operate(request(id, ['0'], 'osDisk.swap', s(0)));
    expect(usual?.status).toBe('running');
    await fleet.setBehaviour('instant');
    expect(await fleet.operate(request(id, ['0', '1'], 'osDisk.swap', s(0)))).toMatchObject([
      usual,
      { status: 'succeeded', endsAt: s(0) },
    ]);
    await expect(fleet.setBehaviour({ boot: { min: 5, max: 1 } })).rejects.toThrow(/swap them/);
  });

  it('takes other faults while it runs, and says what is wrong with them', async () => {
    const made = await fleetWith([]);
    await made.fleet.instances(made.id, s(0));
    await made.fleet.setFaults([{ kind: 'neverHealthy', version: NEW_VERSION }]);
    expect(await made.fleet.faults()).toHaveLength(1);
    const instances = await upgrade(made, ['0']);
    expect(healthySince(instances[0])).toBeNull();
    await expect(made.fleet.setFaults([{ kind: 'neverHealthy' }])).rejects.toThrow(/version/);
    await expect(made.fleet.setFaults([{ kind: 'gremlins' }])).rejects.toThrow(
      /list of faults cannot be used/,
    );
  });
});
