import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { afterFailure } from '../../src/domain/delivery.ts';
import { startDelivery } from '../../src/watchers/delivery-loop.ts';
import { openSink, SECRET, SECRET_ENV, SECRET_REFERENCE } from '../support/sink.ts';
import { IMAGE, rolloutsOn, run, workspace, type TestRollouts, type Workspace } from './support.ts';

const URL_WITH_TOKEN = 'https://hooks.example/rollouts?token=SECRET';
const ADD = ['watchers', 'add', URL_WITH_TOKEN, '--secret', SECRET_REFERENCE];

let space: Workspace;
let rollouts: TestRollouts;
const command = (...args: string[]) => run(args, space, { temporal: rollouts.temporalServer });
const json = async (...args: string[]) =>
  JSON.parse((await command(...args, '--output', 'json')).stdout) as Record<string, unknown>;

beforeEach(async () => {
  space = workspace();
  rollouts = await rolloutsOn(space);
});
afterEach(async () => {
  await rollouts.close();
  await space.remove();
});

/** A try of a worker that failed, as it is recorded. */
async function fail(name: string, answer: Parameters<typeof afterFailure>[2], at: number): Promise<void> {
  const { deliveries } = rollouts.ledger;
  const lease = { name, owner: 'a worker' };
  const watcher = await deliveries.claim(lease, at, at + 1);
  if (watcher === null) throw new Error(`${name} is not due.`);
  await deliveries.failed(lease, afterFailure(name, watcher, answer, at), at);
}

