import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/clock.ts';
import {
  FRESH,
  LEAST_TRIES,
  PATIENCE,
  nextTry,
  type NextTry,
  type NoAnswer,
} from '../../src/domain/patience.ts';

const ALONE: NoAnswer = { message: 'no answer', retryAfter: null, othersAnswer: true };
const OUTAGE: NoAnswer = { ...ALONE, othersAnswer: false };

/** Tries until a set is given up, or so many are over. @returns how long each wait was */
function waitsFor(answerOf: (now: number) => NoAnswer, most = 200) {
  const waits: number[] = [];
  let now = 0;
  let patience = FRESH;
  for (let i = 0; i < most; i++) {
    const next: NextTry = nextTry(patience, answerOf(now), now, 'web');
    if (next.kind === 'giveUp') return { waits, givenUpAt: now };
    waits.push(next.at - now);
    now = next.at;
    patience = next.patience;
  }
  return { waits, givenUpAt: null };
}

describe('a set that the API does not answer for', () => {
  it('is asked for again after waits that double, up to five minutes and a quarter more', () => {
    const { waits } = waitsFor(() => OUTAGE, 12);
    const bare = [5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300, 300].map((seconds) => seconds * SECOND);
    for (const [i, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(bare[i] as number);
      expect(wait).toBeLessThanOrEqual((bare[i] as number) * 1.25);
    }
  });

  it('is left alone for as long as the API asks, up to an hour', () => {
    const after = (retryAfter: number) => waitsFor(() => ({ ...OUTAGE, retryAfter }), 1).waits[0] as number;
    expect(after(90 * SECOND)).toBeGreaterThanOrEqual(90 * SECOND);
    expect(after(90 * SECOND)).toBeLessThanOrEqual(113 * SECOND);
    expect(after(30 * HOUR)).toBeLessThanOrEqual(75 * MINUTE);
  });

  it('comes back at another moment than one that was refused together with it', () => {
    const [a, b] = ['web', 'api'].map((key) => nextTry(FRESH, { ...OUTAGE, retryAfter: MINUTE }, 0, key));
    expect(a).not.toEqual(b);
  });

  it('is given up after half an hour in which others were answered', () => {
    const { givenUpAt } = waitsFor(() => ALONE);
    expect(givenUpAt).toBeGreaterThanOrEqual(PATIENCE);
    expect(givenUpAt).toBeLessThanOrEqual(PATIENCE + 7 * MINUTE);
  });

  it('is tried often enough, also where each wait is as long as its patience', () => {
    const { waits } = waitsFor(() => ({ ...ALONE, retryAfter: PATIENCE }));
    expect(waits).toHaveLength(LEAST_TRIES - 1);
  });

  it('is never given up in an outage, and has all its patience again after one', () => {
    expect(waitsFor(() => OUTAGE).givenUpAt).toBeNull();
    const end = 3 * HOUR;
    const { givenUpAt } = waitsFor((now) => (now < end ? OUTAGE : ALONE));
    expect(givenUpAt).toBeGreaterThanOrEqual(end + PATIENCE);
  });
});
