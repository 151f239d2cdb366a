import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import { openDatabase } from '../../src/database/database.ts';
import { MOST_IDS } from '../../src/domain/events.ts';
import { recordEvents } from '../../src/ledger/events.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { Attempt, EndedInstance, Ledger, RecordedEvent } from '../../src/ledger/port.ts';
import { describeEngines } from '../support/engines.ts';
import { anAttempt, aRollout, progress, setId, twoProcesses } from './ledger-builders.ts';

const ID = aRollout().id;
const REASON = { code: 'Failures', message: '3 of 10.' };
const VERDICT = { eligible: 10, succeeded: 7, failed: 3, failures: ['web/0: broken'] };
const NONE = progress(0, 0, 0, 0);

const eventsOf = async ({ deliveries }: Ledger): Promise<RecordedEvent[]> =>
  (await deliveries.after({ name: 'any', kinds: null }, 0, 1_000)).events;
const kindsOf = async (ledger: Ledger) => (await eventsOf(ledger)).map(({ kind }) => kind);

/** Everything that a rollout's own workflow records of it. Each step is done as often as `times` says. */
async function course({ rollouts, phases }: Ledger, times: number): Promise<void> {
  const phase = { rolloutId: ID, phase: 1, round: 1 };
  const decision = { ...phase, decision: 'proceed', who: 'ann', why: 'known', at: 5_000 } as const;
  const steps = [
    () => rollouts.create(aRollout()).catch(() => undefined),
    () => phases.open({ ...phase, at: 1_000, target: aRollout().target, regions: ['eastus'] }),
    () => phases.judge(phase, VERDICT, 3_000),
    () => rollouts.setStatus(ID, 'Halted', 4_000, REASON),
    () => phases.decide(decision),
    () => rollouts.setStatus(ID, 'Running', 6_000, null),
    () => rollouts.setStatus(ID, 'Halted', 7_000, REASON),
    () => rollouts.setStatus(ID, 'Running', 8_000, null),
    () => rollouts.setStatus(ID, 'Completed', 9_000, null),
  ];
  for (const step of steps) for (let i = 0; i < times; i++) await step();
}

const COURSE = [
  'rollout.started',
  'phase.done',
  'rollout.halted',
  'rollout.decided',
  'rollout.halted',
  'rollout.completed',
];

const observed = { instances: 9, unhealthy: 0, upgraded: 0, upgradedUnhealthy: 0, pending: {} };
const ended = (instanceId: string, outcome: EndedInstance['outcome']): EndedInstance => ({
  instanceId,
  outcome,
  error: outcome === 'upgraded' ? null : 'HealthTimeout: not healthy.',
});

/** An attempt with a batch of these instances under way. */
async function inBatch({ attempts }: Ledger, instanceIds: string[]): Promise<Attempt> {
  const { attempt } = await attempts.open(anAttempt(), async () => false);
  const batch = { number: 1, zone: null, updateDomain: null, observed, startedAt: 2_000 };
  const rest = { zone: null, updateDomain: null, from: null, wasHealthy: true };
  const members = instanceIds.map((instanceId) => ({ instanceId, ...rest }));
  await attempts.openBatch(attempt, batch, members, progress(0, 0, instanceIds.length, 0));
  return attempt;
}

/** The ledger of a worker that dies at the end of each write: before the database has it, or after. */
function dying(database: Database, when: 'before' | 'after'): Ledger {
  return openLedger({
    ...database,
    write: async (locks, work) => {
      await database.write(locks, async (tx) => {
        await work(tx);
        if (when === 'before') throw new Error('killed');
      });
      throw new Error('killed');
    },
  });
}

