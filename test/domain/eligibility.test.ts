import { describe, expect, it } from 'vitest';
import { isApplicationHealthExtension, isServiceFabricExtension } from '../../src/domain/extensions.ts';
import type { ImageVersion, PlatformImage } from '../../src/domain/image.ts';
import type { ScaleSet } from '../../src/domain/scale-set.ts';
import { codes, extension, jammy, judge, optedIn, target, web } from './judged-set.ts';

const gallery: ImageVersion = {
  image: { kind: 'gallery', id: '/subscriptions/s/galleries/own/images/web' },
  version: '1.2.3',
};
const optedOut: Partial<ScaleSet> = {
  upgradePolicy: {
    ...web.upgradePolicy,
    automaticOSUpgradePolicy: { ...optedIn, enableAutomaticOSUpgrade: false },
  },
};
const probed: Partial<ScaleSet> = { extensions: [], healthProbeId: '/probes/http' };

describe('eligibility', () => {
  it('of a set that meets every requirement', () => {
    expect(judge()).toEqual({ eligible: true, reasons: [], warnings: [] });
    expect(judge(probed, { probe: { intervalSeconds: 119, loadBalancerSku: 'Basic' } }).eligible).toBe(true);
  });

  it('reports every reason, each with what to do and the rule', () => {
    const verdict = judge(
      { ...optedOut, extensions: [], osType: 'Windows', imageReference: { image: jammy, version: '1.0.0' } },
      { regionOffersVersion: false },
    );
    expect(verdict.eligible).toBe(false);
    expect(verdict.reasons.map(({ code, rule }) => `${rule} ${code}`)).toEqual([
      'C1 AutomaticOSUpgradeDisabled',
      'C2 ImageVersionNotLatest',
      'C3 VersionNotOfferedInRegion',
      'C4 HealthSourceMissing',
      'C6 WindowsUpdateEnabled',
    ]);
    for (const reason of verdict.reasons) {
      expect(reason.message).toMatch(/\.$/);
      expect(reason.fix).toMatch(/\.$/);
    }
  });

  it('asks for the opt-in for automatic upgrades only (rules C1, D8)', () => {
    expect(codes(optedOut)).toEqual(['AutomaticOSUpgradeDisabled']);
    expect(codes(optedOut, {}, { automatic: false })).toEqual([]);
    expect(codes({ extensions: [] }, {}, { automatic: false })).toEqual(['HealthSourceMissing']);
  });
});

it('leaves a set out that a person has cancelled, unless a person starts it (rules D6, D8)', () => {
  const cancelled = { who: 'ann', why: 'disk tests', at: 0 };
  expect(codes({}, { cancelled })).toEqual(['ScaleSetCancelled']);
  expect(judge({}, { cancelled }).reasons[0]).toMatchObject({
    message: 'ann cancelled the scale set at 1970-01-01T00:00:00.000Z (disk tests), which stands.',
    fix: 'Take that back by `rollouts resume --scale-set web --why TEXT`.',
  });
  expect(codes({}, { cancelled }, { automatic: false })).toEqual([]);
});

it('leaves a version out that was reverted on the set, unless a person starts it (rules D6, D8)', () => {
  const heldBack = { who: 'ann', why: 'bad kernel', since: 0 };
  expect(codes({}, { heldBack })).toEqual(['VersionHeldBack']);
  expect(judge({}, { heldBack }).reasons[0]?.message).toContain('ann reverted');
  expect(codes({}, { heldBack }, { automatic: false })).toEqual([]);
});

