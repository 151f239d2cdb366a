import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInside } from '../../src/audit/window-times.ts';
import { DAY, HOUR, MINUTE, isoTime } from '../../src/domain/clock.ts';
import {
  WEEKDAYS,
  nextStart,
  openUntil,
  windowText,
  type MaintenanceWindow,
  type Weekday,
} from '../../src/domain/maintenance-window.ts';

const BERLIN = 'Europe/Berlin';
const NEW_YORK = 'America/New_York';
const LORD_HOWE = 'Australia/Lord_Howe';
const KOLKATA = 'Asia/Kolkata';

/** A window of every day, unless days are given; until a local time, or for so many hours. */
function window(
  zone: string,
  start: string,
  length: string | number,
  days: Weekday[] = [...WEEKDAYS],
): MaintenanceWindow {
  return {
    zone,
    start,
    days,
    length: typeof length === 'string' ? { end: length } : { duration: length * HOUR },
  };
}

/** When the window is open between two instants, as `03-28 21:00 to 03-29 02:00`, in UTC. */
function openTimes(given: MaintenanceWindow, from: string, to: string): string[] {
  const text = (at: number) => isoTime(at).slice(5, 16).replace('T', ' ');
  const times: string[] = [];
  for (let at = Date.parse(from); at < Date.parse(to); at += 5 * MINUTE) {
    const until = openUntil(given, at);
    if (until === null) continue;
    times.push(`${text(at)} to ${text(until)}`);
    // Further in any case: it is to end whatever is broken.
    at = Math.max(at, until - 5 * MINUTE);
  }
  return times;
}

describe('a maintenance window', () => {
  it.each<[string, MaintenanceWindow, string, string, string[]]>([
    [
      'is of the days on which it begins, and may go on over midnight',
      window(BERLIN, '22:00', '04:00', ['fri']),
      '2026-01-08T12:00Z',
      '2026-01-11T12:00Z',
      ['01-09 21:00 to 01-10 03:00'],
    ],
    [
      'is of the days of its zone, whatever day it is in Greenwich',
      window(KOLKATA, '00:00', 2, ['mon']),
      '2026-01-10T00:00Z',
      '2026-01-13T00:00Z',
      ['01-11 18:30 to 01-11 20:30'],
    ],
    [
      'that ends when it begins is open for a day',
      window('UTC', '06:00', '06:00', ['tue']),
      '2026-01-05T00:00Z',
      '2026-01-09T00:00Z',
      ['01-06 06:00 to 01-07 06:00'],
    ],
    [
      'may be open for days',
      window('UTC', '20:00', 60, ['fri']),
      '2026-01-06T00:00Z',
      '2026-01-15T00:00Z',
      ['01-09 20:00 to 01-12 08:00'],
    ],
  ])('%s', (_, given, from, to, times) => {
    expect(openTimes(given, from, to)).toEqual(times);
  });

  it('is open from its very start, and not at its end any more', () => {
    const given = window('UTC', '22:00', 2);
    const start = Date.parse('2026-01-05T22:00Z');
    expect(openUntil(given, start - 1)).toBeNull();
    expect(openUntil(given, start)).toBe(start + 2 * HOUR);
    expect(openUntil(given, start + 2 * HOUR - 1)).toBe(start + 2 * HOUR);
    expect(openUntil(given, start + 2 * HOUR)).toBeNull();
  });

  it.each<[MaintenanceWindow, string]>([
    [window('UTC', '22:00', 2), 'daily 22:00 for 2 h 00 min UTC'],
    [
      window(BERLIN, '22:00', '04:00', ['mon', 'tue', 'wed', 'thu', 'fri']),
      'mon-fri 22:00 to 04:00 Europe/Berlin',
    ],
    [window(BERLIN, '22:00', '04:00', ['sun', 'mon', 'sat']), 'mon, sat, sun 22:00 to 04:00 Europe/Berlin'],
  ])('says in words what it is', (given, text) => {
    expect(windowText(given)).toBe(text);
  });
});

