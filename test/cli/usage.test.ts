import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fleetSpecOf } from '../support/fleet.ts';
import { IMAGE, rolloutsOn, run, SETS, workspace } from './support.ts';

const space = workspace();

beforeAll(async () => (await rolloutsOn(space)).close());
afterAll(() => space.remove());

describe('bad input ends with exit 64 and says what to do', () => {
  it.each([
    [[], /Usage: rollouts/],
    [['fleet'], /Usage: rollouts fleet/],
    [['bogus'], /unknown command 'bogus'/],
    [['list', '--bogus'], /unknown option '--bogus'/],
    [['list', '--output', 'xml'], /Allowed choices are text, json/],
    [['plan'], /Say which image/],
    [['plan', 'jammy'], /"jammy" is no image\. Give publisher:offer:sku/],
    [['plan', 'a:b:c:1.2'], /four parts/],
    [['plan', 'a:b:c'], /No scale set of this fleet uses a:b:c\. Images in use:\n {2}Canonical/],
    [
      ['plan', IMAGE, '1.2.3'],
      /No region offers version 1\.2\.3 .* Offered: 22\.04\.202512050, 22\.04\.202511010/,
    ],
    [['plan', IMAGE, 'newest'], /"newest" is no image version/],
    [
      ['plan', IMAGE, '--region', 'mars'],
      /"mars" is no region of this fleet\. .* eastus, swedencentral, westus/,
    ],
    [['plan', IMAGE, '--region', 'norwayeast'], /No scale set in norwayeast uses the image/],
    [
      ['plan', IMAGE, '--bake', '3 parsecs'],
      /'--bake <time>' argument '3 parsecs' is invalid.*30s, 5m, 1h30m/,
    ],
    [['plan', IMAGE, '--trigger-delay', '60m..30m'], /Give the shorter one first/],
    [['plan', IMAGE, '--tolerance', '120'], /Give a number from 0 to 100/],
    [['plan', IMAGE, '--health-poll', '10ms'], /healthPollInterval is 10; give at least 1000 ms/],
    [['plan', '--plan', '/no/such/file.json'], /The plan file \/no\/such\/file\.json does not exist/],
    [['start', IMAGE, '--timeout', '5m'], /give --wait too/],
    [['start', '--scale-set', 'web', '--region', 'eastus'], /leave --plan and --region out/],
    [['start', '--scale-set', 'we'], /No scale set is named "we"\. Similar: web/],
    [['start', '--scale-set', '/subscriptions/x'], /No scale set has the id/],
    [['status'], /There is no rollout yet/],
    [['watch', 'rollout/x'], /No rollout "rollout\/x" is recorded/],
    [['journal', 'rollout/x'], /No rollout "rollout\/x" is recorded/],
    [['pause', '--all'], /required option '--why <text>'/],
    [['pause', '--why', 'x'], /Say what: the id of a rollout, --scale-set, or --all/],
    [['pause', 'x', '--all', '--why', 'x'], /--all is of no single rollout/],
    [['pause', '--all', '--scale-set', 'web', '--why', 'x'], /Give one of --scale-set and --all/],
    [['pause', '--all', '--why', '  '], /Say why/],
    [['decide', 'x', 'maybe', '--why', 'x'], /Allowed choices are proceed, retry, abort/],
    [['publish', IMAGE, 'x'], /"x" is no version/],
    [['publish', 'a:b:c', '1.2'], /no image a:b:c/],
    [['publish', IMAGE, '1.2', '--at', 'tomorrow'], /--at is "tomorrow", which is no time/],
    [['fleet', 'show', '--region', 'mars'], /"mars" is no region of this fleet/],
    [['fleet', 'seed'], /There is a fleet of 4 scale sets .* Give --force/],
    [['fleet', 'seed', '/no/such.json'], /The fleet file \/no\/such\.json does not exist/],
    [['fleet', 'seed', 'x.json', '--regions', '3'], /leave --regions, .* out, or the file/],
    [['fleet', 'import', '--scale-sets', 'x.json'], /required option '--instances <files...>'/],
  ])('%j', async (args, message) => {
    const { code, stderr, stdout } = await run(args, space);
    expect(stderr).toMatch(message);
    expect(code).toBe(64);
    expect(stdout).toBe('');
  });

  it('shows every mistake of a plan file with its path', async () => {
    const plan = await space.write('plan.json', {
      phases: [{ regions: 'eastus', approval: 'yes', bakeTime: 5, failureTolerancePercent: '2' }],
      settings: { bakeTime: '1 moon', speed: 2, chunkSize: 1.5 },
    });
    const { code, stderr } = await run(['plan', IMAGE, '--plan', plan], space);
    expect(code).toBe(64);
    expect(stderr).toContain('phases[0].regions: give a list of region names');
    expect(stderr).toContain('phases[0].approval: give true, if a person must approve');
    expect(stderr).toContain('phases[0].bakeTime: give a length of time');
    expect(stderr).toContain('phases[0].failureTolerancePercent: give a number');
    expect(stderr).toContain('settings.bakeTime: "1 moon" is no length of time');
    expect(stderr).toContain('settings.chunkSize: give a whole number');
    expect(stderr).toContain('settings: "speed" is not known here');
  });

  it('tells the line of a mistake in JSON', async () => {
    const plan = await space.write('broken.json', '{\n  "image": "a:b:c",\n  oops\n}');
    const { code, stderr } = await run(['plan', '--plan', plan], space);
    expect(code).toBe(64);
    expect(stderr).toMatch(/broken\.json is no JSON: .*line 3/);
  });

  it('refuses phases that hold a geo-pair, or leave a region out (rule D1)', async () => {
    const plan = await space.write('pair.json', { phases: [{ regions: ['East US', 'westus'] }] });
    const { code, stderr } = await run(['plan', IMAGE, '--plan', plan], space);
    expect(code).toBe(64);
    expect(stderr).toContain('holds the geo-pair eastus and westus');
    expect(stderr).toContain('No phase holds swedencentral');
  });

  it('refuses a tolerance of a phase that cannot be (rule D2)', async () => {
    const phases = [{ name: 'canary', regions: ['eastus'], failureTolerancePercent: 101 }];
    const plan = await space.write('tolerance.json', { phases });
    const { code, stderr } = await run(['plan', IMAGE, '--plan', plan], space);
    expect(code).toBe(64);
    expect(stderr).toContain('Phase 1 (canary) has a failureTolerancePercent of 101: give 0 to 100 percent.');
  });

  it('names the path of a mistake in a fleet file, and leaves the fleet that is there alone', async () => {
    const spec = fleetSpecOf([{ region: 'eastus', capacity: 2000 }]);
    const file = await space.write('fleet.json', spec);
    const { code, stderr } = await run(['fleet', 'seed', file, '--force'], space);
    expect(code).toBe(64);
    expect(stderr).toContain('scaleSets[0].capacity');
    const { stdout } = await run(['fleet', 'show', '--output', 'json'], space);
    expect((JSON.parse(stdout) as { scaleSets: unknown[] }).scaleSets).toHaveLength(SETS.length);
  });
});

describe('help', () => {
  it.each([
    [['--help'], /Exit codes:/],
    [['start', '--help'], /Examples:\n {2}\$ rollouts start/],
    [['fleet', 'seed', '--help'], /Examples:/],
    [['decide', '--help'], /proceed\s+accepts these failures/],
  ])('%j', async (args, text) => {
    const { code, stdout } = await run(args, space);
    expect(code).toBe(0);
    expect(stdout).toMatch(text);
  });
});

it('tells programs of an error in JSON', async () => {
  const { code, stderr } = await run(['plan', 'jammy', '--output', 'json'], space);
  expect(code).toBe(64);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'Usage' } });
});
