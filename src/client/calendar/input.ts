import { humanDuration, MINUTE, type Duration, type Instant } from '../../domain/clock.ts';
import {
  LONGEST_WINDOW,
  WEEKDAYS,
  type MaintenanceWindow,
  type Weekday,
} from '../../domain/maintenance-window.ts';
import { isTimeZone, parseMoment, similarTimeZones } from '../../domain/time-zone.ts';
import { UsageError } from '../errors.ts';

/** A window as people write it. */
export interface WindowText {
  /** `daily`, `mon-fri`, `sat,sun` */
  days: string;
  /** `22:00` */
  start: string;
  /** One of the two. */
  end?: string | undefined;
  duration?: Duration | undefined;
  zone: string;
}

/** @throws UsageError that says what is wrong, and what to write */
export function readWindow({ days, start, end, duration, zone }: WindowText): MaintenanceWindow {
  if ((end === undefined) === (duration === undefined)) {
    throw new UsageError(
      'Say how long the window is open: either until a local time, or for a length of time.',
    );
  }
  const window = { days: parseDays(days), start: localTime(start, 'start'), zone: requireZone(zone) };
  if (end !== undefined) return { ...window, length: { end: localTime(end, 'end') } };
  if (duration === undefined || duration < MINUTE || duration > LONGEST_WINDOW) {
    throw new UsageError(
      `A window is open for 1 minute to 7 days, not ${humanDuration(duration ?? 0)}. Without a window it is always.`,
    );
  }
  return { ...window, length: { duration } };
}

function parseDays(text: string): Weekday[] {
  const written = text.trim().toLowerCase();
  if (written === 'daily') return [...WEEKDAYS];
  const found = new Set(written.split(/[\s,]+/).flatMap((part) => daysOf(part, text)));
  return WEEKDAYS.filter((day) => found.has(day));
}

/** `fri-mon` goes over the end of the week. */
function daysOf(part: string, whole: string): Weekday[] {
  const [first = -1, last = first] = part.split('-').map((day) => WEEKDAYS.indexOf(day as Weekday));
  if (first < 0 || last < 0 || part.split('-').length > 2) {
    throw new UsageError(
      `"${whole}" names no days of the week. Give ${WEEKDAYS.join(', ')}: mon-fri, or sat,sun, or daily.`,
    );
  }
  const count = ((last - first + WEEKDAYS.length) % WEEKDAYS.length) + 1;
  return Array.from({ length: count }, (_, i) => WEEKDAYS[(first + i) % WEEKDAYS.length] as Weekday);
}

function localTime(text: string, what: string): string {
  const [, hours = '', minutes = ''] = /^(\d{1,2}):(\d{2})$/.exec(text.trim()) ?? [];
  if (hours === '' || Number(hours) > 23 || Number(minutes) > 59) {
    throw new UsageError(`The window's ${what} is "${text}", which is no time of day. Give 00:00 to 23:59.`);
  }
  return `${hours.padStart(2, '0')}:${minutes}`;
}

/**
 * The name of a time zone, as it is spelt.
 * @throws UsageError that names similar ones
 */
export function requireZone(text: string): string {
  const name = text.trim();
  if (isTimeZone(name)) {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    // A zone may have another name by now; people know it by theirs.
    return timeZone.toLowerCase() === name.toLowerCase() ? timeZone : name;
  }
  if (/^([+-]|utc[+-]|gmt[+-])/i.test(name)) {
    throw new UsageError(
      `"${text}" is an offset, which knows no daylight saving time. Give an IANA time zone, such as Europe/Berlin, or UTC.`,
    );
  }
  const similar = similarTimeZones(name);
  const hint =
    similar.length > 0 ? `Similar: ${similar.join(', ')}.` : 'Give one such as Europe/Berlin, or UTC.';
  throw new UsageError(`There is no time zone "${text}". ${hint}`);
}

/**
 * A moment as people write it.
 * @param zone of a time that is given without its offset
 * @throws UsageError
 */
export function requireMoment(text: string, what: string, zone: string | undefined): Instant {
  const moment = parseMoment(text.trim(), zone === undefined ? null : requireZone(zone));
  if (moment !== null) return moment;
  throw new UsageError(
    `${what} is "${text}", which is no moment. Give a time with its offset, such as 2026-12-20T18:00:00+01:00, ` +
      'or a local one, such as 2026-12-20T18:00, with a time zone.',
  );
}
