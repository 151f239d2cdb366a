import { describe, expect, it } from 'vitest';
import type { EligibilityFacts } from '../../src/domain/eligibility.ts';
import { policyInForce } from '../../src/domain/policy.ts';
import type { Durability, Extension, ScaleSet } from '../../src/domain/scale-set.ts';
import { nextSetStep } from '../../src/domain/set-planner.ts';
import { codes, extension, healthExtension, judge, optedIn, web } from './judged-set.ts';
import { instances, observation, took } from './observed-set.ts';

const node = (more: Partial<Extension> = {}) =>
  extension('Microsoft.Azure.ServiceFabric', 'ServiceFabricLinuxNode', {
    typeHandlerVersion: '1.1',
    ...more,
  });
const endpoint = 'https://westeurope.servicefabric.azure.com/runtime/clusters/1';

/** A node type of that durability, without a health source. */
const nodeType = (durabilityLevel: Durability, change: Partial<ScaleSet> = {}): Partial<ScaleSet> => ({
  extensions: [node()],
  serviceFabric: { clusterEndpoint: endpoint, nodeTypeRef: 'fe', durabilityLevel },
  ...change,
});
const cluster = (durabilityLevel: Durability, isStateless = false): Partial<EligibilityFacts> => ({
  cluster: { name: 'orders', nodeType: { name: 'fe', durabilityLevel, isStateless } },
});
const probe: Partial<ScaleSet> = { healthProbeId: '/probes/http' };
const withHealth: Partial<ScaleSet> = { extensions: [node(), healthExtension] };

describe('a Service Fabric node type (rule C5)', () => {
  it.each<[Durability, 'stateless' | 'stateful', string, Partial<ScaleSet>, string[]]>([
    ['Silver', 'stateful', 'no health source', {}, []],
    ['Gold', 'stateful', 'no health source', {}, []],
    ['Silver', 'stateless', 'no health source', {}, []],
    ['Silver', 'stateful', 'a health extension', withHealth, []],
    ['Silver', 'stateful', 'a probe', probe, ['ServiceFabricProbeNotSupported']],
    ['Gold', 'stateful', 'a probe', probe, ['ServiceFabricProbeNotSupported']],
    ['Bronze', 'stateless', 'no health source', {}, ['HealthSourceMissing']],
    ['Bronze', 'stateless', 'a probe', probe, []],
    ['Bronze', 'stateless', 'a health extension', withHealth, []],
    ['Bronze', 'stateless', 'both', { ...probe, ...withHealth }, ['TwoHealthSources']],
    ['Bronze', 'stateful', 'no health source', {}, ['ServiceFabricDurabilityTooLow']],
    ['Bronze', 'stateful', 'a probe', probe, ['ServiceFabricDurabilityTooLow']],
  ])('of durability %s, %s, with %s: %j', (level, state, _health, change, expected) => {
    expect(codes(nodeType(level, change), cluster(level, state === 'stateless'))).toEqual(expected);
  });

  it.each<[Durability, Durability]>([
    ['Silver', 'Gold'],
    ['Gold', 'Silver'],
    ['Silver', 'Bronze'],
  ])('whose extension says %s and whose cluster %s would fail', (ofExtension, ofCluster) => {
    const { reasons } = judge(nodeType(ofExtension), cluster(ofCluster));
    expect(reasons.map(({ code }) => code)).toEqual(['ServiceFabricDurabilityMismatch']);
    expect(reasons[0]?.message).toBe(
      `Node type fe of cluster orders has durability ${ofCluster}, and the extension says ${ofExtension}: an upgrade would fail.`,
    );
  });

  it.each([
    ['0.9', ['ServiceFabricHandlerTooOld']],
    ['1', ['ServiceFabricHandlerTooOld']],
    ['1.0', ['ServiceFabricHandlerTooOld']],
    ['1.1', []],
    ['1.10', []],
    ['2.0', []],
    ['10.0', []],
  ])('with handler version %s: %j', (typeHandlerVersion, expected) => {
    expect(
      codes(nodeType('Silver', { extensions: [node({ typeHandlerVersion })] }), cluster('Silver')),
    ).toEqual(expected);
  });

  it('needs a cluster and a node type that there are', () => {
    const unknown = judge(nodeType('Silver'), { cluster: null });
    expect(unknown.reasons).toMatchObject([
      { code: 'ServiceFabricClusterNotFound', message: expect.stringContaining(endpoint) },
    ]);
    const { reasons } = judge(nodeType('Silver'), { cluster: { name: 'orders', nodeType: null } });
    expect(reasons).toMatchObject([
      { code: 'ServiceFabricNodeTypeNotFound', message: 'Cluster orders has no node type fe.' },
    ]);
  });

  it('must say which cluster and which node type it is', () => {
    const silent = nodeType('Silver', {
      serviceFabric: { clusterEndpoint: null, nodeTypeRef: null, durabilityLevel: 'Silver' },
    });
    expect(judge(silent, { cluster: null }).reasons[0]?.message).toContain('does not say which cluster');
    expect(judge(silent, { cluster: { name: 'orders', nodeType: null } }).reasons[0]?.message).toContain(
      'does not say which node type',
    );
  });

  it('has update domains, which Flexible orchestration has not', () => {
    expect(codes(nodeType('Silver', { orchestrationMode: 'Flexible' }), cluster('Silver'))).toEqual([
      'ServiceFabricWithoutUpdateDomains',
    ]);
  });

  it('is judged alike when a person starts it, but for the opt-in (D8)', () => {
    const optedOut = {
      ...web.upgradePolicy,
      automaticOSUpgradePolicy: { ...optedIn, enableAutomaticOSUpgrade: false },
    };
    const set = nodeType('Silver', { upgradePolicy: optedOut });
    expect(codes(set, cluster('Silver'), { automatic: false })).toEqual([]);
    expect(codes(set, cluster('Gold'), { automatic: false })).toEqual(['ServiceFabricDurabilityMismatch']);
  });

  it('says what to do about each reason', () => {
    const { reasons } = judge(
      nodeType('Silver', {
        ...probe,
        orchestrationMode: 'Flexible',
        extensions: [node({ typeHandlerVersion: '1.0' })],
      }),
      cluster('Gold'),
    );
    expect(reasons).toHaveLength(4);
    for (const { message, fix, rule } of reasons) {
      expect(rule).toBe('C5');
      expect(message).toMatch(/\.$/);
      expect(fix).toMatch(/\.$/);
    }
  });
});

