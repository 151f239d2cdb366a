import { describe, expect, it } from 'vitest';
import type { HealthExtension } from '../../src/domain/scale-set.ts';
import {
  ModelError,
  parseScaleSetModel,
  resourceUrl,
  toWireShape,
  type Json,
} from '../../src/fleet/index.ts';
import { EPOCH, testSetId } from '../support/fleet.ts';

const PROBE = {
  id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/loadBalancers/lb/probes/p',
};
const IMAGE = { publisher: 'Canonical', offer: 'jammy', sku: '22_04-lts', version: 'latest' };

/** A model on the wire, with parts of it replaced. */
function wire(parts: {
  upgradePolicy?: Json;
  extensions?: Json[];
  healthProbe?: Json;
  imageReference?: Json;
  capacity?: unknown;
  osProfile?: Json;
  top?: Json;
}): Json {
  const {
    upgradePolicy = {},
    extensions = [],
    healthProbe,
    imageReference = IMAGE,
    capacity = 2,
    osProfile = { customData: 'IyE=', windowsConfiguration: null },
    top,
  } = parts;
  return {
    id: testSetId('web'),
    name: 'web',
    location: 'East US 2',
    sku: { name: 'Standard_D2s_v5', capacity },
    ...top,
    properties: {
      upgradePolicy: { mode: 'Manual', ...upgradePolicy },
      virtualMachineProfile: {
        osProfile,
        storageProfile: { imageReference, dataDisks: [{ lun: 0, diskSizeGB: 64 }] },
        networkProfile: { ...(healthProbe ? { healthProbe } : {}) },
        extensionProfile: { extensions },
      },
      somethingNew: { kept: true },
    },
  };
}

function extension(name: string, properties: Json = {}): Json {
  return { name, properties: { publisher: 'P', type: 'T', typeHandlerVersion: '1.0', ...properties } };
}

const parse = (model: Json) =>
  parseScaleSetModel(toWireShape(model), { apiVersion: '2024-11-01', at: EPOCH });

function issues(model: Json): string[] {
  try {
    parse(model);
    return [];
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return error.issues.map(({ target, message }) => `${target}: ${message}`);
  }
}

