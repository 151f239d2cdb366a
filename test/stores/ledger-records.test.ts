import { expect, it } from 'vitest';
import { ALL, rolloutScope, scaleSetScope, scopesOf } from '../../src/domain/scopes.ts';
import { AlreadyRecordedError, NotRecordedError, openLedger } from '../../src/ledger/index.ts';
import type { Decision, DecisionKind, DesiredState, Order } from '../../src/ledger/port.ts';
import { describeEngines, type OpenDatabase } from '../support/engines.ts';
import {
  anAttempt,
  aRollout,
  aTarget,
  aWait,
  progress,
  setId,
  twoProcesses,
  UBUNTU,
  version,
} from './ledger-builders.ts';

const fresh = async (open: OpenDatabase) => openLedger(await open());
const unknown = (work: Promise<unknown>) => expect(work).rejects.toThrow(NotRecordedError);

describeEngines('rollouts in the ledger', (open) => {
  it('are recorded once, as first written', async () => {
    const { rollouts } = await fresh(open);
    const first = await rollouts.create(aRollout());
    expect(first).toEqual({
      ...aRollout(),
      ...{ action: 'osUpgrade', parameters: {}, why: null },
      ...{ status: 'Running', reason: null, endedAt: null },
    });
    await rollouts.setStatus(first.id, 'Halted', 2_000, { code: 'Failures', message: '3 of 10.' });
    const again = rollouts.create(aRollout({ id: first.id.toUpperCase(), startedBy: 'me' }));
    await expect(again).rejects.toThrow(AlreadyRecordedError);
    const kept = { id: first.id, startedBy: 'schedule', status: 'Halted', endedAt: null };
    expect(await rollouts.get(first.id.toLowerCase())).toMatchObject(kept);
    expect(await rollouts.get('other')).toBeNull();
  });

  it('are recorded once when several processes record the same at the same moment', async () => {
    const { ledger, atOnce, close } = await twoProcesses(open);
    const people = ['ann', 'bob', 'cyd', 'dan'];
    const answers = await atOnce(people.length, ({ rollouts }, i) =>
      rollouts.create(aRollout({ startedBy: people[i] as string })).catch((error: unknown) => error),
    );
    const recorded = answers.filter((answer) => !(answer instanceof AlreadyRecordedError));
    expect(await ledger.rollouts.list()).toEqual(recorded);
    expect(recorded).toHaveLength(1);
    await close();
  });

  it('end at the first report of their end, whatever a worker that was away reports later', async () => {
    const { rollouts } = await fresh(open);
    const { id } = await rollouts.create(aRollout());
    await rollouts.setStatus(id, 'Superseded', 5_000, { code: 'Superseded', message: 'By 2.0.0.' });
    for (const late of ['Superseded', 'Halted', 'Running', 'Completed'] as const) {
      await rollouts.setStatus(id, late, 6_000, null);
      const end = { status: 'Superseded', endedAt: 5_000, reason: { code: 'Superseded' } };
      expect(await rollouts.get(id)).toMatchObject(end);
    }
    await unknown(rollouts.setStatus('other', 'Running', 1, null));
  });

  it('are not halted or resumed by what was decided before their status was, but end by it', async () => {
    const { rollouts } = await fresh(open);
    const { id } = await rollouts.create(aRollout());
    const statusAfter = async (...change: Parameters<typeof rollouts.setStatus>) => {
      await rollouts.setStatus(...change);
      return (await rollouts.get(id))?.status;
    };
    expect(await statusAfter(id, 'Halted', 5_000, null, 2_000)).toBe('Halted');
    expect(await statusAfter(id, 'Running', 5_000, null, 3_000)).toBe('Running');
    expect(await statusAfter(id, 'Halted', 6_000, null, 2_000)).toBe('Running');
    expect(await statusAfter(id, 'Halted', 6_000, null, 3_000)).toBe('Halted');
    expect(await statusAfter(id, 'Cancelled', 6_000, null, 1_000)).toBe('Cancelled');
  });

  it('are listed newest first, and counted by generation (rule D9)', async () => {
    const { rollouts } = await fresh(open);
    await rollouts.create(aRollout({ id: 'a', startedAt: 1 }));
    await rollouts.create(aRollout({ id: 'b', startedAt: 3, generation: 2 }));
    await rollouts.create(aRollout({ id: 'c', startedAt: 2, target: version('1.10.0') }));
    await rollouts.setStatus('b', 'Completed', 4, null);
    const ids = async (filter: Parameters<typeof rollouts.list>[0]) =>
      (await rollouts.list(filter)).map((rollout) => rollout.id);
    expect(await ids({})).toEqual(['b', 'c', 'a']);
    expect(await ids({ status: 'Running', limit: 1 })).toEqual(['c']);
    expect(await ids({ imageKey: 'canonical:ubuntu:22_04-lts' })).toEqual(['b', 'c', 'a']);
    expect(await ids({ imageKey: 'other' })).toEqual([]);
    expect(await rollouts.lastGeneration(version('1.0.0'))).toBe(2);
    expect(await rollouts.lastGeneration(version('9.0.0'))).toBe(0);
  });
});