describe('eligibility by image (rules C2, A6)', () => {
  const withImage = (change: Partial<PlatformImage>, version = 'latest'): Partial<ScaleSet> => ({
    imageReference: { image: { ...jammy, ...change }, version },
  });

  it('ignores case', () => {
    expect(codes(withImage({ publisher: 'CANONICAL', sku: '22_04-lts' }, 'Latest'))).toEqual([]);
  });

  it('refuses another SKU of the offer: a rollout never changes it', () => {
    expect(codes(withImage({ offer: '0001-com-ubuntu-server-focal', sku: '20_04-lts' }))).toEqual([
      'ImageMismatch',
    ]);
    expect(codes({ imageReference: { image: gallery.image, version: 'latest' } })).toEqual(['ImageMismatch']);
  });

  it('refuses an exact version in the model, be it the target', () => {
    expect(codes(withImage({}, target.version))).toEqual(['ImageVersionNotLatest']);
  });

  it('refuses a platform image that is not in the table', () => {
    const image = { ...jammy, sku: 'minimal-22_04' };
    const to = { image, version: '1.0.0' };
    expect(codes({ imageReference: { image, version: 'latest' } }, {}, { to })).toEqual([
      'PlatformImageNotSupported',
    ]);
  });

  it('refuses a custom image that is not from a gallery', () => {
    const image = { kind: 'gallery' as const, id: '/subscriptions/s/providers/Microsoft.Compute/images/web' };
    const to = { image, version: '1.0.0' };
    expect(codes({ imageReference: { image, version: 'latest' } }, {}, { to })).toEqual([
      'CustomImageNotFromGallery',
    ]);
  });

  it.each(['/sharedGalleries/own/images/web', '/CommunityGalleries/own/Images/web'])('takes %s', (id) => {
    const to = { image: { kind: 'gallery' as const, id }, version: '1.0.0' };
    expect(codes({ imageReference: { image: to.image, version: 'latest' } }, {}, { to })).toEqual([]);
  });

  it('knows no table of gallery images', () => {
    expect(
      codes({ imageReference: { image: gallery.image, version: 'latest' } }, {}, { to: gallery }),
    ).toEqual([]);
  });
});

describe('eligibility by offer (rule C3)', () => {
  const ofGallery: Partial<ScaleSet> = { imageReference: { image: gallery.image, version: 'latest' } };

  it('refuses a version that is not in the region', () => {
    const { reasons } = judge(ofGallery, { regionOffersVersion: false }, { to: gallery });
    expect(reasons.map((reason) => reason.code)).toEqual(['VersionNotOfferedInRegion']);
    expect(reasons[0]?.fix).toContain('replication');
    expect(judge({}, { regionOffersVersion: false }).reasons[0]?.fix).toContain('publisher');
  });

  it('refuses a gallery version that is excluded from latest', () => {
    const excluded = { excludedFromLatest: true };
    expect(codes(ofGallery, excluded, { to: gallery })).toEqual(['VersionExcludedFromLatest']);
  });
});

describe('eligibility by health source (rule C4)', () => {
  const standard = { intervalSeconds: 15, loadBalancerSku: 'standard' };

  it('needs a probe or the Application Health extension', () => {
    expect(codes({ extensions: [extension('Microsoft.Azure.Extensions', 'CustomScript')] })).toEqual([
      'HealthSourceMissing',
    ]);
    expect(codes(probed)).toEqual([]);
    expect(codes(probed, { probe: standard })).toEqual([]);
  });

  it('refuses both at once', () => {
    expect(codes({ healthProbeId: '/probes/http' })).toEqual(['TwoHealthSources']);
  });

  it('refuses a probe that does not exist', () => {
    expect(codes(probed, { probe: null })).toEqual(['HealthProbeNotFound']);
  });

  it('wants a Standard load balancer where there may be several placement groups', () => {
    const several = { ...probed, singlePlacementGroup: false };
    expect(codes(several, { probe: { ...standard, loadBalancerSku: 'Basic' } })).toEqual([
      'LoadBalancerNotStandard',
    ]);
    expect(codes(several, { probe: standard })).toEqual([]);
    expect(codes({ ...several, ...web, singlePlacementGroup: false })).toEqual([]);
  });

  it.each([
    [119, []],
    [120, ['HealthProbeIntervalTooLong']],
    [300, ['HealthProbeIntervalTooLong']],
  ])('with a probe every %i s warns of %j, and refuses nothing', (intervalSeconds, expected) => {
    const verdict = judge(probed, { probe: { ...standard, intervalSeconds } });
    expect(verdict.warnings.map((warning) => warning.code)).toEqual(expected);
    expect(verdict.eligible).toBe(true);
  });
});

