import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forTerminal, paint, span } from '../../src/client/view/spans.ts';
import { scaleSetScope } from '../../src/domain/scopes.ts';
import { fleetSpecOf, testSetId } from '../support/fleet.ts';
import { IMAGE, rolloutsOn, run, SETS, workspace, type TestRollouts } from './support.ts';

/* What nobody means well by: names that act on terminals, files without an end, keys that change objects. */

const space = workspace();
let rollouts: TestRollouts;

beforeAll(async () => {
  rollouts = await rolloutsOn(space);
});
afterAll(async () => {
  await rollouts.close();
  await space.remove();
});

const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });

// What a terminal acts on; line breaks are the command's own.
const ACTING = /(?!\n)[\p{Cc}\p{Bidi_Control}]/u;

/** What a command that is refused says. */
async function refusalOf(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(...args);
  expect([code, stdout]).toEqual([64, '']);
  expect(stderr).not.toMatch(ACTING);
  expect(stderr.length).toBeLessThan(4_000);
  return stderr;
}

const ESCAPE = 'x\u001b[2J\u001b]0;owned\u0007';

describe('arguments', () => {
  it.each([
    [['explain', ESCAPE]],
    [['history', 'web\u202e']],
    [['status', `rollout/${ESCAPE}`]],
    [['pause', '--all', '--why', `fine\nCancelled: everything`]],
    [['pause', '--all', '--why', 'fine', '--who', ESCAPE]],
    [['decide', 'rollout/x', 'proceed', '--why', ESCAPE]],
    [['start', IMAGE, '--region', ESCAPE]],
    [['revert', 'web', '--why', ESCAPE]],
    [['repair', 'web', '--why', ESCAPE]],
    [['fleet', 'protect', 'web', ESCAPE]],
    [['fleet', 'renew', `https://a.example/${ESCAPE}`]],
    [['publish', IMAGE, `1.0.0${ESCAPE}`]],
    [['plan', '--plan', `./${ESCAPE}.json`]],
    [['model', 'set', 'web', `tags.a=${ESCAPE}`]],
    [['bogus', ESCAPE]],
    [['list', `--${ESCAPE}`]],
  ])('that act on a terminal are refused: %j', async (args) => {
    expect(await refusalOf(...args)).toMatch(
      /^error: Argument \d of the command has the sign \\u[0-9a-f]{4}, which is not allowed/,
    );
  });

  it.each([
    [['explain', 'x'.repeat(40_000)], /Argument 2 of the command has 40000 characters: give at most 32768/],
    [['pause', '--all', '--why', 'x'.repeat(1_001)], /The text has 1001 characters: give at most 1000/],
    [['plan', IMAGE, '--bake', '99999999999999999999d'], /Give a length of time/],
    [['plan', IMAGE, '--bake', 'P99999999999999999999D'], /Give a length of time/],
    [['plan', IMAGE, '--chunk-size', '9'.repeat(30)], /Give a whole number from 1 to 1000/],
    [['plan', IMAGE, '--tolerance', '1e9'], /Give a number from 0 to 100/],
    [['publish', IMAGE, '1.'.repeat(500) + '0'], /is no version/],
    [
      ['model', 'set', 'web', `tags.a=${'['.repeat(10_000)}${']'.repeat(10_000)}`],
      /nested more than 100 levels deep/,
    ],
    [['model', 'set', 'web', 'tags={"__proto__": {"a": 1}}'], /has a key "__proto__": remove it/],
    [['plan', '--plan', '/dev/zero'], /\/dev\/zero is no file/],
    [['plan', '--plan', '/'], /\/ is no file/],
  ] as [string[], RegExp][])('out of all bounds are refused: case %#', async (args, message) => {
    expect(await refusalOf(...args)).toMatch(message);
  });
});

const NAME = 'web\u001b[8m';
const fleetWith = (set: object) => ({
  ...fleetSpecOf([]),
  scaleSets: [{ ...fleetSpecOf(SETS).scaleSets?.[0], ...set }],
});

describe('files', () => {
  it.each<[string, string[], unknown, RegExp]>([
    [
      'a plan that acts on a terminal',
      ['plan', '--plan'],
      { image: NAME },
      /image: the text has the sign \\u001b/,
    ],
    [
      'a region that does',
      ['plan', '--plan'],
      { phases: [{ regions: [NAME] }] },
      /regions\[0\]: the text has the sign/,
    ],
    ['a plan with a name that has no end', ['plan', '--plan'], { image: 'x'.repeat(600) }, /at most 512/],
    [
      'a key of prototypes',
      ['plan', '--plan'],
      '{"settings": {"__proto__": {"bakeTime": "1m"}}}',
      /"__proto__"/,
    ],
    [
      'a nest without an end',
      ['plan', '--plan'],
      '['.repeat(100_000) + ']'.repeat(100_000),
      /100 levels deep/,
    ],
    ['a number beyond all', ['plan', IMAGE, '--plan'], { settings: { chunkSize: 1e300 } }, /chunkSize: /],
    [
      'a set that acts on a terminal',
      ['fleet', 'seed', '--force'],
      fleetWith({ name: NAME }),
      /has the sign \\u001b/,
    ],
    [
      'a group that does',
      ['fleet', 'seed', '--force'],
      fleetWith({ resourceGroup: 'a\u202eb' }),
      /has the sign \\u202e/,
    ],
    [
      'a zone that does',
      ['fleet', 'seed', '--force'],
      fleetWith({ zones: ['1\n2'] }),
      /has the sign \\u000a/,
    ],
    [
      'an extension that does',
      ['fleet', 'seed', '--force'],
      fleetWith({ extensions: [{ name: NAME }] }),
      /has the sign/,
    ],
    [
      'a scenario of one who does',
      ['rehearse', '--scenario'],
      { name: 'x', description: 'y', actions: [{ do: 'pause', at: '1m', who: NAME }] },
      /actions\[0\]\.who: the text has the sign/,
    ],
    [
      'a model that does',
      ['model', 'set', 'web', '--file'],
      {
        virtualMachineProfile: {
          extensionProfile: { extensions: [{ name: NAME, publisher: 'p', type: 't' }] },
        },
      },
      /has the sign \\u001b/,
    ],
  ])('with %s are refused', async (_, args, content, message) => {
    const path = await space.write('hostile.json', content);
    expect(await refusalOf(...args, path)).toMatch(message);
  });
});

it('what is painted keeps our colours and nothing else', () => {
  const painted = paint([span(`web${ESCAPE}\nfine`, 'bad')], 200, true);
  expect(painted).toBe('\u001b[31mwebx\\u001b[2J\\u001b]0;owned\\u0007 fine\u001b[0m');
  expect(forTerminal(`${painted}${ESCAPE}`)).toBe(`${painted}x\\u001b[2J\\u001b]0;owned\\u0007`);
});

it('what is in the database already acts on no terminal', async () => {
  await rollouts.ledger.orders.set({
    scope: scaleSetScope(testSetId('web')),
    state: 'cancelled',
    who: ESCAPE,
    why: `\u001b[31mred\u009b`,
    at: 0,
  });
  for (const args of [
    ['explain', 'web'],
    ['explain', 'web', '-o', 'json'],
  ]) {
    const { stdout, stderr } = await command(...args);
    expect(stdout).toContain('\\u001b');
    expect(stdout + stderr).not.toMatch(ACTING);
  }
});