describeEngines('phases in the ledger', (open) => {
  const round = { rolloutId: 'R1', phase: 1, round: 1 };
  const start = { ...round, at: 1_000, target: version('1.9.0'), regions: ['westeurope', 'eastus'] };
  const verdict = { eligible: 10, succeeded: 8, failed: 2, failures: ['x/1: slow'] };

  it('are opened once, bake, and are judged', async () => {
    const { phases } = await fresh(open);
    await phases.open(start);
    await phases.open({ ...start, at: 9_000 });
    await phases.bake(round, 2_000, 3_000);
    await phases.judge(round, { ...verdict, failures: Array.from({ length: 60 }, String) }, 3_500);
    await phases.open({ ...start, round: 2, at: 4_000 });
    const [first, second] = await phases.list('r1');
    expect(first).toMatchObject({
      ...round,
      startedAt: 1_000,
      bakingSince: 2_000,
      bakeUntil: 3_000,
      judgedAt: 3_500,
    });
    expect(first?.verdict?.failures).toHaveLength(50);
    expect(second).toMatchObject({ round: 2, startedAt: 4_000, bakingSince: null, verdict: null });
    await unknown(phases.bake({ ...round, round: 7 }, 1, 2));
    await unknown(phases.judge({ ...round, phase: 7 }, verdict, 1));
  });

  it('release a version in a region once; the newest version comes first (rule D6)', async () => {
    const { phases } = await fresh(open);
    await phases.open(start);
    await phases.open({ ...start, rolloutId: 'R2', at: 2_000, target: version('1.10.0') });
    await phases.open({ ...start, rolloutId: 'R3', at: 3_000, regions: ['WestEurope'] });
    await phases.open({ ...start, rolloutId: 'R4', regions: [] });
    const shouted = { ...UBUNTU, sku: '22_04-lts' };
    expect(await phases.releases(shouted, 'WESTEUROPE')).toMatchObject([
      { version: '1.10.0', region: 'westeurope', rolloutId: 'R2', releasedAt: 2_000 },
      { version: '1.9.0', region: 'westeurope', rolloutId: 'R1', releasedAt: 1_000 },
    ]);
    expect(await phases.releases(UBUNTU, 'ukwest')).toEqual([]);
  });

  it('go by the first decision of a round, but abort always wins (rule D2)', async () => {
    const { phases } = await fresh(open);
    const decide = (decision: DecisionKind, who: string, round = 1) =>
      phases.decide({ rolloutId: 'R1', phase: 1, round, decision, who, why: 'because', at: 1 });
    expect(await decide('proceed', 'ann')).toMatchObject({ decision: 'proceed', who: 'ann' });
    expect(await decide('retry', 'bob')).toMatchObject({ decision: 'proceed', who: 'ann' });
    expect(await decide('abort', 'cid')).toMatchObject({ decision: 'abort', who: 'cid' });
    expect(await decide('abort', 'dan')).toMatchObject({ decision: 'abort', who: 'cid' });
    expect(await decide('proceed', 'eve')).toMatchObject({ decision: 'abort', who: 'cid' });
    expect(await decide('retry', 'eve', 2)).toMatchObject({ decision: 'retry', who: 'eve' });
    const kept = await phases.decisions('r1');
    expect(kept.map(({ round, who }: Decision) => [round, who])).toEqual([
      [1, 'cid'],
      [2, 'eve'],
    ]);
  });

  it('have one decision, however many people decide at once', async () => {
    const { atOnce, close } = await twoProcesses(open);
    const answers = await atOnce(12, (ledger, i) => {
      const decision = i % 4 < 2 ? 'proceed' : 'retry';
      return ledger.phases.decide({ ...round, decision, who: `p${i}`, why: '', at: i });
    });
    expect(new Set(answers.map((answer) => answer.who)).size).toBe(1);
    await close();
  });
});

