import { expect, it } from 'vitest';
import { openLedger } from '../../src/ledger/index.ts';
import type { Attempt, Ledger, NewRule } from '../../src/ledger/port.ts';
import { describeEngines } from '../support/engines.ts';
import { anAttempt, progress, setId, twoProcesses } from './ledger-builders.ts';

const by = { who: 'ada', why: 'end of the year', at: 1_000 };
const freeze: NewRule = { kind: 'freeze', scope: 'all', from: 2_000, until: 9_000, ...by };
const nights: NewRule = {
  kind: 'window',
  scope: `scale-set:${setId('web').toLowerCase()}`,
  window: { days: ['mon'], start: '22:00', zone: 'Europe/Berlin', length: { end: '04:00' } },
  ...by,
};

const observed = { instances: 4, unhealthy: 0, upgraded: 0, upgradedUnhealthy: 0, pending: {} };
const batch = (calendar?: number) => ({
  ...{ number: 1, zone: null, updateDomain: 0, startedAt: 3_000, observed },
  ...(calendar === undefined ? {} : { calendar }),
});

async function opened({ attempts }: Ledger) {
  const { attempt } = await attempts.open(anAttempt(), async () => false);
  return (calendar?: number) => attempts.openBatch(attempt, batch(calendar), [], progress(0, 0, 1, 3));
}

describeEngines('the calendar in the ledger', (open) => {
  it('keeps every rule as it was laid down, and who took it back and why', async () => {
    const { calendar } = openLedger(await open());
    expect(await calendar.read()).toEqual({ revision: 0, rules: [] });
    const first = await calendar.add(freeze);
    const second = await calendar.add(nights);
    expect(first).toEqual({ ...freeze, id: 'freeze-1' });
    expect(second).toEqual({ ...nights, id: 'window-2' });
    expect(await calendar.read()).toEqual({ revision: 2, rules: [first, second] });
    const removed = { who: 'bob', why: 'not needed', at: 4_000 };
    expect(await calendar.remove('Freeze-1', removed)).toEqual(first);
    expect(await calendar.remove('freeze-1', removed)).toBeNull();
    expect(await calendar.remove('window-1', removed)).toBeNull();
    expect(await calendar.read()).toEqual({ revision: 3, rules: [second] });
    expect(await calendar.list()).toEqual([
      { rule: first, removed },
      { rule: second, removed: null },
    ]);
  });

  it('tells the journal of every change, in a line of no rollout', async () => {
    const { calendar, journal } = openLedger(await open());
    const rule = await calendar.add(nights);
    await calendar.remove(rule.id, { who: 'bob', why: 'over', at: 5_000 });
    const lines = await journal.read({ rolloutId: '' });
    expect(lines).toMatchObject([
      { operation: 'window', event: 'started', at: 1_000, detail: 'window-1', observed: { rule } },
      {
        operation: 'window',
        event: 'succeeded',
        at: 5_000,
        observed: { removed: { who: 'bob', why: 'over' } },
      },
    ]);
    expect(await journal.read({ scaleSetId: setId('WEB') })).toHaveLength(2);
  });

  it('lets no batch begin that was decided on by another calendar', async () => {
    const ledger = openLedger(await open());
    const openBatch = await opened(ledger);
    await ledger.calendar.add(freeze);
    expect(await openBatch(0)).toBeNull();
    expect(await ledger.journal.read({ rolloutId: 'R1' })).toHaveLength(1);
    expect(await openBatch(1)).toMatchObject({ number: 1, startedAt: 3_000 });
    await ledger.calendar.add(nights);
    // It has begun: whoever looks once more is answered with what is recorded.
    expect(await openBatch(1)).toMatchObject({ number: 1, startedAt: 3_000 });
  });

  it('binds no batch that does not go by it', async () => {
    const ledger = openLedger(await open());
    const openBatch = await opened(ledger);
    await ledger.calendar.add(freeze);
    expect(await openBatch()).toMatchObject({ number: 1 });
  });

  it('is changed before or after a batch begins, as the journal says, whoever is at work at the same time', async () => {
    const { ledger, atOnce, close } = await twoProcesses(open);
    const attempts = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const request = anAttempt({ scaleSetId: setId(`web-${i}`), workflowId: `scale-set/web-${i}` });
        return (await ledger.attempts.open(request, async () => false)).attempt;
      }),
    );
    await atOnce(24, async (own, i) => {
      if (i % 2 === 0) return own.calendar.add(freeze);
      const { revision } = await own.calendar.read();
      return own.attempts.openBatch(
        attempts[(i - 1) / 2] as Attempt,
        batch(revision),
        [],
        progress(0, 0, 1, 3),
      );
    });
    let revision = 0;
    for (const { operation, event, observed: seen } of await ledger.journal.read({})) {
      if (operation === 'freeze') revision++;
      if (operation === 'batch' && event === 'started') expect(seen).toMatchObject({ calendar: revision });
    }
    expect(revision).toBe(12);
    await close();
  });
});
