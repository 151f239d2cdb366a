import { DAY, humanDuration, type Duration, type Instant } from './clock.ts';
import { dayAt, daysLater, instantOf, weekdayOf, type LocalDay } from './time-zone.ts';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** A time that comes back every week, in which automatic upgrades may begin batches. */
export interface MaintenanceWindow {
  /** The days on which it begins, by the calendar of its zone. */
  days: Weekday[];
  /** Local time at which it begins: `22:00`. See `instantOf` for days on which there is no such time, or twice. */
  start: string;
  /** IANA name, such as `Europe/Berlin`. */
  zone: string;
  /** How long it is: of real time whatever the clocks do; or until they show `end`, on the next day if that is not after `start`. */
  length: { duration: Duration } | { end: string };
}

/** A week: longer is always. */
export const LONGEST_WINDOW: Duration = 7 * DAY;

interface Span {
  from: Instant;
  until: Instant;
}

/** Until when the window is open that is so at a moment; null if it is closed. The end itself is outside. */
export function openUntil(window: MaintenanceWindow, at: Instant): Instant | null {
  const longest = 'duration' in window.length ? window.length.duration : DAY;
  // One more, since the clocks may have been changed meanwhile.
  const open = spansAround(window, at, -1 - Math.ceil(longest / DAY), 0).filter(
    ({ from, until }) => from <= at && at < until,
  );
  return open.length === 0 ? null : Math.max(...open.map(({ until }) => until));
}

/** When the window opens next, after a moment; null for one that never does. */
export function nextStart(window: MaintenanceWindow, at: Instant): Instant | null {
  const next = spansAround(window, at, -1, WEEKDAYS.length + 1).find(({ from }) => from > at);
  return next?.from ?? null;
}

/** The window on the days around a moment, in the order of time. A change of the clocks may leave nothing of one. */
function spansAround(window: MaintenanceWindow, at: Instant, first: number, last: number): Span[] {
  const today = dayAt(at, window.zone);
  const spans: Span[] = [];
  for (let offset = first; offset <= last; offset++) {
    const day = daysLater(today, offset);
    if (!window.days.includes(WEEKDAYS[weekdayOf(day)] as Weekday)) continue;
    const span = spanOn(window, day);
    if (span.from < span.until) spans.push(span);
  }
  return spans;
}

function spanOn({ start, zone, length }: MaintenanceWindow, day: LocalDay): Span {
  const from = instantOf(day, start, zone);
  if ('duration' in length) return { from, until: from + length.duration };
  const lastDay = length.end > start ? day : daysLater(day, 1);
  return { from, until: instantOf(lastDay, length.end, zone) };
}

/** `mon-fri 22:00 to 04:00 Europe/Berlin` */
export function windowText({ days, start, zone, length }: MaintenanceWindow): string {
  const how = 'duration' in length ? `for ${humanDuration(length.duration)}` : `to ${length.end}`;
  return `${daysText(days)} ${start} ${how} ${zone}`;
}

/** `daily`, `mon-fri`, `mon, wed, sat` */
function daysText(days: readonly Weekday[]): string {
  const numbers = days.map((day) => WEEKDAYS.indexOf(day)).toSorted((a, b) => a - b);
  const [first = 0] = numbers;
  const last = numbers.at(-1) ?? first;
  if (numbers.length === WEEKDAYS.length) return 'daily';
  const isRow = numbers.length > 2 && last - first === numbers.length - 1;
  return isRow
    ? `${WEEKDAYS[first]}-${WEEKDAYS[last]}`
    : numbers.map((number) => WEEKDAYS[number]).join(', ');
}