describeEngines('what watchers are told of', (open, engine) => {
  it('is what a rollout goes through, each once however often it is reported', async () => {
    const ledger = openLedger(await open());
    await course(ledger, 2);
    const events = await eventsOf(ledger);
    expect(events.map(({ kind }) => kind)).toEqual(COURSE);
    expect(new Set(events.map(({ key }) => key)).size).toBe(COURSE.length);
    const about = { rolloutId: ID, image: 'Canonical:Ubuntu:22_04-LTS', version: '1.0.0' };
    const [started, done, halted, decided] = events;
    expect(started).toMatchObject({ subject: ID, at: 1_000, data: { ...about, phases: 1, why: null } });
    const counts = { eligible: 10, succeeded: 7, failed: 3 };
    expect(done).toMatchObject({ subject: ID, at: 3_000, data: { ...about, phase: 1, ...counts } });
    expect(halted).toMatchObject({ at: 4_000, data: { ...about, code: 'Failures', reason: '3 of 10.' } });
    expect(decided?.data).toMatchObject({ decision: 'proceed', who: 'ann', why: 'known' });
  });

  it('has the same keys in whatever database the same happens', async () => {
    const keys = [open, open].map(async (fresh) => {
      const ledger = openLedger(await fresh());
      await course(ledger, 1);
      return (await eventsOf(ledger)).map(({ key }) => key);
    });
    const [first, second] = await Promise.all(keys);
    expect(first).toEqual(second);
  });

  it('is not told when what it tells of was never committed, and not lost when the answer was', async () => {
    const database = await open();
    const ledger = openLedger(database);
    const attempt = await inBatch(ledger, ['0', '1']);
    const changes = [
      (to: Ledger) => to.rollouts.create(aRollout()),
      (to: Ledger) => to.rollouts.setStatus(ID, 'Halted', 4_000, REASON),
      (to: Ledger) => to.attempts.closeBatch(attempt, 1, [ended('0', 'restored')], 5_000),
      (to: Ledger) => to.attempts.close(attempt, 'Faulted', REASON, NONE, 6_000),
    ];
    for (const [i, change] of changes.entries()) {
      await expect(change(dying(database, 'before'))).rejects.toThrow('killed');
      expect(await eventsOf(ledger), `change ${i}`).toHaveLength(i);
      await expect(change(dying(database, 'after'))).rejects.toThrow('killed');
      expect(await eventsOf(ledger), `change ${i}`).toHaveLength(i + 1);
      await change(ledger).catch(() => undefined);
      expect(await eventsOf(ledger), `change ${i}`).toHaveLength(i + 1);
    }
  });

  it('is not a rollout that was halted by what was decided before it went on, once more, or after its end', async () => {
    const ledger = openLedger(await open());
    await course(ledger, 1);
    await ledger.rollouts.create(aRollout({ id: 'R2' }));
    await ledger.rollouts.setStatus('R2', 'Running', 5_000, null);
    await ledger.rollouts.setStatus('R2', 'Halted', 6_000, REASON, 4_000);
    await ledger.rollouts.setStatus('R2', 'Halted', 7_000, REASON);
    await ledger.rollouts.setStatus('R2', 'Halted', 8_000, REASON);
    await ledger.rollouts.setStatus(ID, 'Halted', 10_000, REASON);
    await ledger.rollouts.setStatus(ID, 'Cancelled', 11_000, REASON);
    expect(await kindsOf(ledger)).toEqual([...COURSE, 'rollout.started', 'rollout.halted']);
  });

  it('is each end that a rollout may have', async () => {
    const ledger = openLedger(await open());
    for (const status of ['Cancelled', 'Faulted', 'Superseded'] as const) {
      await ledger.rollouts.create(aRollout({ id: status }));
      await ledger.rollouts.setStatus(status, status, 2_000, REASON);
    }
    const ends = (await kindsOf(ledger)).filter((kind) => kind !== 'rollout.started');
    expect(ends).toEqual(['rollout.cancelled', 'rollout.faulted', 'rollout.superseded']);
  });

  it('is an abort that overrides a decision, and no decision that does not count', async () => {
    const ledger = openLedger(await open());
    const decide = (decision: 'proceed' | 'retry' | 'abort', who: string) =>
      ledger.phases.decide({ rolloutId: 'R1', phase: 1, round: 1, decision, who, why: 'x', at: 1_000 });
    for (const [decision, who] of [
      ['proceed', 'ann'],
      ['retry', 'bob'],
      ['abort', 'cyd'],
      ['abort', 'dan'],
    ] as const)
      await decide(decision, who);
    const told = (await eventsOf(ledger)).map(({ data }) => data);
    expect(told).toMatchObject([
      { rolloutId: 'R1', decision: 'proceed', who: 'ann' },
      { rolloutId: 'R1', decision: 'abort', who: 'cyd' },
    ]);
  });

  it('is every instance that was restored or could not be, once, and none that was upgraded', async () => {
    const ledger = openLedger(await open());
    const attempt = await inBatch(ledger, ['0', '1', '2', '3', '4']);
    const close = (...outcomes: EndedInstance[]) => ledger.attempts.closeBatch(attempt, 1, outcomes, 5_000);
    const first = [ended('0', 'restored'), ended('1', 'upgraded'), ended('2', 'restoreFailed')];
    await close(...first);
    await close(...first, ended('3', 'restored'));
    await close(ended('4', 'left'));
    const amend = () =>
      ledger.attempts.amendOutcomes(
        attempt,
        [{ instanceId: '4', outcome: 'restored', error: 'HealthTimeout: not healthy.' }],
        6_000,
      );
    await amend();
    await amend();
    const events = await eventsOf(ledger);
    expect(events.map(({ kind, data }) => [kind, data['instanceIds']])).toEqual([
      ['scaleset.restored', ['0']],
      ['scaleset.quarantined', ['2']],
      ['scaleset.restored', ['3']],
      ['scaleset.restored', ['4']],
    ]);
    const data = { scaleSetId: setId('Web'), region: 'eastus', rolloutId: 'R1', instances: 1 };
    expect(events[0]).toMatchObject({ subject: setId('Web'), at: 5_000, data });
    expect(events[0]?.data['error']).toBe('HealthTimeout: not healthy.');
  });

  it('stays small, however much there is to tell', async () => {
    const ledger = openLedger(await open());
    const ids = Array.from({ length: 200 }, (_, i) => `vm-${i}`);
    const attempt = await inBatch(ledger, ids);
    const error = `HealthTimeout: ${'x'.repeat(5_000)}`;
    const outcomes = ids.map((id) => ({ ...ended(id, 'restored'), error }));
    await ledger.attempts.closeBatch(attempt, 1, outcomes, 5_000);
    const [event] = await eventsOf(ledger);
    expect(event?.data).toMatchObject({ instances: 200, instanceIds: ids.slice(0, MOST_IDS) });
    expect(JSON.stringify(event).length).toBeLessThan(4_000);
  });

  it('is an attempt that faulted or was given up, and none that ended otherwise', async () => {
    const ledger = openLedger(await open());
    for (const [i, status] of (['Completed', 'Cancelled', 'Faulted'] as const).entries()) {
      const { attempt } = await ledger.attempts.open(anAttempt({ runId: `run-${i}` }), async () => false);
      if (status === 'Faulted') await ledger.attempts.giveUp(attempt, REASON, 4_000);
      const end = () => ledger.attempts.close(attempt, status, REASON, progress(1, 2, 0, 0), 5_000);
      await end();
      await end();
    }
    const events = await eventsOf(ledger);
    expect(events.map(({ kind, at }) => [kind, at])).toEqual([
      ['scaleset.faulted', 4_000],
      ['scaleset.faulted', 5_000],
    ]);
    expect(events[1]?.data).toMatchObject({ code: 'Failures', failedInstanceCount: 2, action: 'osUpgrade' });
  });

  it('is numbered without gaps for readers when several processes have something to tell', async () => {
    const { ledger, atOnce, close } = await twoProcesses(open);
    let past = 0;
    const seen: string[] = [];
    const look = async () => {
      const { events, upTo } = await ledger.deliveries.after({ name: 'any', kinds: null }, past, 1_000);
      seen.push(...events.map(({ subject }) => subject));
      past = upTo;
    };
    await atOnce(30, async ({ rollouts }, i) => {
      await rollouts.create(aRollout({ id: `R${i}` }));
      await look();
    });
    await look();
    expect(new Set(seen).size).toBe(30);
    await close();
  });

  describe.runIf(engine === 'postgres')('on an engine where transactions overlap', () => {
    it('is numbered in the order of commit: who read up to a number has missed none below it', async () => {
      const first = await open();
      const second = await openDatabase(first.url);
      const [ledger, other] = [openLedger(first), openLedger(second)];
      const event = { key: 'slow', kind: 'rollout.started', subject: 'slow', at: 1, data: {} } as const;
      let quick: Promise<unknown> | undefined;
      await first.write([], async (tx) => {
        await recordEvents(tx, [event]);
        quick = other.rollouts.create(aRollout({ id: 'quick' }));
        await othersWait(second);
        expect(await eventsOf(ledger)).toEqual([]);
      });
      await quick;
      expect((await eventsOf(ledger)).map(({ subject }) => subject)).toEqual(['slow', 'quick']);
      await second.close();
    });
  });
});

/** Until somebody waits for a lock that another one has. */
async function othersWait({ db }: Database): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ waits: number }>`
      select count(*)::int as waits from pg_locks where locktype = 'advisory' and not granted`.execute(db);
    if ((rows[0]?.waits ?? 0) > 0) return;
  }
}
