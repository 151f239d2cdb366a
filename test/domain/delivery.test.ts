import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/clock.ts';
import {
  afterFailure,
  answerOf,
  GIVEN_UP_AFTER,
  NO_FAILURES,
  type Failures,
} from '../../src/domain/delivery.ts';

const NOW = Date.parse('2026-01-05T10:00:00Z');
const FAILED = { kind: 'failed', error: 'It answered 500.', retryAfter: null } as const;

describe('what an answer means', () => {
  it.each([
    [200, { kind: 'accepted' }],
    [204, { kind: 'accepted' }],
    [410, { kind: 'gone' }],
    [400, { kind: 'failed', error: 'It answered 400.', retryAfter: null }],
    [503, { kind: 'failed', error: 'It answered 503.', retryAfter: null }],
    [302, { kind: 'failed', error: 'It answered 302, and redirects are not followed.', retryAfter: null }],
  ])('%i', (status, answer) => {
    expect(answerOf(status, undefined, NOW)).toEqual(answer);
  });

  it.each([
    ['120', 2 * MINUTE],
    ['Mon, 05 Jan 2026 10:01:30 GMT', 90 * SECOND],
    ['Mon, 05 Jan 2026 09:00:00 GMT', null],
    ['0', null],
    ['soon', null],
    ['-5', null],
    ['9'.repeat(40), null],
  ])('429 with Retry-After "%s"', (text, retryAfter) => {
    expect(answerOf(429, text, NOW)).toMatchObject({ retryAfter });
  });
});

describe('after a failure', () => {
  /** How long it waits after each of so many failures in a row, as a share of the longest that it may. */
  function waits(name: string, count: number) {
    let before: Failures = NO_FAILURES;
    let now = NOW;
    return Array.from({ length: count }, () => {
      const { failures, failingSince, nextTryAt } = afterFailure(name, before, FAILED, now);
      const wait = nextTryAt - now;
      before = { failures, failingSince };
      now = nextTryAt;
      return wait;
    });
  }

  it('waits twice as long each time, up to an hour, and up to half of it less', () => {
    const longest = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600].map((s) => s * SECOND);
    for (const [i, wait] of waits('ops', longest.length).entries()) {
      expect(wait).toBeLessThanOrEqual(longest[i] ?? 0);
      expect(wait).toBeGreaterThanOrEqual((longest[i] ?? 0) / 2);
    }
  });

  it('waits as long when it is asked again, and not as long as another watcher does', () => {
    expect(waits('ops', 8)).toEqual(waits('ops', 8));
    expect(waits('ops', 8)).not.toEqual(waits('pager', 8));
  });

  it('waits as long as it is asked to, but a day at most', () => {
    const asked = (retryAfter: number) =>
      afterFailure('ops', NO_FAILURES, { ...FAILED, retryAfter }, NOW).nextTryAt - NOW;
    expect(asked(HOUR)).toBe(HOUR);
    expect(asked(1)).toBeGreaterThan(2 * SECOND);
    expect(asked(30 * DAY)).toBe(DAY);
  });

  it('gives up after days without one accepted event, and at once when it is told that nobody is there any more', () => {
    const failingSince = NOW - GIVEN_UP_AFTER;
    const why = (since: number) =>
      afterFailure('ops', { failures: 9, failingSince: since }, FAILED, NOW).disabledWhy;
    expect(why(failingSince + 1)).toBeNull();
    expect(why(failingSince)).toBe('It accepted nothing for 5 days.');
    const gone = afterFailure('ops', NO_FAILURES, { kind: 'gone' }, NOW);
    expect(gone).toMatchObject({ failures: 1, disabledWhy: expect.stringContaining('410') });
  });
});
