import { expect, it } from 'vitest';
import { FencedError, NotRecordedError, openLedger } from '../../src/ledger/index.ts';
import type { Attempt } from '../../src/ledger/port.ts';
import { describeEngines, type OpenDatabase } from '../support/engines.ts';
import { anAttempt, progress, setId, total, twoProcesses, version } from './ledger-builders.ts';

const always = () => Promise.resolve(true);
const never = () => Promise.resolve(false);

async function fresh(open: OpenDatabase) {
  return openLedger(await open()).attempts;
}

const observed = { instances: 10, unhealthy: 0, upgraded: 0, upgradedUnhealthy: 0, pending: { '1/0': 3 } };
const batch = (number: number, startedAt = 2_000) => ({
  number,
  zone: '1',
  updateDomain: 0,
  observed,
  startedAt,
});
const instance = (instanceId: string) => ({
  instanceId,
  zone: '1',
  updateDomain: 0,
  from: version('0.9.0'),
  wasHealthy: true,
});

describeEngines('attempts in the ledger', (open) => {
  it('open with a number, a fence and no progress', async () => {
    const attempts = await fresh(open);
    const { kind, attempt } = await attempts.open(anAttempt(), never);
    expect(kind).toBe('opened');
    expect(attempt).toMatchObject({
      scaleSetId: setId('Web'),
      number: 1,
      fence: 1,
      status: 'RollingForward',
      restoresOnFailure: true,
      target: version('1.0.0'),
      progress: progress(0, 0, 0, 0),
      startedAt: 1_000,
      endedAt: null,
    });
    expect(attempt.id).toMatch(/^[0-9a-f]{12}-1$/);
    expect(await attempts.get(attempt.id.toUpperCase())).toEqual(attempt);
    expect(await attempts.openOf(setId('WEB'))).toEqual(attempt);
    expect(await attempts.get('none-1')).toBeNull();
    expect(await attempts.openOf(setId('other'))).toBeNull();
  });

  it('are answered unchanged to the same run, and refused to others while theirs runs (rule B12)', async () => {
    const attempts = await fresh(open);
    const { attempt } = await attempts.open(anAttempt(), never);
    const again = await attempts.open(anAttempt({ scaleSetId: setId('WEB'), at: 5_000 }), never);
    expect(again).toEqual({ kind: 'opened', attempt });
    const judged: Attempt[] = [];
    const other = await attempts.open(anAttempt({ workflowId: 'manual', runId: 'm' }), (seen) => {
      judged.push(seen);
      return Promise.resolve(false);
    });
    expect(other).toEqual({ kind: 'conflict', attempt });
    expect(judged).toEqual([attempt]);
  });

  it('are one at a time by the word of the database itself (rule B12)', async () => {
    const database = await open();
    const { attempts } = openLedger(database);
    await attempts.open(anAttempt(), never);
    const [row] = await database.db.selectFrom('attempts').selectAll().execute();
    if (row === undefined) throw new Error('No attempt was recorded.');
    const second = { ...row, id: 'second', number: 2 };
    await expect(database.db.insertInto('attempts').values(second).execute()).rejects.toThrow(/unique/i);
    const ended = { ...second, status: 'Completed' };
    await database.db.insertInto('attempts').values(ended).execute();
  });

  it('are taken over with a higher fence, and the former owner can write no more', async () => {
    const attempts = await fresh(open);
    const { attempt: old } = await attempts.open(anAttempt(), never);
    await attempts.openBatch(old, batch(1), [instance('a')], progress(0, 0, 1, 3));
    const taken = await attempts.open(
      anAttempt({ runId: 'run-2', rolloutId: 'R2', target: version('2.0.0') }),
      always,
    );
    expect(taken.kind).toBe('takenOver');
    expect(taken.attempt).toEqual({ ...old, fence: 2, progress: progress(0, 0, 1, 3) });
    const late = [
      attempts.openBatch(old, batch(2), [instance('b')], progress(0, 0, 2, 2)),
      attempts.closeBatch(old, 1, [{ instanceId: 'a', outcome: 'upgraded', error: null }], 3_000),
      attempts.setProgress(old, progress(1, 0, 0, 3)),
      attempts.close(old, 'Completed', null, progress(4, 0, 0, 0), 3_000),
    ];
    for (const result of await Promise.allSettled(late)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'Fenced' } });
    }
    expect(await attempts.get(old.id)).toEqual(taken.attempt);
    expect(await attempts.instances(old.id)).toMatchObject([{ instanceId: 'a', outcome: null }]);
    await attempts.setProgress(taken.attempt, progress(1, 0, 0, 3));
  });

  it('judge again when the attempt has moved on while its owner was looked up', async () => {
    const attempts = await fresh(open);
    const { attempt } = await attempts.open(anAttempt(), never);
    const fences: number[] = [];
    const answer = await attempts.open(anAttempt({ workflowId: 'slow', runId: 's' }), async (seen) => {
      fences.push(seen.fence);
      if (fences.length === 1) await attempts.open(anAttempt({ workflowId: 'fast', runId: 'f' }), always);
      return true;
    });
    expect(fences).toEqual([1, 2]);
    expect(answer).toMatchObject({ kind: 'takenOver', attempt: { id: attempt.id, fence: 3 } });
    const next = await attempts.open(anAttempt({ workflowId: 'last', runId: 'l' }), async (seen) => {
      await attempts.close(seen, 'Completed', null, progress(1, 0, 0, 0), 4_000);
      return true;
    });
    expect(next).toMatchObject({ kind: 'opened', attempt: { number: 2, fence: 4, workflowId: 'last' } });
  });

  it('count up per set, with fences that never go down', async () => {
    const attempts = await fresh(open);
    for (let number = 1; number <= 3; number++) {
      const { attempt } = await attempts.open(anAttempt({ runId: `run-${number}` }), never);
      const taken = await attempts.open(anAttempt({ runId: `again-${number}` }), always);
      expect([attempt.number, attempt.fence, taken.attempt.fence]).toEqual([
        number,
        2 * number - 1,
        2 * number,
      ]);
      await attempts.close(taken.attempt, 'Completed', null, progress(1, 0, 0, 0), number);
    }
    const other = await attempts.open(anAttempt({ scaleSetId: setId('Api') }), never);
    expect(other.attempt).toMatchObject({ number: 1, fence: 1 });
  });

  it('keep batches and instances, each recorded once, with counts that add up', async () => {
    const attempts = await fresh(open);
    const { attempt } = await attempts.open(anAttempt(), never);
    await attempts.openBatch(attempt, batch(1), [instance('B'), instance('a')], progress(0, 0, 2, 2));
    await attempts.openBatch(attempt, batch(1, 9_000), [instance('c')], progress(0, 0, 1, 3));
    const { observed: _, ...recorded } = batch(1);
    expect(await attempts.batches(attempt.id)).toEqual([
      { ...recorded, action: 'swap', to: null, instanceIds: ['B', 'a'], endedAt: null },
    ]);
    await attempts.closeBatch(attempt, 1, [{ instanceId: 'b', outcome: 'upgraded', error: null }], 3_000);
    await attempts.closeBatch(
      attempt,
      1,
      [
        { instanceId: 'b', outcome: 'left', error: 'too late to say' },
        { instanceId: 'a', outcome: 'restoreFailed', error: 'not healthy in 5 min', restoreError: 'stuck' },
      ],
      4_000,
    );
    await attempts.closeBatch(attempt, 1, [{ instanceId: 'a', outcome: 'left', error: null }], 9_000);
    await attempts.setProgress(attempt, progress(1, 1, 0, 2));
    await attempts.openBatch(attempt, batch(2, 5_000), [], progress(1, 1, 0, 2));
    expect(await attempts.batches(attempt.id)).toMatchObject([
      { number: 1, endedAt: 4_000 },
      { number: 2, instanceIds: [], endedAt: null },
    ]);
    expect(await attempts.instances(attempt.id)).toEqual([
      { ...instance('B'), batch: 1, outcome: 'upgraded', error: null, restoreError: null },
      {
        ...instance('a'),
        batch: 1,
        outcome: 'restoreFailed',
        error: 'not healthy in 5 min',
        restoreError: 'stuck',
      },
    ]);
    expect(total((await attempts.get(attempt.id))?.progress ?? progress(0, 0, 0, 0))).toBe(4);
  });

  it('keep a batch of 1,000 instances', async () => {
    const attempts = await fresh(open);
    const { attempt } = await attempts.open(anAttempt(), never);
    const ids = Array.from({ length: 1_000 }, (_, i) => `web_${i}`);
    await attempts.openBatch(attempt, batch(1), ids.map(instance), progress(0, 0, 1_000, 0));
    const outcomes = ids.map((instanceId) => ({ instanceId, outcome: 'upgraded' as const, error: null }));
    await attempts.closeBatch(attempt, 1, outcomes, 3_000);
    const kept = await attempts.instances(attempt.id);
    expect(kept.map((one) => one.instanceId)).toEqual(ids);
    expect(kept.every((one) => one.outcome === 'upgraded')).toBe(true);
  });

  it('end once: a repeated end changes nothing, and nothing is written after it', async () => {
    const attempts = await fresh(open);
    const { attempt } = await attempts.open(anAttempt(), never);
    await attempts.openBatch(attempt, batch(1), [instance('a')], progress(0, 0, 1, 0));
    const why = { code: 'MaxUnhealthy', message: 'Too many.' };
    await attempts.close(attempt, 'Faulted', why, progress(0, 1, 0, 0), 5_000);
    await attempts.close(attempt, 'Completed', null, progress(1, 0, 0, 0), 6_000);
    expect(await attempts.get(attempt.id)).toMatchObject({
      status: 'Faulted',
      reason: why,
      progress: progress(0, 1, 0, 0),
      endedAt: 5_000,
    });
    await attempts.openBatch(attempt, batch(1), [instance('a')], progress(0, 0, 1, 0));
    await expect(
      attempts.openBatch(attempt, batch(2), [instance('b')], progress(0, 0, 1, 0)),
    ).rejects.toThrow(FencedError);
    await expect(attempts.setProgress(attempt, progress(1, 0, 0, 0))).rejects.toThrow(FencedError);
    await expect(
      attempts.closeBatch(attempt, 1, [{ instanceId: 'a', outcome: 'upgraded', error: null }], 7_000),
    ).rejects.toThrow(FencedError);
    expect(await attempts.instances(attempt.id)).toMatchObject([{ outcome: null }]);
  });

  it('tell the journal how they ended, and why (rule E4)', async () => {
    const { attempts, journal } = openLedger(await open());
    const reason = { code: 'Cancelled', message: 'by ann' };
    for (const status of ['Completed', 'Faulted', 'Cancelled'] as const) {
      const { attempt } = await attempts.open(anAttempt({ runId: status }), never);
      const why = status === 'Completed' ? null : reason;
      await attempts.close(attempt, status, why, progress(1, 0, 0, 0), 3_000);
    }
    const ends = (await journal.read({})).filter(
      ({ operation, event }) => operation === 'attempt' && event !== 'started',
    );
    expect(ends.map(({ event, detail, error }) => [event, detail, error])).toEqual([
      ['succeeded', 'Completed', null],
      ['failed', 'Faulted', 'Cancelled: by ann'],
      ['failed', 'Cancelled', 'Cancelled: by ann'],
    ]);
  });

  it('refuse what cannot be: unknown attempts and batches, counts that are none', async () => {
    const attempts = await fresh(open);
    const { attempt } = await attempts.open(anAttempt(), never);
    await expect(attempts.setProgress({ id: 'x-1', fence: 1 }, progress(0, 0, 0, 0))).rejects.toThrow(
      NotRecordedError,
    );
    await expect(attempts.closeBatch(attempt, 7, [], 1)).rejects.toThrow(NotRecordedError);
    await expect(attempts.setProgress(attempt, progress(-1, 0, 0, 0))).rejects.toThrow(RangeError);
  });

  it('are listed newest first, and the open ones apart', async () => {
    const attempts = await fresh(open);
    const first = (await attempts.open(anAttempt(), never)).attempt;
    await attempts.close(first, 'Completed', null, progress(1, 0, 0, 0), 2_000);
    const second = (await attempts.open(anAttempt({ rolloutId: 'R2', at: 3_000 }), never)).attempt;
    const api = (await attempts.open(anAttempt({ scaleSetId: setId('Api'), at: 4_000 }), never)).attempt;
    const ids = (list: Attempt[]) => list.map((attempt) => attempt.id);
    expect(ids(await attempts.listOf({ scaleSetId: setId('web') }))).toEqual([second.id, first.id]);
    expect(ids(await attempts.listOf({ rolloutId: 'r1' }))).toEqual([api.id, first.id]);
    expect(ids(await attempts.listOf({ limit: 1 }))).toEqual([api.id]);
    expect(ids(await attempts.listOpen())).toEqual([second.id, api.id]);
    expect(ids(await attempts.listOpen({ rolloutId: 'r2' }))).toEqual([second.id]);
  });
});

describeEngines('attempts opened by several processes at once', (open) => {
  const by = (i: number) => anAttempt({ workflowId: `w${i}`, runId: `r${i}` });

  it('are one', async () => {
    const { atOnce, close } = await twoProcesses(open);
    const answers = await atOnce(16, (ledger, i) => ledger.attempts.open(by(i), never));
    expect(answers.filter((answer) => answer.kind === 'opened')).toHaveLength(1);
    expect(answers.filter((answer) => answer.kind === 'conflict')).toHaveLength(15);
    expect(new Set(answers.map((answer) => answer.attempt.id)).size).toBe(1);
    await close();
  });

  it('are taken over one by one, each with a fence of its own', async () => {
    const { ledger, atOnce, close } = await twoProcesses(open);
    await ledger.attempts.open(anAttempt(), never);
    const answers = await atOnce(10, (ledger, i) => ledger.attempts.open(by(i), always));
    const fences = answers.map((answer) => answer.attempt.fence).toSorted((a, b) => a - b);
    expect(fences).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    await close();
  });
});