describe('eligibility by model (rules C6, C7)', () => {
  it.each([
    ['Windows', '2024-07-01', null, ['WindowsUpdateEnabled']],
    ['Windows', '2024-07-01', true, ['WindowsUpdateEnabled']],
    ['Windows', '2024-07-01', false, []],
    ['Windows', '2019-03-01', true, ['WindowsUpdateEnabled']],
    ['Windows', '2019-03-01-preview', true, ['WindowsUpdateEnabled']],
    ['Windows', '2019-02-28', true, []],
    ['Windows', '2018-10-01', true, []],
    ['Linux', '2018-10-01-preview', null, []],
    ['Windows', '2018-06-01', true, ['ModelApiVersionTooOld']],
    ['Linux', '2024-07-01', null, []],
    ['Linux', '2018-10-01', null, []],
    ['Linux', '2018-09-30', null, ['ModelApiVersionTooOld']],
    ['Linux', '2017-12-01', null, ['ModelApiVersionTooOld']],
  ] as const)(
    '%s, written with %s, enableAutomaticUpdates %s: %j',
    (osType, modelApiVersion, updates, expected) => {
      expect(codes({ osType, modelApiVersion, enableAutomaticUpdates: updates })).toEqual(expected);
    },
  );
});

describe('external resources (rule C8)', () => {
  const url = 'https://store.example/app.zip';
  const setup = (name: string) =>
    extension('Microsoft.Azure.Extensions', 'CustomScript', { name, externalResources: [url] });
  const since = Date.parse('2026-01-05T10:00:00Z');
  const using = (...names: string[]): Partial<ScaleSet> => ({
    extensions: [...web.extensions, ...names.map(setup)],
  });

  it.each([
    ['expired', 'CredentialExpired', `${url}, and its credential expired at 2026-01-05T10:00:00.000Z.`],
    ['gone', 'ExternalResourceUnavailable', `${url}, which is gone since 2026-01-05T10:00:00.000Z.`],
  ] as const)(
    'that are %s are warned of before the first batch, and refuse nothing',
    (problem, code, text) => {
      const verdict = judge(using('app'), { unusableResources: [{ url, problem, since }] });
      expect(verdict.eligible).toBe(true);
      expect(verdict.warnings).toMatchObject([{ code, rule: 'C8' }]);
      expect(verdict.warnings[0]?.message).toBe(`Extension "app" needs ${text}`);
    },
  );

  it('are warned of once, with every extension that needs them', () => {
    const { warnings } = judge(using('app', 'agent'), {
      unusableResources: [{ url, problem: 'gone', since }],
    });
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('Extensions "app" and "agent" need https://store.example/app.zip'),
    ]);
  });
});

describe('extensions', () => {
  it.each([
    ['Microsoft.ManagedServices', 'ApplicationHealthLinux', true],
    ['microsoft.managedservices', 'APPLICATIONHEALTHWINDOWS', true],
    ['Microsoft.ManagedServices', 'Other', false],
    ['Contoso', 'ApplicationHealthLinux', false],
  ])('%s %s reports application health: %s', (publisher, type, expected) => {
    expect(isApplicationHealthExtension({ publisher, type })).toBe(expected);
  });

  it.each([
    ['Microsoft.Azure.ServiceFabric', true],
    ['MICROSOFT.AZURE.SERVICEFABRIC', true],
    ['Microsoft.Azure.Extensions', false],
  ])('of %s belong to Service Fabric: %s', (publisher, expected) => {
    expect(isServiceFabricExtension({ publisher })).toBe(expected);
  });
});
