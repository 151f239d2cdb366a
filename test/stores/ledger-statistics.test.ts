import { expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { Attempt, InstanceOutcome, Ledger } from '../../src/ledger/port.ts';
import { describeEngines } from '../support/engines.ts';
import { aRollout, aTarget, aWait, anAttempt, progress, setId, version, zones } from './ledger-builders.ts';

const BOUNDS = [MINUTE, 5 * MINUTE];
const IMAGE = 'canonical:ubuntu:22_04-lts';
const GROUP = { imageKey: IMAGE, region: 'eastus', kind: 'osUpgrade' };

const observed = { instances: 4, unhealthy: 0, upgraded: 0, upgradedUnhealthy: 0, pending: {} };
const end = (instanceId: string, outcome: InstanceOutcome) => ({ instanceId, outcome, error: null });

async function openedAttempt(ledger: Ledger): Promise<Attempt> {
  await ledger.rollouts.create(aRollout({ id: 'R1' }));
  const { attempt } = await ledger.attempts.open(anAttempt(), async () => false);
  return attempt;
}

async function openedBatch(
  ledger: Ledger,
  attempt: Attempt,
  number: number,
  ids: string[],
  startedAt: number,
) {
  const instances = ids.map((instanceId) => ({
    instanceId,
    zone: null,
    updateDomain: null,
    from: null,
    wasHealthy: true,
  }));
  const batch = { number, zone: null, updateDomain: null, startedAt, observed };
  await ledger.attempts.openBatch(attempt, batch, instances, progress(0, 0, ids.length, 0));
}

const read = (ledger: Ledger, now = 0) => ledger.statistics.read({ now, batchDurationBounds: BOUNDS });

describeEngines('statistics of the ledger', (open) => {
  it('are empty where nothing was ever done', async () => {
    const statistics = await read(openLedger(await open()));
    const { journal, ...counts } = statistics;
    expect(Object.values(counts).flat()).toEqual([]);
    expect(journal).toEqual({ lines: 0, lastRecordedAt: null });
  });

  it('count a VM that was left as in progress until its attempt has ended, since it may be restored (rule B7)', async () => {
    const ledger = openLedger(await open());
    const attempt = await openedAttempt(ledger);
    await openedBatch(ledger, attempt, 1, ['a', 'b', 'c'], 0);
    await ledger.attempts.closeBatch(
      attempt,
      1,
      [end('a', 'upgraded'), end('b', 'left'), end('c', 'left')],
      MINUTE,
    );
    expect((await read(ledger)).instances).toEqual(
      expect.arrayContaining([
        { ...GROUP, outcome: 'upgraded', count: 1 },
        { ...GROUP, outcome: 'inProgress', count: 2 },
      ]),
    );
    await ledger.attempts.amendOutcomes(attempt, [{ ...end('b', 'left'), outcome: 'restored' }], MINUTE);
    await openedBatch(ledger, attempt, 2, ['d'], MINUTE);
    const reason = { code: 'ScaleSetDeleted', message: 'gone' };
    await ledger.attempts.close(attempt, 'Cancelled', reason, progress(1, 2, 1, 0), 2 * MINUTE);
    const { instances, attempts } = await read(ledger);
    expect(Object.fromEntries(instances.map(({ outcome, count }) => [outcome, count]))).toEqual({
      upgraded: 1,
      restored: 1,
      left: 1,
      abandoned: 1,
    });
    expect(attempts).toEqual([
      { ...GROUP, status: 'Cancelled', code: 'ScaleSetDeleted', count: 1, since: 1_000 },
    ]);
  });

  it('say how long batches took, and count one that runs as opened only', async () => {
    const ledger = openLedger(await open());
    const attempt = await openedAttempt(ledger);
    for (const [number, duration] of [MINUTE, 3 * MINUTE, 10 * MINUTE].entries()) {
      await openedBatch(ledger, attempt, number, [`vm${number}`], 0);
      await ledger.attempts.closeBatch(attempt, number, [end(`vm${number}`, 'upgraded')], duration);
    }
    await openedBatch(ledger, attempt, 3, ['vm3'], 0);
    const { batches, batchDurations } = await read(ledger);
    expect(batches).toEqual([{ ...GROUP, opened: 4, closed: 3 }]);
    expect(batchDurations).toEqual([{ kind: 'osUpgrade', count: 3, sum: 14 * MINUTE, atMost: [1, 2] }]);
  });

  it('tell what waits, for how long, and what stands in the way', async () => {
    const ledger = openLedger(await open());
    const attempt = await openedAttempt(ledger);
    await ledger.targets.add([
      aTarget({ triggerAt: 2_000, seenAt: 500 }),
      aTarget({ scaleSetId: setId('Later'), triggerAt: 9_000 }),
      aTarget({ scaleSetId: setId('Done'), status: 'upgraded' }),
    ]);
    await ledger.claims.request(zones('A', '1'), 10);
    await ledger.claims.request(zones('B', '2'), 20);
    await ledger.claims.request(zones('C', '3'), 30);
    const pair = { group: 'geo-pairs', rule: 'listed' as const, excludes: { east: ['east'] } };
    for (const [i, holder] of ['D', 'E'].entries())
      await ledger.claims.request({ ...zones(holder), ...pair, accepts: ['east'] }, 50 + 10 * i);
    const order = { who: 'ann', why: 'incident', at: 1 };
    await ledger.orders.set({ ...order, scope: 'all', state: 'paused' });
    await ledger.orders.set({ ...order, scope: 'set/a', state: 'running' });
    await openedBatch(ledger, attempt, 1, ['a'], 0);
    await ledger.attempts.closeBatch(attempt, 1, [end('a', 'restoreFailed')], 40);
    const held = { scaleSetId: setId('Web'), version: version('1.0.0'), who: 'ann', why: 'bad', since: 1 };
    await ledger.heldVersions.hold(held);
    await ledger.journal.appendOnce([aWait()]);

    const statistics = await read(ledger, 2_000);
    const region = 'westeurope';
    expect(statistics.targets).toHaveLength(3);
    expect(statistics.targets).toEqual(
      expect.arrayContaining([
        { region, status: 'waiting', isDue: true, count: 1, since: 500 },
        { region, status: 'waiting', isDue: false, count: 1, since: 1_000 },
        { region, status: 'upgraded', isDue: true, count: 1, since: 1_000 },
      ]),
    );
    expect(statistics.waits.toSorted((a, b) => a.kind.localeCompare(b.kind))).toEqual([
      { kind: 'betweenBatches', count: 1, since: 40 },
      { kind: 'geoPair', count: 1, since: 60 },
      { kind: 'trigger', count: 1, since: 1_000 },
      { kind: 'turn', count: 1, since: 2_000 },
      { kind: 'zone', count: 2, since: 20 },
    ]);
    expect(statistics.orders).toEqual([{ state: 'paused', count: 1 }]);
    expect(statistics.quarantined).toEqual([{ region: 'eastus', count: 1, since: 40 }]);
    expect(statistics.heldVersions).toEqual([{ imageKey: IMAGE, count: 1 }]);
    expect(statistics.journal.lines).toBeGreaterThan(0);
    expect(statistics.journal.lastRecordedAt).toBeGreaterThan(0);
    expect(statistics.rollouts).toEqual([
      { imageKey: IMAGE, action: 'osUpgrade', status: 'Running', count: 1 },
    ]);
  });

  it('tell of phases that bake, until they are judged, and of halted rollouts since then', async () => {
    const ledger = openLedger(await open());
    await ledger.rollouts.create(aRollout({ id: 'R1' }));
    const key = { rolloutId: 'R1', phase: 1, round: 1 };
    await ledger.phases.open({ ...key, at: 10, target: version('1.0.0'), regions: [] });
    expect((await read(ledger)).waits).toEqual([]);
    await ledger.phases.bake(key, 20, 30);
    expect((await read(ledger)).waits).toEqual([{ kind: 'bake', count: 1, since: 20 }]);
    await ledger.phases.judge(key, { eligible: 1, succeeded: 0, failed: 1, failures: [] }, 40);
    await ledger.rollouts.setStatus('R1', 'Halted', 41, null);
    expect((await read(ledger)).waits).toEqual([{ kind: 'decision', count: 1, since: 40 }]);
  });

  it('leave out the scale sets of rollouts that have ended, and those of quarantines that are over', async () => {
    const ledger = openLedger(await open());
    const attempt = await openedAttempt(ledger);
    await ledger.targets.add([aTarget()]);
    await openedBatch(ledger, attempt, 1, ['a'], 0);
    await ledger.attempts.closeBatch(attempt, 1, [end('a', 'restoreFailed')], 40);
    await ledger.rollouts.setStatus('R1', 'Completed', 5_000, null);
    await ledger.quarantine.release(setId('Web'), ['a'], 6_000, 'ann');
    const { targets, quarantined, waits } = await read(ledger);
    expect([...targets, ...quarantined]).toEqual([]);
    expect(waits.map(({ kind }) => kind)).toEqual(['betweenBatches']);
  });
});
