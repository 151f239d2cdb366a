import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DAY,
  HOUR,
  MINUTE,
  REAL_TIME,
  SECOND,
  humanDuration,
  isoTime,
  virtualAt,
  wallAt,
  wallDuration,
} from '../../src/domain/clock.ts';

const wallNow = Date.parse('2026-01-05T10:00:00Z');
const fast = { epochVirtual: Date.parse('2027-06-01T00:00:00Z'), epochWall: wallNow, speed: 600 };

describe('the virtual clock', () => {
  it('runs speed times as fast as the wall clock, from the epoch on', () => {
    expect(virtualAt(fast, wallNow)).toBe(fast.epochVirtual);
    expect(virtualAt(fast, wallNow + SECOND)).toBe(fast.epochVirtual + 10 * MINUTE);
    expect(wallAt(fast, fast.epochVirtual + HOUR)).toBe(wallNow + 6 * SECOND);
    expect(wallDuration(fast, HOUR)).toBe(6 * SECOND);
  });

  it('is wall time itself at the speed of real time', () => {
    expect(virtualAt(REAL_TIME, wallNow)).toBe(wallNow);
    expect(wallAt(REAL_TIME, wallNow)).toBe(wallNow);
    expect(wallDuration(REAL_TIME, MINUTE)).toBe(MINUTE);
  });

  it('never lets a sleep end before its virtual time is up', () => {
    const clock = fc.record({
      epochVirtual: fc.nat(2e12),
      epochWall: fc.nat(2e12),
      speed: fc.constantFrom(0.5, 1, 3, 7, 60, 600, 3_600),
    });
    fc.assert(
      fc.property(clock, fc.nat(30 * DAY), (clock, duration) => {
        const instant = clock.epochVirtual + duration;
        expect(virtualAt(clock, wallAt(clock, instant))).toBeGreaterThanOrEqual(instant);
        expect(virtualAt(clock, clock.epochWall + wallDuration(clock, duration))).toBeGreaterThanOrEqual(
          instant,
        );
      }),
    );
  });

  it('sleeps no negative time', () => {
    expect(wallDuration(fast, -HOUR)).toBe(0);
  });
});

describe('how people read time', () => {
  it('writes instants in ISO 8601', () => {
    expect(isoTime(wallNow)).toBe('2026-01-05T10:00:00.000Z');
  });

  it.each([
    [0, '0 s'],
    [40 * SECOND, '40 s'],
    [5 * MINUTE, '5 min'],
    [90 * SECOND, '1 min 30 s'],
    [119 * SECOND, '1 min 59 s'],
    [12 * MINUTE + 10 * SECOND, '12 min'],
    [HOUR - SECOND, '1 h 00 min'],
    [HOUR + 5 * MINUTE, '1 h 05 min'],
    [3 * DAY, '72 h 00 min'],
  ])('writes %i ms as %s', (duration, text) => {
    expect(humanDuration(duration)).toBe(text);
  });
});
