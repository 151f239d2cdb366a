import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fleetSpecOf, NEW_VERSION } from '../support/fleet.ts';
import { FakeTemporal, IMAGE, rolloutsOn, run, workspace, type Ran } from './support.ts';

const space = workspace();
const EMPTY = workspace();
const QUICK = { triggerDelay: '1m', firstTriggerDelay: '0', bakeTime: '1m' };
const OPTED_OUT = { name: 'web', region: 'eastus', capacity: 3, automaticOSUpgrade: false };
const BAD = [{ kind: 'neverHealthy', version: NEW_VERSION, scaleSet: 'web' }];

beforeAll(async () => (await rolloutsOn(space)).close());
afterAll(async () => {
  await space.remove();
  await EMPTY.remove();
});

/** A rehearsal on a copy of the fleet, with no Temporal server far and wide. */
async function rehearse(scenario: object, ...more: string[]): Promise<Ran> {
  const whole = { name: 'test', description: 'A test.', image: IMAGE, settings: QUICK, ...scenario };
  const file = await space.write('scenario.json', whole);
  const temporal = new FakeTemporal();
  temporal.reachable = false;
  return run(['rehearse', '--scenario', file, ...more], space, { temporal });
}

describe('rollouts rehearse', () => {
  it('tells the story, the scale sets, the outcome, the audit, and whether it was expected', async () => {
    const { code, stdout, stderr } = await rehearse({
      faults: BAD,
      expect: { outcome: 'Halted', scaleSets: { web: { status: 'stopped', restored: 1 } } },
    });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^test: A test\.\n\n\d{4}-\d\d-\d\d\n\d\d:\d\d:\d\d {2}fleet +no VM of web will ever get healthy/,
    );
    expect(stdout).toMatch(/operator +starts the rollout of 22\.04\.202512050: /);
    expect(stdout).toMatch(/eastus\/web +VM \d: is given up: HealthTimeout/);
    expect(stdout).toMatch(/^web +eastus +stopped +9 +0 +1 +22\.04\.202511010 +MaxUnhealthyUpgraded/m);
    expect(stdout).toMatch(/^Halted after .* of virtual time: FailureToleranceExceeded: /m);
    expect(stdout).toMatch(/^Audit: all safety rules held/m);
    expect(stdout).toMatch(/^Rehearsed on a copy of the fleet: nothing real was touched\.$/m);
    expect(stdout).toMatch(/It came out as the scenario expects\.\n$/);
  });

  it('exits with 2 and names the differences when it came out otherwise', async () => {
    const { code, stdout } = await rehearse({ faults: BAD, expect: { outcome: 'Completed' } });
    expect(code).toBe(2);
    expect(stdout).toMatch(
      /did NOT come out as the scenario expects:\n {2}WHAT.*\n {2}outcome +Completed +Halted\n$/,
    );
  });

  it.each([
    ['Completed', 0, {}],
    ['Halted', 2, { faults: BAD }],
    ['Cancelled', 4, { actions: [{ do: 'cancel', at: '2m' }] }],
    ['Running', 5, { limit: '5m' }],
  ])('exits as the rollout would when nothing is expected: %s, %i', async (outcome, exit, scenario) => {
    const { code, stdout } = await rehearse(scenario, '--output', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ outcome, asExpected: null, differences: null });
    expect(code).toBe(exit);
  });

  it('exits with 1 when it would be refused', async () => {
    const { code, stdout } = await rehearse({ fleet: fleetSpecOf([OPTED_OUT]) }, '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'Refused', rolloutId: null });
    expect(code).toBe(1);
  });

  it('answers in JSON, with the story unless it is left out', async () => {
    const { stdout } = await rehearse({ expect: { outcome: 'Completed' } }, '--output', 'json');
    const answer = JSON.parse(stdout) as Record<string, unknown> & { timeline: object[] };
    expect(answer).toMatchObject({
      name: 'test',
      onCopy: true,
      asExpected: true,
      audit: { clean: true, violations: [] },
      rollouts: [{ status: 'Completed', action: 'osUpgrade' }],
    });
    expect(answer['scaleSets']).toContainEqual(
      expect.objectContaining({
        name: 'web',
        status: 'upgraded',
        upgraded: 9,
        versions: { [NEW_VERSION]: 9 },
      }),
    );
    expect(answer.timeline[0]).toEqual({
      at: expect.stringMatching(/^2\d{3}-.*Z$/),
      where: 'operator',
      vm: null,
      what: expect.stringContaining('starts the rollout'),
    });
    const { stdout: short } = await rehearse({}, '--output', 'json', '--summary');
    expect(JSON.parse(short)).not.toHaveProperty('timeline');
  });

  it('leaves the story out with --summary', async () => {
    const { stdout } = await rehearse({}, '--summary');
    expect(stdout).toMatch(/^test: A test\.\n\nSCALE SET/);
  });

  it('needs no scenario: then all goes well; the command line says what to roll out, as of `plan`', async () => {
    const { code, stdout } = await run(
      ['rehearse', IMAGE, '--region', 'eastus', '--bake', '10m', '--output', 'json'],
      space,
    );
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as { outcome: string; scaleSets: { name: string }[] };
    expect(answer.outcome).toBe('Completed');
    expect(answer.scaleSets.map(({ name }) => name)).toEqual(['web']);
  });

  it('opens no database for a scenario with a fleet of its own', async () => {
    const { code, stdout } = await run(
      ['rehearse', '--scenario', 'examples/scenarios/bad-image.json', '--summary'],
      { ...EMPTY, databaseUrl: 'file:/no/such/folder/fleet.db' },
    );
    expect(stdout).toMatch(/Rehearsed on the scenario's own fleet/);
    expect(code).toBe(0);
  });

  it('says what is wrong with a scenario, and exits with 64', async () => {
    const { code, stderr } = await rehearse({ faults: [{ kind: 'restoreFails', scaleSet: 'wbe' }] });
    expect(code).toBe(64);
    expect(stderr).toMatch(/^error: The scenario .*faults\[0\]\.scaleSet: No scale set is named "wbe"/s);
    const missing = await run(['rehearse', '--scenario', '/no/such.json'], space);
    expect(missing).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/The scenario \/no\/such\.json does not exist/),
    });
    const nothing = await run(['rehearse'], space);
    expect(nothing).toMatchObject({ code: 64, stderr: expect.stringMatching(/Say which image/) });
  });

  it('of an empty fleet says how to fill it', async () => {
    const { code, stderr } = await run(['rehearse', IMAGE], EMPTY);
    expect(code).toBe(64);
    expect(stderr).toMatch(/The fleet is empty\. Fill it by `rollouts fleet seed`/);
  });
});
