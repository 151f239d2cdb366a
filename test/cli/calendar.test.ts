import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { testSetId } from '../support/fleet.ts';
import { recordAttempt } from './recorded.ts';
import { IMAGE, rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';
import { START, Story } from './view-fixture.ts';

let space: Workspace;
let rollouts: TestRollouts;
const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });
const asJson = async (...args: string[]) => JSON.parse((await command(...args, '--output', 'json')).stdout);
const why = ['--why', 'so agreed', '--who', 'ada'];
const nights = ['--days', 'mon-fri', '--start', '22:00', '--end', '4:00', '--zone', 'europe/berlin'];

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space);
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

describe('windows', () => {
  it('are added for a set, a region or everything, listed, and taken back', async () => {
    expect((await command('windows')).stdout).toContain('may begin batches at any time');
    const { stdout, code } = await command('windows', 'add', '--region', 'East US', ...nights, ...why);
    expect([code, stdout]).toEqual([
      0,
      'Added window-1 for region eastus: mon-fri 22:00 to 04:00 Europe/Berlin.\n',
    ]);
    const own = await command(
      ...['windows', 'add', '--scale-set', 'web', '--days', 'sun,sat', '--start', '1:00', '--for', '6h'],
      ...['--zone', 'America/New_York', ...why],
    );
    expect(own.stdout).toContain(
      'Added window-2 for scale set web in fleet: sat, sun 01:00 for 6 h 00 min America/New_York.',
    );
    expect(own.stdout).toContain(
      'Note: From now on the windows of scale set web in fleet go before wider ones.',
    );
    const { rules } = await asJson('windows', 'list');
    expect(rules).toMatchObject([
      {
        id: 'window-1',
        where: 'region eastus',
        scope: 'region:eastus',
        state: 'closed',
        who: 'ada',
        removed: null,
      },
      { id: 'window-2', kind: 'window', window: { days: ['sat', 'sun'], start: '01:00' } },
    ]);
    expect(rules[0].changesAt).toMatch(/^20\d\d-.*T2[01]:00:00.000Z$/);
    expect((await command('windows')).stdout).toMatch(
      /window-1 +region eastus +mon-fri 22:00 to 04:00 Europe\/Berlin +opens/,
    );

    const removed = await command('windows', 'remove', '2', '--why', 'any night', '--who', 'bob');
    expect(removed.stdout).toContain('Taken back: window-2 for scale set web in fleet');
    expect(removed.stdout).toContain('It was the last window of scale set web in fleet');
    expect((await asJson('windows')).rules).toHaveLength(1);
    expect((await asJson('windows', 'list', '--all')).rules[1]).toMatchObject({
      state: 'removed',
      removed: { who: 'bob', why: 'any night', at: expect.stringMatching(/Z$/) },
    });
    const again = await command('windows', 'remove', 'window-2', '--why', 'any night');
    expect(again.code).toBe(64);
    expect(again.stderr).toMatch(
      /no window "window-2" that stands\. bob took it back at .* There are: window-1\./,
    );
  });

  it.each<[string, string[], RegExp]>([
    [
      'a zone that is none',
      [...nights.slice(0, -1), 'Berlin'],
      /no time zone "Berlin"\. Similar: Europe\/Berlin\./,
    ],
    ['an offset', [...nights.slice(0, -1), '+02:00'], /knows no daylight saving time/],
    ['a zone unlike any', [...nights.slice(0, -1), 'Mars/Xyz'], /Give one such as Europe\/Berlin, or UTC/],
    ['days that are none', ['--days', 'mon-fry', ...nights.slice(2)], /"mon-fry" names no days of the week/],
    [
      'a time that is none',
      [...nights.slice(0, 3), '25:00', ...nights.slice(4)],
      /start is "25:00", which is no time of day/,
    ],
    ['two ends', [...nights, '--for', '2h'], /either until a local time, or for a length of time/],
    ['more than a week', [...nights.slice(0, 4), '--for', '8d', ...nights.slice(6)], /1 minute to 7 days/],
  ])('are refused with %s', async (_, args, message) => {
    const { code, stderr } = await command('windows', 'add', '--all', ...args, ...why);
    expect(stderr).toMatch(message);
    expect(code).toBe(64);
    expect((await rollouts.ledger.calendar.read()).rules).toEqual([]);
  });

  it.each<[string, string[], RegExp]>([
    ['without a place', [], /one of --all, --region and --scale-set\./],
    ['for two places', ['--all', '--region', 'eastus'], /not --all and --region/],
    ['for a region that is none', ['--region', 'mars'], /"mars" is no region of this fleet/],
    ['for a set that is none', ['--scale-set', 'webb'], /No scale set is named "webb"/],
  ])('are refused %s', async (_, place, message) => {
    const { code, stderr } = await command('windows', 'add', ...place, ...nights, ...why);
    expect(stderr).toMatch(message);
    expect(code).toBe(64);
  });
});

