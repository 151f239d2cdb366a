import { expect, it } from 'vitest';
import { NO_FAILURES, type AfterFailure } from '../../src/domain/delivery.ts';
import { AlreadyRecordedError, openLedger } from '../../src/ledger/index.ts';
import type { Ledger, NewWatcher } from '../../src/ledger/port.ts';
import { describeEngines } from '../support/engines.ts';
import { aRollout, twoProcesses } from './ledger-builders.ts';

const aWatcher = (change: Partial<NewWatcher> = {}): NewWatcher => ({
  name: 'ops',
  url: 'https://hooks.example/ops',
  kinds: null,
  secret: 'env:WATCHER_SECRET',
  who: 'ann',
  addedAt: 1_000,
  ...change,
});

const FAILURE: AfterFailure = {
  failures: 1,
  failingSince: 50,
  nextTryAt: 90,
  error: 'It answered 500.',
  disabledWhy: null,
};
const lease = (owner: string, name = 'ops') => ({ name, owner });
const tell = (ledger: Ledger, ...ids: string[]) =>
  Promise.all(ids.map((id) => ledger.rollouts.create(aRollout({ id }))));
const isDue = async ({ deliveries }: Ledger, now: number) => (await deliveries.due(now)).length === 1;

describeEngines('watchers in the ledger', (open) => {
  it('are told of what happens from then on, once each by their names', async () => {
    const ledger = openLedger(await open());
    await tell(ledger, 'before');
    const added = await ledger.watchers.add(aWatcher());
    expect(added).toMatchObject({ ...aWatcher(), ...NO_FAILURES, disabledAt: null, lastError: null });
    await expect(ledger.watchers.add(aWatcher())).rejects.toThrow(AlreadyRecordedError);
    await tell(ledger, 'after');
    const { events } = await ledger.deliveries.after(added, added.lastSeq, 10);
    expect(events.map(({ subject }) => subject)).toEqual(['after']);
    expect(await ledger.watchers.list()).toMatchObject([{ name: 'ops', pending: 1 }]);
    expect(await ledger.watchers.remove('ops')).toBe(true);
    expect(await ledger.watchers.remove('ops')).toBe(false);
    expect(await ledger.watchers.get('ops')).toBeNull();
  });

  it('get the events that they chose, and tests that are meant for them', async () => {
    const ledger = openLedger(await open());
    await ledger.watchers.add(aWatcher({ kinds: ['rollout.halted', 'rollout.completed'] }));
    await ledger.watchers.add(aWatcher({ name: 'all' }));
    const test = { key: 'all#1', kind: 'watcher.test', subject: 'all', at: 1, data: {} } as const;
    await tell(ledger, 'a');
    await ledger.rollouts.setStatus('a', 'Halted', 2_000, null);
    await ledger.watchers.test('all', test);
    const got = async (name: string) => {
      const watcher = await ledger.watchers.get(name);
      const { events, upTo } = await ledger.deliveries.after(watcher ?? aWatcher(), 0, 10);
      return { upTo, kinds: events.map(({ kind }) => kind) };
    };
    expect(await got('ops')).toEqual({ upTo: 3, kinds: ['rollout.halted'] });
    expect((await got('all')).kinds).toEqual(['rollout.started', 'rollout.halted', 'watcher.test']);
    expect((await ledger.watchers.list()).map(({ pending }) => pending)).toEqual([3, 1]);
  });

  it('are had by one of many deliverers at a time, until its lease runs out', async () => {
    const { ledger, atOnce, close } = await twoProcesses(open);
    await ledger.watchers.add(aWatcher());
    await tell(ledger, 'a', 'b');
    const claims = await atOnce(8, ({ deliveries }, i) => deliveries.claim(lease(`${i}`), 100, 160));
    const owner = `${claims.findIndex((claim) => claim !== null)}`;
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
    expect(await isDue(ledger, 159)).toBe(false);
    expect(await ledger.deliveries.passed(lease(owner), 1, 110, 170)).toBe(true);
    expect(await isDue(ledger, 169)).toBe(false);
    expect(await ledger.deliveries.claim(lease('next'), 170, 230)).toMatchObject({ lastSeq: 1 });
    expect(await ledger.deliveries.passed(lease(owner), 2, 171, 231)).toBe(false);
    await ledger.deliveries.failed(lease(owner), FAILURE, 171);
    expect(await ledger.watchers.get('ops')).toMatchObject({ lastSeq: 1, failures: 0, lastAcceptedAt: 110 });
    await close();
  });

  it('are due when there is something to get, nobody has them, and their time has come', async () => {
    const ledger = openLedger(await open());
    await ledger.watchers.add(aWatcher());
    expect(await isDue(ledger, 1)).toBe(false);
    await tell(ledger, 'a');
    expect(await isDue(ledger, 1)).toBe(true);
    await ledger.deliveries.claim(lease('x'), 1, 61);
    await ledger.deliveries.failed(lease('x'), FAILURE, 50);
    expect(await ledger.watchers.get('ops')).toMatchObject({ failures: 1, failingSince: 50, lastTryAt: 50 });
    expect([await isDue(ledger, 89), await isDue(ledger, 90)]).toEqual([false, true]);
    await ledger.watchers.retry('ops', false);
    expect(await isDue(ledger, 51)).toBe(true);
    await ledger.deliveries.claim(lease('x'), 51, 111);
    await ledger.deliveries.passed(lease('x'), 1, 52, 112);
    await ledger.deliveries.release(lease('x'));
    expect(await isDue(ledger, 53)).toBe(false);
    expect(await ledger.watchers.get('ops')).toMatchObject({ ...NO_FAILURES, lastError: null });
  });

  it('that were disabled get what they missed once somebody says so, but what is left out', async () => {
    const ledger = openLedger(await open());
    await ledger.watchers.add(aWatcher({ kinds: ['rollout.started'] }));
    await tell(ledger, 'bad');
    await ledger.rollouts.setStatus('bad', 'Completed', 2_000, null);
    await ledger.deliveries.claim(lease('x'), 1, 61);
    await ledger.deliveries.failed(lease('x'), { ...FAILURE, disabledWhy: 'It is gone.' }, 50);
    await tell(ledger, 'good');
    expect(await isDue(ledger, 1_000_000)).toBe(false);
    expect(await ledger.deliveries.claim(lease('x'), 1_000_000, 1_000_060)).toBeNull();
    expect(await ledger.watchers.retry('ops', true)).toMatchObject({ subject: 'bad' });
    const watcher = await ledger.watchers.get('ops');
    expect(watcher).toMatchObject({ ...NO_FAILURES, disabledAt: null, disabledWhy: null });
    const { events } = await ledger.deliveries.after(watcher ?? aWatcher(), watcher?.lastSeq ?? 0, 10);
    expect(events.map(({ subject }) => subject)).toEqual(['good']);
    expect(await ledger.watchers.retry('nobody', true)).toBeNull();
  });

  it('are counted for metrics', async () => {
    const ledger = openLedger(await open());
    await ledger.watchers.add(aWatcher());
    await tell(ledger, 'a');
    await ledger.deliveries.claim(lease('x'), 1, 61);
    await ledger.deliveries.failed(lease('x'), { ...FAILURE, disabledWhy: 'It is gone.' }, 50);
    const { watchers } = await ledger.statistics.read({ now: 0, batchDurationBounds: [] });
    expect(watchers).toEqual([{ name: 'ops', pending: 1, failingSince: 50, isDisabled: true }]);
  });

  it('have their events kept until they have them, but for those that are told nothing', async () => {
    const ledger = openLedger(await open());
    const left = async () => (await ledger.deliveries.after({ name: '', kinds: null }, 0, 10)).events.length;
    await ledger.watchers.add(aWatcher());
    await ledger.watchers.add(aWatcher({ name: 'slow' }));
    await tell(ledger, 'a', 'b');
    await ledger.deliveries.claim(lease('x'), 1, 61);
    await ledger.deliveries.passed(lease('x'), 2, 2, 62);
    const later = Date.now() + 60_000;
    expect(await ledger.deliveries.prune(later)).toBe(0);
    await ledger.deliveries.claim(lease('x', 'slow'), 1, 61);
    await ledger.deliveries.passed(lease('x', 'slow'), 1, 2, 62);
    expect(await ledger.deliveries.prune(0)).toBe(0);
    expect(await ledger.deliveries.prune(later)).toBe(1);
    await ledger.deliveries.failed(lease('x', 'slow'), { ...FAILURE, disabledWhy: 'It is gone.' }, 50);
    expect(await ledger.deliveries.prune(later)).toBe(1);
    expect(await left()).toBe(0);
    await tell(ledger, 'c');
    expect(await isDue(ledger, 100)).toBe(true);
  });
});
