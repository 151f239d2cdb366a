import { afterEach, expect, it, vi } from 'vitest';
import { startDelivery, type DeliveryLoop } from '../../src/watchers/delivery-loop.ts';
import { NEW_VERSION, testSetId } from '../support/fleet.ts';
import { openSink, SECRET_ENV, SECRET_REFERENCE } from '../support/sink.ts';
import { QUICK, rolloutWorld, startRollout, useTimeSkippingServer } from '../support/rollout.ts';

const env = useTimeSkippingServer();
let loop: DeliveryLoop | undefined;
afterEach(() => loop?.close());

const ID = /^rollout\//;

it('a watcher that is down all along holds no rollout up, and is told of all of it in the end', async () => {
  const sets = [{ name: 'front', region: 'eastus', capacity: 5 }];
  const faults = [
    { kind: 'neverHealthy' as const, version: NEW_VERSION, scaleSet: 'front', instances: ['4'] },
  ];
  const world = await rolloutWorld(env, sets, { faults });
  const { watchers, deliveries } = world.ledger;
  const down = await openSink();
  await down.close();
  const { port, url } = down;
  await watchers.add({ name: 'ops', url, kinds: null, secret: SECRET_REFERENCE, who: 'ann', addedAt: 0 });
  const log = { debug: vi.fn<() => void>(), warn: vi.fn<() => void>() };
  loop = startDelivery({ deliveries, source: '/test', log, env: SECRET_ENV });
  const phases = [{ name: 'all', regions: ['eastus'] }];
  const result = await world.worker.runUntil(async () => {
    const settings = { ...QUICK, failureTolerancePercent: 20 };
    return (await startRollout(world, { phases, settings })).result();
  });
  expect(result.status).toBe('Completed');
  await vi.waitFor(() => expect(log.warn).toHaveBeenCalled(), 10_000);
  expect(log.debug).not.toHaveBeenCalled();
  expect(await watchers.list()).toMatchObject([{ pending: 4, lastAcceptedAt: null }]);

  const sink = await openSink(undefined, port);
  await watchers.retry('ops', false);
  await vi.waitFor(async () => expect(await watchers.list()).toMatchObject([{ pending: 0 }]), 10_000);
  const events = sink.events();
  expect(events.map(({ type }) => type)).toEqual([
    'dev.rollouts.rollout.started',
    'dev.rollouts.scaleset.restored',
    'dev.rollouts.phase.done',
    'dev.rollouts.rollout.completed',
  ]);
  const [started, restored, done, completed] = events;
  expect([started?.subject, done?.subject, completed?.subject]).toEqual(
    Array(3).fill(expect.stringMatching(ID)),
  );
  expect(restored).toMatchObject({ subject: testSetId('front'), data: { instanceIds: ['4'], instances: 1 } });
  expect(done?.data).toMatchObject({ phase: 1, eligible: 5, succeeded: 4, failed: 1 });
  // Told in wall time, of virtual time: the order is that of what happened.
  const times = events.map(({ time }) => time);
  expect(times).toEqual(times.toSorted());
  await sink.close();
});
