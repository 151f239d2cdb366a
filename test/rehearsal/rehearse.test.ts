import { mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readScenario, rehearse, UsageError, type Rehearsed } from '../../src/client/index.ts';
import { fleetSpecOf, NEW_VERSION, OLD_VERSION } from '../support/fleet.ts';

const IMAGE = 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts';
const folder = mkdtempSync(join(tmpdir(), 'scenarios-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const FLEET = fleetSpecOf([{ name: 'web', region: 'eastus', capacity: 5 }], {
  regions: ['eastus', 'westus'],
});
const QUICK = { triggerDelay: '1m', firstTriggerDelay: '0', bakeTime: '1m' };
const SCENARIO = { name: 'test', description: 'A test.', fleet: FLEET, image: IMAGE, settings: QUICK };

async function fileOf(scenario: unknown, name = 'scenario.json'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, JSON.stringify(scenario));
  return path;
}

async function rehearsed(change: object = {}): Promise<Rehearsed> {
  return rehearse(await readScenario(await fileOf({ ...SCENARIO, ...change })));
}

async function refusalOf(change: object): Promise<string> {
  const outcome = await rehearsed(change).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(UsageError);
  return (outcome as UsageError).message;
}

describe('a scenario that cannot be', () => {
  it.each([
    [
      { color: 'red' },
      /The scenario .*scenario\.json can't be used:\n {2}\(top level\): "color" is not known/,
    ],
    [{ limit: '3 parsecs' }, /limit: "3 parsecs" is no length of time: give 30s, 5m/],
    [{ actions: [{ do: 'dance', at: '5m' }] }, /actions\[0\]\.do: give one of pause, resume, cancel/],
    [{ actions: [{ at: '5m' }] }, /actions\[0\]\.do: give one of pause, resume, cancel/],
    [{ actions: [{ do: 'pause', at: 'soon' }] }, /actions\[0\]\.at: "soon" is no length of time/],
    [{ actions: [{ do: 'pause', at: '5m', set: 'web' }] }, /actions\[0\]: "set" is not known here/],
    [{ expect: { outcome: 'Great' } }, /expect\.outcome: give one of Completed, Halted/],
    [{ faults: [{ kind: 'gremlins' }] }, /faults of .*:\n {2}\[0\]\.kind: give one of neverHealthy/],
    [{ faults: [{ kind: 'neverHealthy' }] }, /\[0\]\.version/],
    [
      { faults: [{ kind: 'outage', from: '5 parsecs', to: '1h' }] },
      /\[0\]\.from: give a time in ISO 8601.* such as 1h30m/,
    ],
    [{ fleet: { regions: ['eastus'], sets: [] } }, /The fleet of .*scenario\.json can't be used:.*"sets"/s],
    [{ fleet: 'none.json' }, /The fleet file .*none\.json does not exist/],
    [{ image: undefined }, /Say which image/],
    [{ version: '1.2.3' }, /No region offers version 1\.2\.3/],
    [{ phases: [{ regions: ['mars'] }] }, /mars/],
    [
      { faults: [{ kind: 'restoreFails', scaleSet: 'wbe' }] },
      /faults\[0\]\.scaleSet: No scale set is named "wbe"/,
    ],
    [{ faults: [{ kind: 'restoreFails', region: 'mars' }] }, /faults\[0\]\.region: "mars" is no region/],
    [
      { actions: [{ do: 'pause', at: '5m', scaleSet: 'wbe' }] },
      /actions\[0\]\.scaleSet: No scale set is named/,
    ],
    [
      { actions: [{ do: 'faults', at: '5m', faults: [{ kind: 'restoreFails', scaleSet: 'wbe' }] }] },
      /actions\[0\]\.faults\[0\]\.scaleSet: No scale set is named "wbe"/,
    ],
    [
      { expect: { outcome: 'Completed', scaleSets: { wbe: {} } } },
      /expect: scaleSet: No scale set is named "wbe"/,
    ],
    [{ scaleSet: 'wbe' }, /scaleSet: No scale set is named "wbe"/],
    [
      { actions: [{ do: 'delete', at: '5m', scaleSet: 'web', instances: ['9'] }] },
      /actions\[0\] \(delete\): web in eastus has no instance 9/,
    ],
    [
      { actions: [{ do: 'pause', at: '5m', region: 'westus' }] },
      /actions\[0\] \(pause\): .* no region "westus"/,
    ],
  ])('%j is refused with what is wrong, and where', async (change, message) => {
    expect(await refusalOf(change)).toMatch(message);
  });

  it('names everything that is wrong at once', async () => {
    const message = await refusalOf({ limit: 'x', actions: [{ do: 'decide', at: '5m' }] });
    expect(message).toMatch(/actions\[0\]\.decision: give one of proceed, retry, abort\n {2}limit: "x"/);
  });
});

describe('a rehearsal', () => {
  it('is the same every time', async () => {
    const faults = [{ kind: 'neverHealthy', version: NEW_VERSION, share: 0.3 }];
    expect(await rehearsed({ faults })).toEqual(await rehearsed({ faults }));
  });

  it('reads the fleet from a file beside the scenario', async () => {
    await fileOf(FLEET, 'fleet.json');
    expect(await rehearsed({ fleet: './fleet.json' })).toMatchObject({ outcome: 'Completed', onCopy: false });
  });

  it('names each difference to what was expected, and no other', async () => {
    const { differences } = await rehearsed({
      expect: {
        outcome: 'Halted',
        code: 'FailureToleranceExceeded',
        scaleSets: { WEB: { status: 'upgraded', upgraded: 4, restored: 0, versions: { [OLD_VERSION]: 5 } } },
      },
    });
    expect(differences).toEqual([
      { what: 'outcome', expected: 'Halted', actual: 'Completed' },
      { what: 'code', expected: 'FailureToleranceExceeded', actual: 'none' },
      { what: 'WEB: upgraded', expected: '4', actual: '5' },
      { what: 'WEB: versions', expected: `5 on ${OLD_VERSION}`, actual: `5 on ${NEW_VERSION}` },
    ]);
  });

  it('expects that nothing is refused, unless the scenario says so', async () => {
    const actions = [
      { do: 'decide', at: '2m', decision: 'proceed', who: 'ada' },
      { do: 'start', at: '3m', scaleSet: 'web', refused: 'Conflict' },
      { do: 'pause', at: '4m', refused: 'Conflict' },
      { do: 'resume', at: '5m' },
    ];
    const { differences, timeline } = await rehearsed({ actions, expect: { outcome: 'Completed' } });
    expect(differences).toEqual([
      { what: 'actions[0]', expected: 'done', actual: expect.stringMatching(/^NotHalted: .* is Running/) },
      { what: 'actions[2]', expected: 'Conflict', actual: 'done' },
    ]);
    expect(timeline).toContainEqual(
      expect.objectContaining({
        where: 'ada',
        what: expect.stringMatching(/^wants to decide, which is refused: /),
      }),
    );
  });

  it('is of a rollout that cannot begin: it says why', async () => {
    const fleet = fleetSpecOf([{ name: 'web', region: 'eastus', capacity: 5, automaticOSUpgrade: false }]);
    expect(await rehearsed({ fleet, expect: { outcome: 'Refused', code: 'NotEligible' } })).toMatchObject({
      outcome: 'Refused',
      rolloutId: null,
      differences: [],
    });
  });

  it('is given up after the limit: the rollout is Running then', async () => {
    expect(await rehearsed({ limit: '4m' })).toMatchObject({ outcome: 'Running' });
  });
});
