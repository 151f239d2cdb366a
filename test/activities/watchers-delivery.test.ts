import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../src/database/database.ts';
import { DAY, MINUTE, SECOND } from '../../src/domain/clock.ts';
import { LEASE } from '../../src/domain/delivery.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { Ledger } from '../../src/ledger/port.ts';
import { deliverTo, type DeliveryParts } from '../../src/watchers/deliver.ts';
import { startDelivery } from '../../src/watchers/delivery-loop.ts';
import { problemsOfCloudEvent } from '../support/cloud-event.ts';
import { temporaryDatabase } from '../support/database.ts';
import { EPOCH, TARGET } from '../support/fleet.ts';
import {
  openSink,
  SECRET,
  SECRET_ENV,
  SECRET_REFERENCE,
  type Answering,
  type Sink,
} from '../support/sink.ts';

let database: Awaited<ReturnType<typeof temporaryDatabase>>;
let ledger: Ledger;
let now: number;
let sinks: Sink[];
let told: { message: string; fields: Record<string, unknown> }[];

beforeEach(async () => {
  database = await temporaryDatabase();
  ledger = openLedger(database);
  // Receivers refuse what is signed far from their own time.
  now = Date.now();
  sinks = [];
  told = [];
});
afterEach(async () => {
  for (const sink of sinks) await sink.close();
  await database.remove();
});

async function sinkOf(answering?: Answering, port?: number): Promise<Sink> {
  const sink = await openSink(answering, port);
  sinks.push(sink);
  return sink;
}

async function watch({ url }: Pick<Sink, 'url'>, name = 'ops', secret = SECRET_REFERENCE): Promise<void> {
  await ledger.watchers.add({ name, url, kinds: null, secret, who: 'ann', addedAt: now });
}

/** Something happens: a rollout of each of these names begins. */
async function happen(...ids: string[]): Promise<void> {
  const rest = { target: TARGET, generation: 1, settings: DEFAULT_SETTINGS, startedBy: 'ann' };
  for (const id of ids)
    await ledger.rollouts.create({ id, kind: 'platform', ...rest, phases: [], startedAt: EPOCH });
}

const partsOf = (change: Partial<DeliveryParts> = {}): DeliveryParts => {
  const note = (fields: object, message: string) => void told.push({ message, fields: { ...fields } });
  const log = { debug: note, warn: note };
  return { deliveries: ledger.deliveries, source: '/test', log, now: () => now, env: SECRET_ENV, ...change };
};

const never = { soon: new AbortController().signal, now: new AbortController().signal };

/** What a deliverer does once with a watcher, if it is due. */
async function deliver(change: Partial<DeliveryParts> = {}, name = 'ops', owner = 'a'): Promise<void> {
  const parts = partsOf(change);
  const due = await parts.deliveries.due(parts.now());
  if (due.includes(name)) await deliverTo(parts, { name, owner }, never);
}

const subjectsOf = (sink: Sink) => sink.events().map(({ subject }) => subject);
const watcher = async (name = 'ops') => (await ledger.watchers.list()).find((one) => one.name === name);
const status =
  (code: number, headers: Record<string, string> = {}): Answering =>
  (response) =>
    response.writeHead(code, headers).end();

describe('what a watcher gets', () => {
  it('is a CloudEvent, signed as Standard Webhooks says, one after the other in the order of what happened', async () => {
    const sink = await sinkOf();
    await watch(sink);
    await happen('r1', 'r2', 'r3');
    await deliver();
    expect(subjectsOf(sink)).toEqual(['r1', 'r2', 'r3']);
    for (const { headers, body } of sink.calls) {
      const event = new Webhook(SECRET).verify(body, headers as Record<string, string>);
      expect(problemsOfCloudEvent(event)).toEqual([]);
      expect(event).toMatchObject({
        specversion: '1.0',
        id: headers['webhook-id'],
        source: '/test',
        type: 'dev.rollouts.rollout.started',
        time: new Date(EPOCH).toISOString(),
        data: { kind: 'platform', action: 'osUpgrade', version: TARGET.version },
      });
      expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    }
    expect(await watcher()).toMatchObject({ pending: 0, failures: 0, lastAcceptedAt: now });
  });

  it('is signed with each secret while one takes the place of the other, and with none else', async () => {
    const sink = await sinkOf();
    await watch(sink);
    await happen('r1');
    const next = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
    await deliver({ env: { WATCHER_SECRET: `${next} ${SECRET}` } });
    const { body = '', headers } = sink.calls[0] ?? {};
    const verify = (secret: string) => new Webhook(secret).verify(body, headers as Record<string, string>);
    expect(verify(SECRET)).toEqual(verify(next));
    expect(() => verify(`whsec_${Buffer.alloc(32, 2).toString('base64')}`)).toThrow(
      'No matching signature found',
    );
  });
});