describeEngines('targets in the ledger', (open) => {
  it('are added once and keep their trigger, which is drawn once (rule D6)', async () => {
    const { targets } = await fresh(open);
    await targets.add([aTarget(), aTarget({ scaleSetId: setId('Api'), triggerAt: 1_500 })]);
    await targets.add([aTarget({ scaleSetId: setId('WEB'), triggerAt: 9_000 })]);
    await targets.add([]);
    expect(await targets.get('r1', setId('web'))).toEqual(aTarget());
    expect(await targets.get('R1', setId('none'))).toBeNull();
    expect((await targets.list({ rolloutId: 'R1' })).map((target) => target.triggerAt)).toEqual([
      1_500, 2_000,
    ]);
  });

  it('change only where they are told to', async () => {
    const { targets } = await fresh(open);
    await targets.add([aTarget()]);
    const key = { rolloutId: 'r1', scaleSetId: setId('WEB') };
    const reason = { code: 'OptedOut', message: 'Automatic upgrades are off.' };
    await targets.update(key, { status: 'skipped', reason });
    await targets.update(key, {});
    expect(await targets.update(key, { status: 'upgraded' }, 'waiting')).toBe(false);
    expect(await targets.get('R1', setId('Web'))).toEqual({ ...aTarget(), status: 'skipped', reason });
    await targets.update(key, { status: 'waiting', reason: null, round: 2, seenAt: 5, triggerAt: 6 });
    await targets.update(key, { attemptId: 'x-1' });
    expect(await targets.get('R1', setId('Web'))).toEqual(
      aTarget({ round: 2, seenAt: 5, triggerAt: 6, attemptId: 'x-1' }),
    );
    await unknown(targets.update({ ...key, rolloutId: 'R9' }, { status: 'skipped' }));
  });

  it('are listed by region, phase and status: 2,000 of them', async () => {
    const { targets } = await fresh(open);
    const all = Array.from({ length: 2_000 }, (_, i) =>
      aTarget({
        scaleSetId: setId(`s${i}`),
        region: i % 2 === 0 ? 'westeurope' : 'eastus',
        phase: (i % 4) + 1,
        status: i % 5 === 0 ? 'upgrading' : 'waiting',
        triggerAt: 2_000 - i,
      }),
    );
    await targets.add(all);
    expect(await targets.list({ rolloutId: 'R1' })).toHaveLength(2_000);
    expect(await targets.list({ rolloutId: 'R1', region: 'EastUS' })).toHaveLength(1_000);
    expect(await targets.list({ rolloutId: 'R1', region: 'eastus', phase: 2 })).toHaveLength(500);
    expect(await targets.list({ rolloutId: 'R1', status: ['upgrading', 'stopped'] })).toHaveLength(400);
    expect(await targets.list({ rolloutId: 'R1', status: [] })).toEqual([]);
    expect(await targets.list({ rolloutId: 'R2' })).toEqual([]);
  });

  it('tell whether a set was ever triggered automatically', async () => {
    const { targets, rollouts, attempts } = await fresh(open);
    const ever = () => targets.wasEverTriggered(setId('WEB'));
    await targets.add([aTarget()]);
    await rollouts.create(aRollout({ id: 'M', kind: 'manual' }));
    await targets.add([aTarget({ rolloutId: 'M', status: 'upgrading', attemptId: 'x-1' })]);
    await attempts.open(anAttempt({ rolloutId: 'M', startedBy: 'User' }), () => Promise.resolve(false));
    expect(await ever()).toBe(false);
    await targets.update({ rolloutId: 'R1', scaleSetId: setId('Web') }, { status: 'skipped' });
    expect(await ever()).toBe(false);
    await targets.update({ rolloutId: 'R1', scaleSetId: setId('Web') }, { status: 'upgrading' });
    expect(await ever()).toBe(true);
  });

  it('count an automatic attempt as a trigger', async () => {
    const { targets, attempts } = await fresh(open);
    const { attempt } = await attempts.open(anAttempt(), () => Promise.resolve(false));
    await attempts.close(attempt, 'Completed', null, progress(1, 0, 0, 0), 2);
    expect(await targets.wasEverTriggered(setId('web'))).toBe(true);
  });
});