describe('reading a scale set from its ARM model', () => {
  it('takes from the wire what the rules need', () => {
    const scaleSet = parse(
      wire({
        healthProbe: PROBE,
        top: { zones: ['1', '2'], tags: { keepDriveLetters: 'TRUE' } },
        upgradePolicy: {
          mode: 'rolling',
          rollingUpgradePolicy: {
            maxBatchInstancePercent: 10,
            pauseTimeBetweenBatches: 'PT1M30S',
            maxSurge: 'false',
          },
          automaticOSUpgradePolicy: { enableAutomaticOSUpgrade: 'true' },
        },
      }),
    );
    expect(scaleSet).toEqual({
      id: testSetId('web'),
      name: 'web',
      resourceGroup: 'fleet',
      subscriptionId: '00000000-0000-0000-0000-000000000001',
      region: 'eastus2',
      zones: ['1', '2'],
      orchestrationMode: 'Uniform',
      osType: 'Linux',
      upgradePolicy: {
        mode: 'Rolling',
        rollingUpgradePolicy: { maxBatchInstancePercent: 10, pauseTimeBetweenBatches: 90_000 },
        automaticOSUpgradePolicy: {
          enableAutomaticOSUpgrade: true,
          disableAutomaticRollback: false,
          useRollingUpgradePolicy: false,
        },
      },
      imageReference: {
        image: { kind: 'platform', publisher: 'Canonical', offer: 'jammy', sku: '22_04-lts' },
        version: 'latest',
      },
      extensions: [],
      hasCustomData: true,
      keepsDriveLetters: true,
      dataDisks: [{ lun: 0, sizeGB: 64 }],
      healthProbeId: PROBE.id,
      healthExtension: null,
      serviceFabric: null,
      computerNamePrefix: '',
      singlePlacementGroup: true,
      enableAutomaticUpdates: null,
      modelApiVersion: '2024-11-01',
      modelVersion: 1,
      automaticUpgradesSince: EPOCH,
    });
  });

  it('takes the upgrade mode Manual where the model names none (rule B14)', () => {
    const { upgradePolicy, ...others } = wire({})['properties'] as Json;
    expect(upgradePolicy).toMatchObject({ mode: 'Manual' });
    expect(parse({ ...wire({}), properties: others }).upgradePolicy.mode).toBe('Manual');
  });

  it('takes every part of the rolling policy (rule B13)', () => {
    const whole = {
      maxBatchInstancePercent: 5,
      maxUnhealthyInstancePercent: 6,
      maxUnhealthyUpgradedInstancePercent: 0,
      enableCrossZoneUpgrade: true,
      prioritizeUnhealthyInstances: true,
      rollbackFailedInstancesOnPolicyBreach: true,
    };
    const given = { ...whole, pauseTimeBetweenBatches: 'PT1H2M3S' };
    const { upgradePolicy } = parse(wire({ upgradePolicy: { rollingUpgradePolicy: given } }));
    expect(upgradePolicy.rollingUpgradePolicy).toEqual({ ...whole, pauseTimeBetweenBatches: 3_723_000 });
  });

  it.each([
    [{ enableAutomaticUpdates: true }, true],
    [{ enableAutomaticUpdates: 'False' }, false],
    [{}, null],
  ])('takes whether Windows patches itself: %j (rule C6)', (windowsConfiguration, expected) => {
    const model = wire({ osProfile: { windowsConfiguration } });
    expect(parse(model)).toMatchObject({ osType: 'Windows', enableAutomaticUpdates: expected });
  });

  it('accepts the spelling of the article, and keeps what it does not know', () => {
    const model = wire({
      upgradePolicy: {
        RollingUpgradePolicy: {
          BatchInstancePercent: 20,
          MaxUnhealthyInstancePercent: 25,
          PauseTimeBetweenBatches: 'PT0S',
        },
        AutomaticOSUpgradePolicy: { EnableAutomaticOSUpgrade: true },
      },
    });
    const shaped = toWireShape(model);
    expect(parse(model).upgradePolicy).toMatchObject({
      rollingUpgradePolicy: { maxBatchInstancePercent: 20, maxUnhealthyInstancePercent: 25 },
      automaticOSUpgradePolicy: { enableAutomaticOSUpgrade: true },
    });
    expect(shaped['properties']).toMatchObject({ somethingNew: { kept: true } });
    expect(toWireShape(shaped)).toEqual(shaped);
  });

  it('makes wire shape of what the az CLI prints', () => {
    const wired = wire({
      extensions: [extension('app', { settings: { a: 1 }, provisionAfterExtensions: [] })],
    });
    const { properties, ...own } = wired as { properties: Json };
    const profile = properties['virtualMachineProfile'] as Json;
    const flat: Json = {
      ...own,
      ...properties,
      virtualMachineProfile: {
        ...profile,
        extensionProfile: {
          extensions: [
            {
              name: 'app',
              publisher: 'P',
              typePropertiesType: 'T',
              typeHandlerVersion: '1.0',
              settings: { a: 1 },
              provisionAfterExtensions: [],
            },
          ],
        },
      },
    };
    expect(toWireShape(flat)).toEqual(wired);
  });

  it('tells a gallery image from a platform image', () => {
    const id = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/own/images/web';
    const reference = (imageReference: Json) => parse(wire({ imageReference })).imageReference;
    expect(reference({ id })).toEqual({ image: { kind: 'gallery', id }, version: 'latest' });
    expect(reference({ id: `${id}/versions/1.2.3` })).toEqual({
      image: { kind: 'gallery', id },
      version: '1.2.3',
    });
    expect(issues(wire({ imageReference: { id, version: '1.0.0' } }))[0]).toMatch(/cannot be used together/);
    expect(issues(wire({ imageReference: { publisher: 'Canonical' } }))[0]).toMatch(
      /Give publisher, offer, sku/,
    );
  });

  it('finds what extensions load from elsewhere, without its secrets', () => {
    const settings = {
      fileUris: ['https://A.example.net/x.sh?sig=secret'],
      deep: { endpoint: 'http://b.example.net/' },
      commandToExecute: `curl -fsS 'https://d.example.net/Run.sh?sig=a' | sh; echo (see http://e.example.net/x).`,
      n: 1,
    };
    const protectedSettings = { storageAccountKey: 'secret', url: 'https://c.example.net/' };
    const [app] = parse(wire({ extensions: [extension('app', { settings, protectedSettings })] })).extensions;
    expect(app?.externalResources).toEqual([
      expect.stringMatching(/^https:\/\/a\.example\.net\/x\.sh\?\(token [0-9a-f]{8}\)$/),
      'http://b.example.net/',
      resourceUrl('https://d.example.net/run.sh?sig=a'),
      'http://e.example.net/x',
    ]);
  });

  const health = (settings?: Json, typeHandlerVersion = '1.0') =>
    extension('health', {
      publisher: 'Microsoft.ManagedServices',
      type: 'ApplicationHealthLinux',
      typeHandlerVersion,
      ...(settings === undefined ? {} : { settings }),
    });
  const HTTP = { protocol: 'http', port: 80, requestPath: '/health' };
  const HEALTH = health(HTTP);

  it.each<[string, Json, Partial<HealthExtension>]>([
    ['defaults', health(HTTP), { rich: false, interval: 5_000, numberOfProbes: 1, gracePeriod: 5_000 }],
    ['the protocol in any case', health({ ...HTTP, protocol: 'HTTPS', port: null }), { protocol: 'https' }],
    [
      'its own values, as texts too, and a grace period as long as its readings',
      health({ Protocol: 'tcp', port: '8080', intervalInSeconds: '60', numberOfProbes: 24 }, '2.0'),
      { rich: true, protocol: 'tcp', interval: 60_000, numberOfProbes: 24, gracePeriod: 1_440_000 },
    ],
    ['a grace period', health({ ...HTTP, gracePeriod: 14_400 }, '2.1'), { gracePeriod: 14_400_000 }],
  ])('reads the Application Health extension: %s', (_, wired, expected) => {
    expect(parse(wire({ extensions: [wired] })).healthExtension).toMatchObject(expected);
  });

  it.each<[string, Json | undefined, RegExp]>([
    [
      'no settings',
      undefined,
      /^[\w.]+\.extensions\.health\.settings\.protocol: It is missing: give http, https or tcp/,
    ],
    ['another protocol', { ...HTTP, protocol: 'udp' }, /settings\.protocol: It is "udp": give http/],
    ['http without a path', { protocol: 'http' }, /settings\.requestPath: It is missing: with http, give/],
    ['https without a path', { protocol: 'https' }, /settings\.requestPath: It is missing: with https, give/],
    ['tcp with a path', { ...HTTP, protocol: 'tcp' }, /settings\.requestPath: With tcp there is no path/],
    ['tcp without a port', { protocol: 'tcp' }, /settings\.port: .*from 1 to 65535/],
    ['a port', { ...HTTP, port: 70_000 }, /settings\.port: It is 70000: .*from 1 to 65535/],
    [
      'a short interval',
      { ...HTTP, intervalInSeconds: 4 },
      /settings\.intervalInSeconds: It is 4: .*from 5 to 60/,
    ],
    ['a long interval', { ...HTTP, intervalInSeconds: 61 }, /from 5 to 60/],
    ['no probe', { ...HTTP, numberOfProbes: 0 }, /settings\.numberOfProbes: It is 0: .*from 1 to 24/],
    ['too many probes', { ...HTTP, numberOfProbes: 25 }, /from 1 to 24/],
    ['half a probe', { ...HTTP, numberOfProbes: 1.5 }, /It is 1.5: give a whole number from 1 to 24/],
    [
      'a long grace',
      { ...HTTP, gracePeriod: 14_401 },
      /settings\.gracePeriod: It is 14401: .*from 0 to 14400/,
    ],
  ])('refuses an Application Health extension with %s', (_, settings, message) => {
    const found = issues(wire({ extensions: [health(settings)] }));
    expect(found.join('\n')).toMatch(message);
    expect(found).toHaveLength(1);
  });
  const after = (name: string, ...names: string[]) => extension(name, { provisionAfterExtensions: names });

  it.each<[string, Json, RegExp]>([
    ['a location that is missing', wire({ top: { location: null } }), /^location: It is null: give a text/],
    [
      'a mode',
      wire({ upgradePolicy: { mode: 'Fast' } }),
      /upgradePolicy.mode: It is "Fast": give Manual or Automatic or Rolling/,
    ],
    ['a capacity', wire({ capacity: 1001 }), /^sku.capacity: It is 1001: give a whole number from 0 to 1000/],
    [
      'a boolean',
      wire({ upgradePolicy: { automaticOSUpgradePolicy: { enableAutomaticOSUpgrade: 'yes' } } }),
      /give true or false/,
    ],
    [
      'a pause',
      wire({ upgradePolicy: { rollingUpgradePolicy: { pauseTimeBetweenBatches: '5 min' } } }),
      /ISO 8601/,
    ],
    [
      'a percentage',
      wire({ upgradePolicy: { rollingUpgradePolicy: { maxBatchInstancePercent: 3 } } }),
      /^rollingUpgradePolicy.maxBatchInstancePercent: .*from 5 to 100/,
    ],
    [
      'maxSurge',
      wire({ upgradePolicy: { rollingUpgradePolicy: { maxSurge: 'true' } } }),
      /^rollingUpgradePolicy.maxSurge: .*not built/,
    ],
    [
      'two health sources',
      wire({ healthProbe: PROBE, extensions: [HEALTH] }),
      /Both a health probe and a health extension/,
    ],
    [
      'a name used twice',
      wire({ extensions: [after('a'), after('A')] }),
      /'A' cannot be used for more than one/,
    ],
    ['a missing dependency', wire({ extensions: [after('a', 'b')] }), /'a' specifies 'b'/],
    [
      'a cycle',
      wire({ extensions: [after('a', 'b'), after('b', 'c'), after('c', 'a')] }),
      /a -> b -> c -> a/,
    ],
    ['a cycle in other letters', wire({ extensions: [after('a', 'B'), after('b', 'A')] }), /a -> b -> a/],
    ['an extension on its own heels', wire({ extensions: [after('a', 'a')] }), /a -> a/],
    [
      'a durability that there is not',
      wire({
        extensions: [
          extension('sf', {
            publisher: 'Microsoft.Azure.ServiceFabric',
            settings: { durabilityLevel: 'Platinum' },
          }),
        ],
      }),
      /extensions\.sf\.settings\.durabilityLevel: It is "Platinum": give Bronze or Silver or Gold/,
    ],
    ['an id', wire({ top: { id: '/web' } }), /is no scale set's ARM id/],
  ])('refuses %s', (_, model, message) => {
    expect(issues(model).join('\n')).toMatch(message);
  });

  it('reports everything that is wrong at once', () => {
    const model = wire({
      upgradePolicy: { mode: 'Fast' },
      capacity: -1,
      extensions: [{ name: 'a', properties: {} }],
    });
    expect(issues(model)).toHaveLength(4);
  });
});