describe('rollouts watchers', () => {
  it('adds one, and says how the secret gets to the workers and whether events arrive', async () => {
    const { code, stdout } = await command(...ADD);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^hooks\.example is told of everything from now on, at https:\/\/hooks\.example\/rollouts\?\(token [0-9a-f]{8}\)\.\n.*the workers look for it in env:WATCHER_SECRET\. See whether it arrives: rollouts watchers test hooks\.example\n$/,
    );
    const types = ['--types', 'rollout.halted, dev.rollouts.scaleset.faulted', '--name', 'Pager'];
    expect(await json(...ADD, ...types)).toMatchObject({
      name: 'pager',
      types: ['rollout.halted', 'scaleset.faulted'],
      state: 'ok',
      secret: SECRET_REFERENCE,
    });
  });

  it('lists them, what they have yet to get, and why they do not get it', async () => {
    expect((await command('watchers', 'list')).stdout).toMatch(/^Nobody is told of anything/);
    for (const name of ['a', 'b', 'c']) await command(...ADD, '--name', name);
    await command('start', IMAGE);
    const at = Date.parse('2026-01-05T10:00:00Z');
    await fail('b', { kind: 'failed', error: 'It answered 500.', retryAfter: 60_000 }, at);
    await fail('c', { kind: 'gone' }, at);
    const { stdout } = await command('watchers', 'list');
    expect(stdout.split('\n').map((line) => line.replace(/ +https:.*/, ''))).toEqual([
      'WATCHER  STATE     PENDING  LAST ACCEPTED  TYPES  URL',
      'a        ok              1  -              all',
      'b        FAILING         1  -              all',
      'c        DISABLED        1  -              all',
      '! b: 1 try failed, the next is at 2026-01-05 10:01:00. The last try: It answered 500.',
      '! c: It answered 410 Gone: it wants no more events. The last try: It answered 410 Gone. Once it is mended: rollouts watchers retry c',
      '',
    ]);
    expect(stdout).not.toContain('SECRET');
    const { watchers } = await json('watchers', 'list');
    expect(watchers).toMatchObject([
      { name: 'a', pending: 1 },
      { name: 'b', failures: 1, nextTryAt: '2026-01-05T10:01:00.000Z' },
      { name: 'c', state: 'disabled', disabledAt: '2026-01-05T10:00:00.000Z' },
    ]);
    expect(JSON.stringify(watchers)).not.toContain('token=');
  });

  it('has one tried at once, and leaves out what it never accepts', async () => {
    await command(...ADD, '--name', 'c');
    await command('start', IMAGE);
    await fail('c', { kind: 'gone' }, Date.now());
    expect((await command('watchers', 'retry', 'c')).stdout).toBe('c is tried at once.\n');
    expect(await rollouts.ledger.deliveries.due(Date.now())).toEqual(['c']);
    const { stdout } = await command('watchers', 'retry', 'c', '--skip');
    expect(stdout).toMatch(/^c is tried at once\. It does not get rollout\.started of rollout\//);
    expect(await json('watchers', 'list')).toMatchObject({ watchers: [{ pending: 0, state: 'ok' }] });
  });

  it('removes one', async () => {
    await command(...ADD, '--name', 'c');
    expect((await command('watchers', 'remove', 'C')).stdout).toBe('c is told nothing any more.\n');
    expect(await json('watchers', 'list')).toEqual({ watchers: [] });
  });

  it.each([
    [['watchers'], /Usage: rollouts watchers/],
    [['watchers', 'add', 'https://a.example'], /required option '--secret <where>'/],
    [
      ['watchers', 'add', 'a.example', '--secret', 'env:WATCHER_SECRET'],
      /The URL is no URL: give one such as/,
    ],
    [['watchers', 'add', 'http://a.example', '--secret', 'env:WATCHER_SECRET'], /The URL is not encrypted/],
    [
      ['watchers', 'add', 'https://a.example', '--secret', SECRET],
      /The secret does not say where the workers find/,
    ],
    [[...ADD, '--name', 'a b'], /"a b" is no name of a watcher/],
    [
      [...ADD, '--types', 'rollout.ended'],
      /"rollout\.ended" is no type of event\. Give any of rollout\.started, /,
    ],
    [[...ADD, '--types', 'watcher.test'], /"watcher\.test" is no type of event/],
    [[...ADD, '--types', ','], /Give at least one type/],
    [['watchers', 'remove', 'x'], /There is no watcher "x"\. There is none\./],
    [['watchers', 'retry', 'x'], /There is no watcher "x"/],
    [['watchers', 'test', 'x'], /There is no watcher "x"/],
    [['watchers', 'test', 'x', '--timeout', 'soon'], /Give a length of time/],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await command(...args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain(SECRET);
    expect([code, stdout]).toEqual([64, '']);
  });

  it('refuses a name that is taken, and more than can be looked after', async () => {
    await command(...ADD);
    const { code, stderr } = await command(...ADD);
    expect(code).toBe(1);
    expect(stderr).toContain('There is a watcher "hooks.example" already: remove it before, or give --name.');
    for (let i = 1; i < 50; i++) {
      const watcher = { name: `w${i}`, url: URL_WITH_TOKEN, kinds: null, secret: SECRET_REFERENCE };
      await rollouts.ledger.watchers.add({ ...watcher, who: 'ann', addedAt: 0 });
    }
    expect((await command(...ADD, '--name', 'more')).stderr).toContain('There are 50 watchers');
  });
});

describe('rollouts watchers test', () => {
  /** The answer of the command while workers deliver to a receiver that answers so. */
  async function testWith(status: number): Promise<{ code: number; stdout: string; types: string[] }> {
    const sink = await openSink((response) => response.writeHead(status).end());
    const log = { debug: () => undefined, warn: () => undefined };
    const { deliveries } = rollouts.ledger;
    const loop = startDelivery({ deliveries, source: '/test', log, env: SECRET_ENV });
    try {
      await command(
        'watchers',
        'add',
        sink.url,
        '--name',
        'ops',
        '--secret',
        SECRET_REFERENCE,
        '--types',
        'rollout.halted',
      );
      const { code, stdout } = await command('watchers', 'test', 'ops', '--who', 'ann');
      return { code, stdout, types: sink.events().map(({ type }) => type) };
    } finally {
      await loop.close();
      await sink.close();
    }
  }

  it('says that the event has arrived, whatever else the watcher chose', async () => {
    expect(await testWith(200)).toEqual({
      code: 0,
      stdout: 'ops has accepted the event.\n',
      types: ['dev.rollouts.watcher.test'],
    });
  });

  it('says why it has not', async () => {
    const { code, stdout } = await testWith(403);
    expect(stdout).toBe(
      'ops has not accepted what was sent: It answered 403. It is tried again by itself.\n',
    );
    expect(code).toBe(1);
  });

  it('says that nobody has tried, and that a disabled one is told nothing', async () => {
    await command(...ADD, '--name', 'ops');
    const { code, stdout } = await command('watchers', 'test', 'ops', '--timeout', '0s');
    expect(stdout).toMatch(/^No try has ended yet; the event stays to be sent\./);
    expect(code).toBe(1);
    await fail('ops', { kind: 'gone' }, Date.now());
    const { stderr, ...refused } = await command('watchers', 'test', 'ops');
    expect(refused.code).toBe(1);
    expect(stderr).toContain('Mend it, then `rollouts watchers retry ops`.');
  });
});