describe('a watcher that does not accept an event', () => {
  it('that is down gets everything in its order once it is back, however long that takes', async () => {
    const down = await openSink();
    await down.close();
    const { port, url } = down;
    await watch({ url });
    await happen('r1', 'r2');
    await deliver();
    expect(await watcher()).toMatchObject({ pending: 2, failures: 1, failingSince: now });
    expect((await watcher())?.lastError).toContain('ECONNREFUSED');
    const since = now;
    while (now < since + DAY) {
      now += MINUTE;
      await deliver();
    }
    expect(await watcher()).toMatchObject({ pending: 2, failingSince: since, disabledAt: null });
    const sink = await sinkOf(undefined, port);
    await ledger.watchers.retry('ops', false);
    await deliver();
    expect(subjectsOf(sink)).toEqual(['r1', 'r2']);
    expect(await watcher()).toMatchObject({ pending: 0, failures: 0, failingSince: null, lastError: null });
  });

  it('gets the same event again, with the same id, before the next one', async () => {
    const sink = await sinkOf((response, number) => response.writeHead(number < 3 ? 500 : 200).end());
    await watch(sink);
    await happen('r1', 'r2');
    for (let i = 0; i < 3; i++) {
      await deliver();
      now += MINUTE;
    }
    expect(subjectsOf(sink)).toEqual(['r1', 'r1', 'r1', 'r2']);
    const ids = sink.calls.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids.slice(0, 3)).size).toBe(1);
    expect(ids[3]).not.toBe(ids[0]);
    expect(told.map(({ message }) => message)).toEqual([
      'watcher not told',
      'watcher not told',
      'watcher told',
      'watcher told',
    ]);
  });

  it('counts its failures from the last event that it accepted', async () => {
    const sink = await sinkOf((response, number) => response.writeHead(number === 2 ? 200 : 500).end());
    await watch(sink);
    await happen('r1', 'r2');
    await deliver();
    now += MINUTE;
    await deliver();
    expect(await watcher()).toMatchObject({ failures: 1, failingSince: now, lastAcceptedAt: now });
  });

  it('is left alone for as long as it asks', async () => {
    const sink = await sinkOf(status(429, { 'retry-after': '300' }));
    await watch(sink);
    await happen('r1');
    await deliver();
    expect((await watcher())?.nextTryAt).toBe(now + 300 * SECOND);
    now += 299 * SECOND;
    await deliver();
    expect(sink.calls).toHaveLength(1);
    now += SECOND;
    await deliver();
    expect(sink.calls).toHaveLength(2);
  });

  it('and wants no more events is told none, until somebody says so', async () => {
    const sink = await sinkOf((response, number) => response.writeHead(number === 1 ? 410 : 200).end());
    await watch(sink);
    await happen('r1');
    await deliver();
    now += DAY;
    await happen('r2');
    await deliver();
    expect(sink.calls).toHaveLength(1);
    expect((await watcher())?.disabledWhy).toBe('It answered 410 Gone: it wants no more events.');
    await ledger.watchers.retry('ops', false);
    await deliver();
    expect(subjectsOf(sink)).toEqual(['r1', 'r1', 'r2']);
  });

  it('is not followed to where it redirects', async () => {
    const elsewhere = await sinkOf();
    const sink = await sinkOf(status(307, { location: elsewhere.url }));
    await watch(sink);
    await happen('r1');
    await deliver();
    expect([sink.calls.length, elsewhere.calls.length]).toEqual([1, 0]);
    expect((await watcher())?.lastError).toBe('It answered 307, and redirects are not followed.');
  });

  it('and says nothing is given up after a while', async () => {
    const sink = await sinkOf(() => undefined);
    await watch(sink);
    await happen('r1');
    await deliver({ timeout: 50 });
    expect((await watcher())?.lastError).toBe('It did not answer within 0.05 s.');
  });

  it('and whose secret this worker does not have gets nothing that is not signed', async () => {
    const sink = await sinkOf();
    await watch(sink);
    await happen('r1');
    await deliver({ env: {} });
    expect(sink.calls).toHaveLength(0);
    expect((await watcher())?.lastError).toContain('This worker has no secret at env:WATCHER_SECRET.');
  });
});

