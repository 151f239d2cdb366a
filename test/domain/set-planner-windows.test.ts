import { describe, expect, it } from 'vitest';
import { nextSetStep } from '../../src/domain/set-planner.ts';
import { afterBatch, instances, observation, took } from './observed-set.ts';

const closed = { what: 'a maintenance window', until: 2_000_000 };

describe('while windows and freezes let no batch begin (D10)', () => {
  it('no batch begins, the first one neither', () => {
    const wait = { kind: 'wait', for: 'window', ...closed };
    expect(nextSetStep(observation({ closed }))).toEqual(wait);
    const taken = [took('0', 'upgraded'), took('1', 'upgraded')];
    expect(nextSetStep(observation({ closed, taken, lastBatch: afterBatch }))).toEqual(wait);
  });

  it('what has begun is finished, and what is done is done', () => {
    const openBatch = { number: 1, zone: null };
    expect(nextSetStep(observation({ closed, openBatch }))).toEqual({ kind: 'resumeBatch', number: 1 });
    const done = observation({ closed, instances: instances(10, () => ({ destination: null })) });
    expect(nextSetStep(done)).toMatchObject({ kind: 'finish', status: 'Completed' });
  });

  it('who is told to stop stops, and a pause is told before a window', () => {
    const stop = { code: 'Cancelled', message: 'by ada' };
    expect(nextSetStep(observation({ closed, stop }))).toMatchObject({ kind: 'finish', reason: stop });
    expect(nextSetStep(observation({ closed, paused: true }))).toEqual({ kind: 'wait', for: 'resume' });
  });

  it('an outage that passes ends nothing; when all is done, what failed counts (B7)', () => {
    const taken = [took('0', 'upgraded'), took('1', 'upgraded')];
    const ill = { instances: instances(10, (i) => ({ healthy: i > 0 })), taken, lastBatch: afterBatch };
    expect(nextSetStep(observation({ ...ill, closed }))).toMatchObject({ kind: 'wait', for: 'window' });
    expect(nextSetStep(observation(ill))).toMatchObject({ kind: 'finish', status: 'Faulted' });
    const last = { ...ill, instances: instances(2, (i) => ({ healthy: i > 0, destination: null })) };
    expect(nextSetStep(observation({ ...last, closed }))).toMatchObject({
      kind: 'finish',
      status: 'Faulted',
    });
  });
});
