import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HistoryItem } from '../../src/arm/history.ts';
import { createApiServer, type ApiParts } from '../../src/arm/server.ts';
import { MINUTE } from '../../src/domain/clock.ts';
import { DEFAULT_ROLLING_POLICY } from '../../src/domain/policy.ts';
import { openLedger } from '../../src/ledger/index.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { fleetOf, EPOCH, NEW_VERSION, OLD_VERSION, TARGET, type TestFleet } from '../support/fleet.ts';

const ATTEMPTS = 7;
const done = {
  successfulInstanceCount: 3,
  failedInstanceCount: 0,
  inProgressInstanceCount: 0,
  pendingInstanceCount: 0,
};

interface GetOptions {
  fleet?: ApiParts['fleet'];
  probes?: ApiParts['probes'];
  headers?: Record<string, string>;
}

describe('the API on a fleet and a ledger', () => {
  let test: TestFleet;
  let lines: { msg: string; level: number; [key: string]: unknown }[];
  let set = '';
  let untouched = '';

  /** A server of its own for each request: what it logs is this request's. */
  async function get(url: string, options: GetOptions = {}) {
    lines = [];
    const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const { fleet = test.fleet, probes = {}, headers } = options;
    const ledger = openLedger(test.database);
    const metrics = createMetrics({ statistics: ledger.statistics, fleet: test.fleet, probes, log });
    const server = createApiServer({ fleet, ledger, probes, metrics, log });
    try {
      return await server.inject({ url, headers });
    } finally {
      await server.close();
    }
  }

  beforeAll(async () => {
    test = await fleetOf([
      { name: 'Web', region: 'westeurope', capacity: 3 },
      { name: 'Idle', region: 'westeurope', capacity: 1 },
    ]);
    [set = '', untouched = ''] = test.scaleSetIds;
    await recordAttempts(test, set);
  });
  afterAll(() => test.remove());

  it('is alive, and ready when all its parts answer', async () => {
    expect((await get('/healthz')).json()).toEqual({ status: 'ok' });
    const answer = await get('/readyz', { probes: { database: async () => 1, temporal: async () => 1 } });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ status: 'ready', checks: { database: 'ok', temporal: 'ok' } });
    expect(lines).toEqual([]);
  });

  it('says which part does not answer, also when it never does', async () => {
    const probes = {
      database: () => Promise.reject(new Error('connection refused')),
      temporal: () => new Promise(() => {}),
    };
    const answer = await get('/readyz', { probes });
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toEqual({
      status: 'not ready',
      checks: { database: 'connection refused', temporal: 'no answer within 2 s' },
    });
  });

  it('serves the last five OS upgrades, newest first, to a client that spells the path its own way', async () => {
    const path = `/${set.replace('resourceGroups', 'resourcegroups')}/OSUPGRADEHISTORY/`;
    const answer = await get(`${path.replace('/virtualMachine', '//virtualMachine')}?API-version=2021-03-01`);
    expect(answer.statusCode).toBe(200);
    const { value } = answer.json<{ value: HistoryItem[] }>();
    const starts = value.map(({ properties }) => properties.runningStatus.startTime);
    expect(starts).toHaveLength(5);
    expect(starts).toEqual(starts.toSorted().toReversed());
    expect(value[0]).toMatchObject({
      location: 'westeurope',
      properties: {
        runningStatus: { code: 'RollingForward' },
        rollbackInfo: { successfullyRolledbackInstanceCount: 1, failedRolledbackInstanceCount: 0 },
      },
    });
    expect(value[1]?.properties.runningStatus).toMatchObject({
      code: 'Completed',
      endTime: expect.any(String) as string,
    });
  });

  it.each(['%00', '%0a', '%1b%5b2J', '%c2%9b', '%e2%80%ae', 'x'.repeat(290)])(
    'answers the name %s, which nobody means well by, as a bad request or as unknown, and repeats nothing that acts',
    async (name) => {
      const answer = await get(`${set}${name}/osUpgradeHistory?api-version=2024-11-01`);
      expect(answer.json<{ error: { code: string } }>().error.code).toMatch(
        /InvalidParameter|ResourceNotFound/,
      );
      expect([400, 404]).toContain(answer.statusCode);
      expect(answer.body + JSON.stringify(lines)).not.toMatch(/[\p{Cc}\p{Bidi_Control}]|node_modules|src\//u);
    },
  );

  it.each([
    ['/..%2f..%2fetc%2fpasswd', 404],
    ['/%', 400],
    [`/${'x/'.repeat(5_000)}`, 404],
    [
      '/subscriptions/__proto__/resourceGroups/constructor/providers/Microsoft.Compute/virtualMachineScaleSets/x/osUpgradeHistory?api-version=2024-11-01&__proto__=x',
      404,
    ],
  ])('answers %s by an error in ARM’s shape', async (path, status) => {
    const answer = await get(path);
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({
      error: { code: expect.any(String) as string, message: expect.any(String) as string },
    });
    expect(answer.body).not.toMatch(/node_modules|at .*\(/);
  });

  it('serves the latest rolling upgrade, and Azure’s 404 where there was none', async () => {
    const answer = await get(`${set}/rollingUpgrades/latest?api-version=2023-09-01`);
    expect(answer.json()).toMatchObject({ properties: { runningStatus: { code: 'RollingForward' } } });
    const none = await get(`${untouched}/rollingUpgrades/latest?api-version=2023-09-01`);
    expect(none.statusCode).toBe(404);
    expect(none.json()).toMatchObject({ error: { code: 'NotFound' } });
    const empty = await get(`${untouched}/osUpgradeHistory?api-version=2023-09-01`);
    expect(empty.json()).toEqual({ value: [] });
  });

  it('does not find a scale set that is not there', async () => {
    const answer = await get(`${set}2/osUpgradeHistory?api-version=2023-09-01`);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toEqual({
      error: {
        code: 'ResourceNotFound',
        message:
          "The Resource 'Microsoft.Compute/virtualMachineScaleSets/Web2' under resource group 'fleet' was not found.",
      },
    });
  });

  it.each([
    ['', 'MissingApiVersionParameter'],
    ['?api-version=', 'MissingApiVersionParameter'],
    ['?api-version=2018-09-30', 'NoRegisteredProviderFound'],
    ['?api-version=2024-13-01', 'NoRegisteredProviderFound'],
    ['?api-version=latest', 'NoRegisteredProviderFound'],
  ])('refuses the query "%s" as %s', async (query, code) => {
    const answer = await get(`${set}/osUpgradeHistory${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ error: { code } });
  });

  it.each(['2018-10-01', '2026-04-01', '2099-01-01-preview'])('takes API version %s', async (version) => {
    const answer = await get(`${set}/osUpgradeHistory?api-version=${version}`);
    expect(answer.statusCode).toBe(200);
  });

  describe('lists image versions (rule E3)', () => {
    const versions = (region: string, query = '', sku = '22_04-lts') =>
      get(
        `/subscriptions/s/providers/microsoft.compute/locations/${region}/publishers/canonical/artifactTypes/VMImage` +
          `/offers/0001-com-ubuntu-server-jammy/skus/${sku}/versions?api-version=2024-11-01${query}`,
      );
    const names = (answer: Awaited<ReturnType<typeof get>>) =>
      answer.json<{ name: string }[]>().map(({ name }) => name);

    it('as a bare array with ids, the region spelt either way', async () => {
      const answer = await versions('West%20Europe');
      expect(names(answer)).toEqual([OLD_VERSION, NEW_VERSION]);
      expect(answer.json()).toContainEqual({
        location: 'westeurope',
        name: NEW_VERSION,
        id:
          '/Subscriptions/s/Providers/Microsoft.Compute/Locations/westeurope/Publishers/canonical/ArtifactTypes/VMImage' +
          `/Offers/0001-com-ubuntu-server-jammy/Skus/22_04-lts/Versions/${NEW_VERSION}`,
      });
    });

    it('newest first and only so many, which is how a client asks for the latest', async () => {
      expect(names(await versions('westeurope', '&%24top=1&$orderby=name%20desc'))).toEqual([NEW_VERSION]);
    });

    it.each([
      ['westeurope', '&$top=0', '22_04-lts', 400, 'InvalidParameter'],
      ['westeurope', '&$orderby=date', '22_04-lts', 400, 'InvalidParameter'],
      ['westeurope', '', 'no-such-sku', 404, 'NotFound'],
      ['atlantis', '', '22_04-lts', 404, 'LocationNotFound'],
    ])('and refuses %s %s %s', async (region, query, sku, status, code) => {
      const answer = await versions(region, query, sku);
      expect(answer.statusCode).toBe(status);
      expect(answer.json()).toMatchObject({ error: { code } });
    });
  });

  it('answers everything else by an ARM error that says what is served', async () => {
    const answer = await get(`${set}?api-version=2024-11-01`);
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toEqual({
      error: {
        code: 'NotFound',
        message: expect.stringContaining('control plane API is not served yet') as string,
      },
    });
    expect(lines).toMatchObject([{ msg: 'request', method: 'GET', status: 404 }]);
  });

  it('answers an address that can’t be decoded in ARM’s shape', async () => {
    const answer = await get('/subscriptions/%E0%A4%A');
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ error: { code: 'BadRequest' } });
  });

  it('keeps the words of its own faults to the log', async () => {
    const fleet = { ...test.fleet, scaleSet: () => Promise.reject(new Error('password=s3cret')) };
    const answer = await get(`${set}/osUpgradeHistory?api-version=2023-09-01`, { fleet });
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({ error: { code: 'InternalServerError' } });
    expect(answer.body).not.toContain('s3cret');
    expect(JSON.stringify(lines)).toContain('s3cret');
  });

  it('names each request for the client and for the log', async () => {
    const headers = { 'x-ms-client-request-id': 'mine', 'x-ms-correlation-request-id': 'ours' };
    const answer = await get('/nothing', { headers });
    expect(answer.headers).toMatchObject({
      'x-ms-client-request-id': 'mine',
      'x-ms-correlation-request-id': 'ours',
      'x-ms-request-id': lines[0]?.['reqId'],
    });
  });
});

/** Attempts a minute apart; the last one runs, and has restored an instance. */
async function recordAttempts({ database, fleet }: TestFleet, scaleSetId: string): Promise<void> {
  const { attempts } = openLedger(database);
  for (let number = 1; number <= ATTEMPTS; number++) {
    const at = EPOCH + number * MINUTE;
    const request = {
      scaleSetId,
      rolloutId: 'rollout',
      workflowId: 'scale-set/web',
      runId: `run-${number}`,
      kind: 'osUpgrade' as const,
      region: 'eastus',
      startedBy: 'Platform' as const,
      target: TARGET,
      policy: DEFAULT_ROLLING_POLICY,
      restoresOnFailure: true,
      healthTimeout: 300_000,
      at,
    };
    const { attempt } = await attempts.open(request, () => Promise.resolve(false));
    if (number < ATTEMPTS) await attempts.close(attempt, 'Completed', null, done, at + 1_000);
    else await restoreOne(attempt, at);
  }

  async function restoreOne(attempt: { id: string; fence: number }, at: number): Promise<void> {
    const [instance] = await fleet.instances(scaleSetId, at);
    const { instanceId = '0', updateDomain = 0 } = instance ?? {};
    const observed = { instances: 10, unhealthy: 0, upgraded: 0, upgradedUnhealthy: 0, pending: {} };
    const batch = { number: 1, zone: null, updateDomain, observed, startedAt: at };
    await attempts.openBatch(
      attempt,
      batch,
      [{ instanceId, zone: null, updateDomain, from: null, wasHealthy: true }],
      done,
    );
    await attempts.closeBatch(attempt, 1, [{ instanceId, outcome: 'restored', error: 'late' }], at + 1);
  }
}