describe('a watcher that accepts an event', () => {
  it('and goes on talking for ever is not listened to', async () => {
    let closed = 0;
    const sink = await sinkOf((response) => {
      const talking = setInterval(() => response.write('x'.repeat(65_536)), 1);
      response.on('close', () => {
        clearInterval(talking);
        closed++;
      });
      response.writeHead(200).write('x');
    });
    await watch(sink);
    await happen('r1', 'r2');
    await deliver();
    expect(subjectsOf(sink)).toEqual(['r1', 'r2']);
    await vi.waitFor(() => expect(closed).toBe(2));
  });

  it('gets it again, with the same id, when the worker dies before that is recorded', async () => {
    const sink = await sinkOf();
    await watch(sink);
    await happen('r1');
    const { deliveries } = ledger;
    const killed = { ...deliveries, passed: () => Promise.reject(new Error('killed')) };
    await expect(deliver({ deliveries: killed })).rejects.toThrow('killed');
    now += LEASE - 1;
    await deliver({}, 'ops', 'b');
    expect(sink.calls).toHaveLength(1);
    now += 1;
    await deliver({}, 'ops', 'b');
    const ids = sink.calls.map(({ headers }) => headers['webhook-id']);
    expect([ids.length, new Set(ids).size]).toEqual([2, 1]);
    expect(await watcher()).toMatchObject({ pending: 0 });
  });
});

describe('workers that tell watchers', () => {
  const loopOf = (change: Partial<DeliveryParts> = {}) =>
    startDelivery({ ...partsOf(change), now: Date.now, grace: 100 });

  it('tell each event once, however many they are', async () => {
    const sink = await sinkOf();
    await watch(sink);
    const second = await openDatabase(database.url);
    const loops = [loopOf(), loopOf({ deliveries: openLedger(second).deliveries })];
    const ids = Array.from({ length: 25 }, (_, i) => `r${i}`);
    await happen(...ids);
    await vi.waitFor(async () => expect((await watcher())?.pending).toBe(0), 10_000);
    expect(subjectsOf(sink)).toEqual(ids);
    for (const loop of loops) await loop.close();
    await second.close();
  });

  it('let one that is slow hold up no other, and end without waiting for it', async () => {
    const [slow, quick] = [await sinkOf(() => undefined), await sinkOf()];
    await watch(slow, 'slow');
    await watch(quick, 'quick');
    const loop = loopOf();
    await happen('r1', 'r2');
    await vi.waitFor(async () => {
      expect(slow.calls).toHaveLength(1);
      expect((await watcher('quick'))?.pending).toBe(0);
    }, 10_000);
    await loop.close();
    expect(await watcher('slow')).toMatchObject({ pending: 2, failures: 0 });
    expect(await ledger.deliveries.due(Date.now())).toEqual(['slow']);
  });

  it('go on when the database was away for a moment', async () => {
    const sink = await sinkOf();
    await watch(sink);
    await happen('r1');
    const due = vi
      .fn((at: number) => ledger.deliveries.due(at))
      .mockRejectedValueOnce(new Error('database is locked'));
    const loop = loopOf({ deliveries: { ...ledger.deliveries, due } });
    await vi.waitFor(() => expect(sink.calls).toHaveLength(1), 10_000);
    await loop.close();
    expect(told[0]).toEqual({
      message: 'watchers are not looked after',
      fields: { error: 'database is locked' },
    });
  });
});