describeEngines('orders in the ledger', (open) => {
  const order = (scope: string, state: DesiredState, at = 1): Order => ({
    scope,
    state,
    who: 'ann',
    why: 'because',
    at,
  });

  it('apply by the strongest of all scopes', async () => {
    const { orders } = await fresh(open);
    const scopes = scopesOf({ rolloutId: 'R1', scaleSetId: setId('Web') });
    expect(await orders.inForce(scopes)).toBeNull();
    expect(await orders.inForce([])).toBeNull();
    await orders.set(order(scaleSetScope(setId('WEB')), 'cancelled', 1));
    await orders.set(order(rolloutScope('r1'), 'running', 2));
    await orders.set(order(ALL, 'paused', 3));
    await orders.set(order(rolloutScope('R2'), 'cancelled', 4));
    expect(await orders.inForce(scopes)).toMatchObject({ state: 'cancelled', at: 1 });
    await orders.set(order(scaleSetScope(setId('Web')), 'running', 5));
    expect(await orders.inForce(scopes)).toEqual(order(ALL, 'paused', 3));
    await orders.set(order(ALL, 'running', 6));
    expect(await orders.inForce(scopes)).toEqual(order(ALL, 'running', 6));
  });

  it('stand one for each scope, and none is forgotten', async () => {
    const { orders } = await fresh(open);
    await orders.set(order(ALL, 'paused', 1));
    await orders.set(order(ALL, 'paused', 1));
    await orders.set(order(rolloutScope('R1'), 'paused', 2));
    await orders.set(order(ALL, 'running', 3));
    expect((await orders.list()).map(({ at }) => at)).toEqual([3, 2]);
    expect((await orders.list({ all: true })).map(({ at }) => at)).toEqual([3, 2, 1]);
    expect(await orders.list({ scope: 'ROLLOUT:r1' })).toEqual([order('rollout:R1', 'paused', 2)]);
    expect(await orders.list({ scope: ALL, all: true })).toHaveLength(2);
  });
});

describeEngines('the journal in the ledger', (open) => {
  it('has the same event of the same wait once', async () => {
    const { journal } = await fresh(open);
    await journal.appendOnce([aWait(), aWait({ at: 9 }), aWait({ instanceId: 'web_1' })]);
    await journal.appendOnce([aWait({ at: 7 }), aWait({ event: 'succeeded', at: 2_000 })]);
    await journal.appendOnce([]);
    const entries = await journal.read({ rolloutId: 'R1' });
    expect(entries.map(({ instanceId, event, at }) => [instanceId, event, at])).toEqual([
      ['web_0', 'started', 1_000],
      ['web_1', 'started', 1_000],
      ['web_0', 'succeeded', 2_000],
    ]);
    const { seq, recordedAt, ...entry } = entries[0] as (typeof entries)[number];
    expect(entry).toEqual(aWait());
    expect([Number.isInteger(seq), recordedAt > 0]).toEqual([true, true]);
  });

  it('has it once also when two processes record it at the same time', async () => {
    const { ledger, atOnce, close } = await twoProcesses(open);
    const entries = Array.from({ length: 700 }, (_, i) => aWait({ instanceId: `web_${i}` }));
    await atOnce(6, ({ journal }, i) => journal.appendOnce(i % 3 === 0 ? entries : entries.toReversed()));
    expect(await ledger.journal.read({})).toHaveLength(700);
    await close();
  });

  it('refuses every change and every removal of a line (rule E4)', async () => {
    const database = await open();
    const { journal } = openLedger(database);
    await journal.appendOnce([aWait()]);
    const { db } = database;
    await expect(db.updateTable('journal').set({ detail: 'x' }).execute()).rejects.toThrow('only grows');
    await expect(db.deleteFrom('journal').execute()).rejects.toThrow('only grows');
    expect(await journal.read({})).toMatchObject([{ detail: null }]);
  });

  it('is read in order, page by page, whatever the case of ids', async () => {
    const { journal, rollouts } = await fresh(open);
    await rollouts.create(aRollout({ id: 'R1' }));
    await journal.appendOnce(Array.from({ length: 5 }, (_, i) => aWait({ instanceId: `web_${i}` })));
    await journal.appendOnce([aWait({ rolloutId: 'R2', attemptId: 'other', scaleSetId: setId('Api') })]);
    const first = await journal.read({ rolloutId: 'r1', limit: 2 });
    expect(first.map((entry) => entry.instanceId)).toEqual(['web_0', 'web_1']);
    const rest = await journal.read({ rolloutId: 'R1', after: first[1]?.seq ?? 0 });
    expect(rest.map((entry) => entry.instanceId)).toEqual(['web_2', 'web_3', 'web_4']);
    expect(await journal.read({ scaleSetId: setId('API') })).toHaveLength(1);
    expect(await journal.read({})).toHaveLength(6);
  });
});