describe('freezes and overrides', () => {
  const year = ['--from', '2099-12-20T00:00', '--until', '2100-01-04', '--zone', 'Europe/Berlin'];

  it('are given in local time with a zone, with an offset, or as a length of time', async () => {
    await command('freezes', 'add', '--all', ...year, ...why);
    await command('freezes', 'add', '--region', 'eastus', '--for', '4h', ...why);
    const { rules } = await asJson('freezes');
    expect(rules).toMatchObject([
      { since: '2099-12-19T23:00:00.000Z', until: '2100-01-03T23:00:00.000Z', state: 'ahead' },
      { where: 'region eastus', state: 'inForce' },
    ]);
    expect(Date.parse(rules[1].until) - Date.parse(rules[1].since)).toBe(4 * 3_600_000);
    expect((await command('freezes')).stdout).toContain('2099-12-19 23:00:00 to 2100-01-03 23:00:00');
  });

  it.each<[string, string[], RegExp]>([
    ['without an end', [], /Say until when/],
    ['with a local time and no zone', ['--until', '2099-12-20T00:00'], /or a local one, .* with a time zone/],
    [
      'that end before they begin',
      ['--from', '2099-12-20T00:00Z', '--until', '2099-12-19T00:00Z'],
      /before it begins/,
    ],
    [
      'that are over',
      ['--from', '2019-12-20T00:00Z', '--until', '2019-12-21T00:00Z'],
      /would be over already/,
    ],
  ])('are refused %s', async (_, args, message) => {
    const { code, stderr } = await command('freezes', 'add', '--all', ...args, ...why);
    expect(stderr).toMatch(message);
    expect(code).toBe(64);
  });

  it('an override of a rollout wakes its workflows, and stands if none can be woken', async () => {
    await command('start', IMAGE);
    const added = await asJson('overrides', 'add', 'rollout/canonical', '--for', '2h', ...why);
    expect(added).toMatchObject({
      rule: { id: 'override-1', kind: 'override', state: 'inForce' },
      notes: [],
    });
    expect(added.woken).toEqual([expect.stringContaining('rollout/canonical')]);
    rollouts.temporalServer.reachable = false;
    const { stdout, code } = await command('overrides', 'remove', '1', ...why);
    expect(code).toBe(0);
    expect(stdout).toContain('none could be woken');
    const ended = await command('overrides', 'add', 'rollout/other', '--for', '2h', ...why);
    expect(ended.stderr).toContain('No rollout "rollout/other" is recorded');
  });

  it('are told by plan, explain, status and journal', async () => {
    await command('freezes', 'add', '--all', '--until', '2026-02-01T00:00Z', ...why);
    const held = 'the end of freeze-1 of everything (ada: so agreed)';
    expect((await command('plan', IMAGE)).stdout).toContain(
      `Then it waits for ${held}, until 2026-02-01T00:00:00.000Z`,
    );
    const started = await command('start', IMAGE);
    expect(started.stdout + started.stderr).toContain('let no batch begin of api, queue, web (rule D10)');
    const [rollout] = await rollouts.ledger.rollouts.list();
    await recordAttempt(rollouts, testSetId('web'), {
      startedBy: 'Platform',
      isOpen: true,
      rollout: { id: `${rollout?.id}x`, kind: 'platform', phases: rollout?.phases ?? [] },
    });
    const explained = (await command('explain', 'web')).stdout;
    expect(explained).toContain(held);
    expect(explained).toContain('rollouts overrides add --scale-set web --for 2h --why TEXT');
    const { waitsFor } = await asJson('explain', 'web');
    expect(waitsFor).toContainEqual(
      expect.objectContaining({ kind: 'window', rule: 'D10', until: '2026-02-01T00:00:00.000Z' }),
    );
    const { stdout } = await command('journal');
    expect(stdout).toMatch(
      /everything +freeze +started +freeze-1 {2}\S+ to 2026-02-01T00:00:00Z by ada: so agreed/,
    );
  });
});

describe('a snapshot', () => {
  it('says of a region, and of a set that is half way, what they wait for, since when and until when', async () => {
    const story = await Story.begin();
    try {
      await story.openPhase(1, ['uksouth'], 1);
      for (const name of ['a', 'b', 'c'])
        await story.target(name, { region: 'uksouth', phase: 1, triggerAt: 10 });
      const until = START + 300 * MINUTE;
      const rule = { kind: 'freeze' as const, scope: 'all', from: START, until };
      await story.ledger.calendar.add({ ...rule, who: 'ada', why: 'storm', at: START });
      const attempt = await story.attempt('c', 12, { ids: ['0'], pending: 1 });
      await story.close(attempt, 20, { '0': 'upgraded' });
      story.at(30);
      const [region] = (await story.snapshot()).phases[0]?.regions ?? [];
      const what = 'the end of freeze-1 of everything (ada: storm)';
      expect(region?.waits).toMatchObject([{ kind: 'window', what, since: START + 10 * MINUTE, until }]);
      const half = region?.sets.find(({ name }) => name === 'c');
      expect(half?.wait).toMatchObject({ kind: 'window', what, since: START + 20 * MINUTE, until });
      story.at(301);
      expect((await story.snapshot()).phases[0]?.regions[0]?.waits).toEqual([]);
    } finally {
      await story.end();
    }
  });
});
