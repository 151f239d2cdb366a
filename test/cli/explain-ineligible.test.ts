import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NEW_VERSION } from '../support/fleet.ts';
import { explainIn, unreachable } from './explained.ts';
import { IMAGE, run, workspace } from './support.ts';

describe('explain names each reason of an ineligible set and its fix', () => {
  const space = workspace();
  const file = fileURLToPath(new URL('../../examples/fleets/ineligible.json', import.meta.url));

  beforeAll(async () => {
    await run(['fleet', 'seed', file], space);
  });
  afterAll(() => space.remove());

  const model = (set: string, change: string) => `rollouts model set ${set} ${change}`;
  const profile = 'virtualMachineProfile';
  const fabric = `${profile}.extensionProfile.extensions[name=service-fabric]`;

  it.each([
    [
      ...['opted-out', 'C1', 'AutomaticOSUpgradeDisabled', /not enabled/, /enableAutomaticOSUpgrade to true/],
      model('opted-out', 'upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade=true'),
    ],
    [
      ...['pinned', 'C2', 'ImageVersionNotLatest', /asks for version 22\.04\.202511010/, /to latest/],
      model('pinned', `${profile}.storageProfile.imageReference.version=latest`),
    ],
    [
      ...['unsupported', 'A6', 'PlatformImageNotSupported', /22_04-lts-gen2 is not among/, /Use a supported/],
      model('unsupported', `${profile}.storageProfile.imageReference.sku=SKU`),
    ],
    [
      ...['blind', 'C4', 'HealthSourceMissing', /neither a load balancer/, /Set networkProfile\.healthProbe/],
      model('blind', `${profile}.networkProfile.healthProbe.id=ID`),
    ],
    [
      ...['lost-probe', 'C4', 'HealthProbeNotFound', /no health probe \/subscriptions/, /Create the probe/],
      model('lost-probe', `${profile}.networkProfile.healthProbe.id=ID`),
    ],
    [
      ...['basic-balancer', 'C4', 'LoadBalancerNotStandard', /load balancer is Basic/, /a Standard load/],
      model('basic-balancer', `${profile}.networkProfile.healthProbe.id=ID`),
    ],
    [
      ...[
        'patches-itself',
        'C6',
        'WindowsUpdateEnabled',
        /patches the VMs/,
        /enableAutomaticUpdates to false/,
      ],
      model('patches-itself', `${profile}.osProfile.windowsConfiguration.enableAutomaticUpdates=false`),
    ],
    [
      ...['old-model', 'C7', 'ModelApiVersionTooOld', /API version 2018-06-01/, /2018-10-01 or later/],
      model('old-model', 'upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade=true'),
    ],
    [
      'not-replicated',
      'C3',
      'VersionNotOfferedInRegion',
      /westus does not offer version 1\.1\.0/,
      /target regions/,
      null,
    ],
    ['kept-out', 'C3', 'VersionExcludedFromLatest', /2\.1\.0 .* excluded/, /excludeFromLatest/, null],
    [
      ...['fabric-mismatch', 'C5', 'ServiceFabricDurabilityMismatch', /durability Gold.*Silver/, /the same/],
      model('fabric-mismatch', `'${fabric}.settings.durabilityLevel=LEVEL'`),
    ],
    [
      ...['fabric-bronze', 'C5', 'ServiceFabricDurabilityTooLow', /Bronze is enough for/, /Silver or Gold/],
      model('fabric-bronze', `'${fabric}.settings.durabilityLevel=Silver'`),
    ],
    [
      ...[
        'fabric-old-handler',
        'C5',
        'ServiceFabricHandlerTooOld',
        /typeHandlerVersion 1\.0/,
        /1\.1 or above/,
      ],
      model('fabric-old-handler', `'${fabric}.typeHandlerVersion=1.1'`),
    ],
  ] as const)('%s (%s)', async (set, rule, code, message, fix, command) => {
    const { text, json } = await explainIn(space.databaseUrl, [set], unreachable());
    expect(json.verdict).toEqual({ kind: 'notUpgraded', text: `is not upgraded: 1 reason (${code})` });
    expect(json.reasons).toEqual([
      {
        ...{ code, rule, command },
        message: expect.stringMatching(message) as string,
        fix: expect.stringMatching(fix) as string,
      },
    ]);
    expect(json.waitsFor).toEqual([]);
    expect(text).toContain(`\n${set} is not upgraded: 1 reason (${code}).\n\nWhy:\n  ${rule}  ${code}\n`);
    expect(text).toMatch(/\n {6}-> .*\n/);
    expect(text).toMatch(new RegExp(`\nWhat would change that:\n {2}Against ${code}:`));
    if (command !== null) expect(text).toContain(`\n    ${command}\n`);
  });

  it('other-image (C2), asked about an image that is not its own', async () => {
    const { json, text } = await explainIn(space.databaseUrl, ['other-image', IMAGE], unreachable());
    expect(json.reasons.map(({ code }) => code)).toEqual(['ImageMismatch']);
    expect(json.scaleSet.target).toEqual({ image: IMAGE, version: NEW_VERSION, from: 'offered' });
    expect(text).toContain('Leave it to the rollout of its own image');
  });

  it.each([
    ['not-replicated', '1.1.0 is newer, and not offered in westus.'],
    ['replicated', '1.1.0 is newer, and no rollout of it goes to eastus.'],
  ])('%s: which newer version there is than the one that was asked about (C3)', async (set, message) => {
    const { json, text } = await explainIn(space.databaseUrl, [set, '--version', '1.0.0'], unreachable());
    expect(json.verdict.kind).toBe('upgraded');
    expect(json.newer).toMatchObject([{ version: '1.1.0', message }]);
    expect(text).toContain(`\nNewer versions:\n  ${message}\n`);
  });

  it('kept-out: so is one that is kept out of latest', async () => {
    const { json } = await explainIn(space.databaseUrl, ['kept-out', '--version', '2.0.0'], unreachable());
    expect(json.newer).toEqual([
      {
        version: '2.1.0',
        message: '2.1.0 is newer, and kept out of latest in westus.',
        command: 'rollouts explain kept-out --version 2.1.0',
      },
    ]);
  });

  it('all of them, where there are several', async () => {
    const { json, text } = await explainIn(space.databaseUrl, ['hopeless'], unreachable());
    const codes = [
      'AutomaticOSUpgradeDisabled',
      'ImageVersionNotLatest',
      'HealthSourceMissing',
      'ModelApiVersionTooOld',
    ];
    expect(json.reasons.map(({ code }) => code)).toEqual(codes);
    // One command does for two of them.
    expect(text).toContain('  Against AutomaticOSUpgradeDisabled, ModelApiVersionTooOld:\n');
    for (const line of text.split('\n'))
      if (!line.startsWith('    ')) expect(line.length).toBeLessThanOrEqual(120);
  });

  it.each([
    ['slow-probe', 'C4', 'HealthProbeIntervalTooLong', null],
    ['expired-key', 'C8', 'CredentialExpired', 'rollouts fleet renew --all-expired'],
  ])('%s is eligible, with a warning (%s)', async (set, rule, code, command) => {
    const { json, text } = await explainIn(space.databaseUrl, [set], unreachable());
    expect(json.warnings).toMatchObject([{ rule, code, command }]);
    expect(json.reasons.map((reason) => reason.code)).toEqual(['NoRollout']);
    expect(text).toContain(`\nWarnings:\n  ${rule}  ${code}\n`);
  });

  it('on one screen: what it is, the verdict, why, its instances, and what would change that', async () => {
    const { text } = await explainIn(space.databaseUrl, ['opted-out'], unreachable());
    expect(text).toBe(`\
Scale set  opted-out in eastus, resource group fleet
Image      Canonical:0001-com-ubuntu-server-jammy:22_04-lts, latest
Version    22.04.202512050 (the newest that is offered; none is rolled out to its region)
Runs       4 of 4 on 22.04.202511010
Upgrades   mode Manual, automatic OS upgrades off; batches of 20 %, stops above 20 % unhealthy, or 20 % of those
           upgraded

opted-out is not upgraded: 1 reason (AutomaticOSUpgradeDisabled).

Why:
  C1  AutomaticOSUpgradeDisabled
      Automatic OS image upgrades are not enabled on the scale set.
      -> Set upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade to true.

Instances: 4, of which 4 healthy
    4  not on the version yet: 0, 1, 2, 3

What would change that:
  Against AutomaticOSUpgradeDisabled:
    rollouts model set opted-out upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade=true
  To upgrade it at once, without phases, delay or restores (rule D8):
    rollouts start --scale-set opted-out
`);
  });
});