describe('Windows Update on Service Fabric nodes (rule C6)', () => {
  it.each([
    ['Windows', '2024-07-01', true, ['WindowsUpdateEnabled']],
    ['Windows', '2018-10-01', true, ['WindowsUpdateEnabled']],
    ['Windows', '2018-10-01', null, ['WindowsUpdateEnabled']],
    ['Windows', '2018-10-01', false, []],
    ['Linux', '2018-10-01', null, []],
  ] as const)(
    '%s, written with %s, enableAutomaticUpdates %s: %j',
    (osType, modelApiVersion, updates, expected) => {
      const set = nodeType('Silver', { osType, modelApiVersion, enableAutomaticUpdates: updates });
      expect(codes(set, cluster('Silver'))).toEqual(expected);
    },
  );
});

describe('batches of Service Fabric nodes (rules B3, C5)', () => {
  const crossing: Partial<ScaleSet> = {
    zones: ['1', '2'],
    upgradePolicy: {
      ...web.upgradePolicy,
      rollingUpgradePolicy: { enableCrossZoneUpgrade: true, maxBatchInstancePercent: 50 },
      automaticOSUpgradePolicy: { ...optedIn, useRollingUpgradePolicy: true },
    },
  };

  it('never span zones, whatever the policy asks for, and that is said', () => {
    const set = { ...web, ...nodeType('Silver', crossing) };
    expect(policyInForce(set)).toMatchObject({ enableCrossZoneUpgrade: false, maxBatchInstancePercent: 50 });
    expect(policyInForce(set, { enableCrossZoneUpgrade: true }).enableCrossZoneUpgrade).toBe(false);
    const { warnings, eligible } = judge(nodeType('Silver', crossing), cluster('Silver'));
    expect(eligible).toBe(true);
    expect(warnings).toMatchObject([{ code: 'CrossZoneUpgradeIgnored', rule: 'C5' }]);
  });

  it('are warned of only where the policy is used, and where there are zones', () => {
    const warned = (change: Partial<ScaleSet>) =>
      judge(nodeType('Silver', { ...crossing, ...change }), cluster('Silver')).warnings.length;
    const notUsed = {
      ...crossing.upgradePolicy,
      automaticOSUpgradePolicy: optedIn,
    } as ScaleSet['upgradePolicy'];
    expect([warned({}), warned({ zones: [] }), warned({ upgradePolicy: notUsed })]).toEqual([1, 0, 0]);
  });

  it('span them elsewhere, without a word', () => {
    expect(policyInForce({ ...web, ...crossing }).enableCrossZoneUpgrade).toBe(true);
    expect(judge(crossing).warnings).toEqual([]);
  });
});

describe('an update of Service Fabric nodes to their model (rules B14, C5)', () => {
  const update = { kind: 'modelUpdate', updateDomainsTakeTurns: true, zonesTakeTurns: false } as const;
  const inZones = instances(20, (i) => ({ zone: String((i % 2) + 1), updateDomain: Math.floor(i / 2) % 5 }));

  it('takes one update domain at a time, all of it at once', () => {
    const seen = observation(update);
    expect(nextSetStep(seen)).toMatchObject({ number: 1, updateDomain: 0, instanceIds: ['0', '5'] });
    const next = {
      ...seen,
      taken: [took('0', 'upgraded'), took('5', 'upgraded')],
      lastBatch: { number: 1, zone: null, updateDomain: 0, endedAt: seen.now },
    };
    expect(nextSetStep(next)).toMatchObject({ number: 2, updateDomain: 1, instanceIds: ['1', '6'] });
  });

  it('takes an update domain of one zone only, and finishes the zone', () => {
    const seen = observation({ ...update, instances: inZones });
    expect(nextSetStep(seen)).toMatchObject({ zone: '1', updateDomain: 0, instanceIds: ['0', '10'] });
    const lastBatch = { number: 1, zone: '2', updateDomain: 3, endedAt: seen.now };
    expect(nextSetStep({ ...seen, lastBatch })).toMatchObject({ zone: '2', updateDomain: 3 });
  });

  it('goes no further when an update domain has got ill', () => {
    const taken = [took('0', 'upgraded'), took('5', 'left')];
    expect(nextSetStep(observation({ ...update, taken }))).toMatchObject({
      kind: 'finish',
      status: 'Faulted',
      reason: { code: 'InstancesNotHealthy' },
    });
  });

  it('is one batch of all elsewhere', () => {
    const seen = observation({ kind: 'modelUpdate', instances: inZones });
    expect(nextSetStep(seen)).toMatchObject({ zone: null, updateDomain: null });
    expect(nextSetStep(seen)).toHaveProperty('instanceIds.length', 20);
  });
});