describe('when the clocks are changed', () => {
  it.each<[string, MaintenanceWindow, string, string[]]>([
    [
      'a window until a local time is an hour shorter in spring',
      window(BERLIN, '22:00', '04:00'),
      '2026-03-28',
      ['03-28 21:00 to 03-29 02:00', '03-29 20:00 to 03-30 02:00'],
    ],
    [
      'and an hour longer in autumn',
      window(BERLIN, '22:00', '04:00'),
      '2026-10-24',
      ['10-24 20:00 to 10-25 03:00', '10-25 21:00 to 10-26 03:00'],
    ],
    [
      'one of a length is as long as ever in spring',
      window(BERLIN, '22:00', 6),
      '2026-03-28',
      ['03-28 21:00 to 03-29 03:00', '03-29 20:00 to 03-30 02:00'],
    ],
    [
      'and in autumn',
      window(BERLIN, '22:00', 6),
      '2026-10-24',
      ['10-24 20:00 to 10-25 02:00', '10-25 21:00 to 10-26 03:00'],
    ],
    [
      'a start that there is not is later by as much as the clocks are put forward',
      window(BERLIN, '02:30', 1),
      '2026-03-28',
      ['03-29 01:30 to 03-29 02:30', '03-30 00:30 to 03-30 01:30'],
    ],
    [
      'of a start that there is twice the first counts, and that once',
      window(BERLIN, '02:30', 1),
      '2026-10-24',
      ['10-25 00:30 to 10-25 01:30', '10-26 01:30 to 10-26 02:30'],
    ],
    [
      'so it is in New York in spring',
      window(NEW_YORK, '02:30', 1, ['sun']),
      '2026-03-07',
      ['03-08 07:30 to 03-08 08:30'],
    ],
    ['and in autumn', window(NEW_YORK, '01:30', 1, ['sun']), '2026-10-31', ['11-01 05:30 to 11-01 06:30']],
    [
      'Lord Howe leaves out half an hour',
      window(LORD_HOWE, '02:10', 1, ['sun']),
      '2026-10-03',
      ['10-03 15:40 to 10-03 16:40'],
    ],
    [
      'and has half an hour twice',
      window(LORD_HOWE, '01:45', '02:15', ['sun']),
      '2026-04-04',
      ['04-04 14:45 to 04-04 15:45'],
    ],
    [
      'nothing is left of a window whose end comes before its start then',
      window(BERLIN, '02:30', '03:00'),
      '2026-03-28',
      ['03-30 00:30 to 03-30 01:00'],
    ],
  ])('%s', (_, given, day, times) => {
    const from = Date.parse(`${day}T12:00Z`);
    expect(openTimes(given, isoTime(from), isoTime(from + 40 * HOUR))).toEqual(times);
    const starts = times.map((time) => `2026-${time.slice(0, 11).replace(' ', 'T')}:00.000Z`);
    expect(isoTime(nextStart(given, from) ?? 0)).toBe(starts[0]);
  });
});

describe('windows of any kind', () => {
  const time = fc.record({ h: fc.nat({ max: 23 }), m: fc.constantFrom(0, 10, 15, 30, 45, 59) });
  const clock = time.map(({ h, m }) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`);
  const anyWindow = fc.record({
    zone: fc.constantFrom(
      BERLIN,
      NEW_YORK,
      LORD_HOWE,
      KOLKATA,
      'UTC',
      'Pacific/Chatham',
      'Africa/Casablanca',
    ),
    start: clock,
    days: fc.subarray([...WEEKDAYS], { minLength: 1 }),
    length: fc.oneof(
      clock.map((end) => ({ end })),
      fc.integer({ min: 1, max: 7 * 24 * 60 }).map((minutes) => ({ duration: minutes * MINUTE })),
    ),
  });
  /** Near the nights on which clocks are changed as often as anywhere in the year. */
  const moment = fc.oneof(
    fc.tuple(
      fc.constantFrom('2026-03-29', '2026-10-25', '2026-03-08', '2026-11-01', '2026-10-04', '2026-04-05'),
      fc.integer({ min: -36 * 60, max: 36 * 60 }),
    ),
    fc.tuple(fc.constant('2026-07-01'), fc.integer({ min: -180 * 24 * 60, max: 180 * 24 * 60 })),
  );
  const at = moment.map(([day, minutes]) => Date.parse(`${day}T00:00Z`) + minutes * MINUTE);

  it('are open by the planner when the audit, which computes otherwise, finds them so', () => {
    fc.assert(
      fc.property(anyWindow, at, (given, moment) => {
        expect(openUntil(given, moment) !== null).toBe(isInside(given, moment));
      }),
      { seed: 6, numRuns: 1_500 },
    );
  });

  it('open next at a moment from which they are, and not before', () => {
    fc.assert(
      fc.property(anyWindow, at, (given, moment) => {
        const next = nextStart(given, moment);
        if (next === null) return;
        expect(next).toBeGreaterThan(moment);
        expect(next - moment).toBeLessThan(8 * DAY + 2 * HOUR);
        expect(isInside(given, next)).toBe(true);
        if (openUntil(given, moment) === null) expect(isInside(given, next - MINUTE)).toBe(false);
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});
