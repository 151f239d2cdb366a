import { DAY, HOUR, MINUTE, type Instant } from '../domain/clock.ts';
import { WEEKDAYS, type MaintenanceWindow } from '../domain/maintenance-window.ts';

/*
 * Whether a moment is inside of a window, from what the clocks of its zone show. The library and the functions by which batches were
 * decided on are not used on purpose: a mistake in them would be the checker's mistake too.
 */

/** True from the window's start, and not at its end any more. */
export function isInside(window: MaintenanceWindow, at: Instant): boolean {
  const { start, zone, length } = window;
  const longest = 'duration' in length ? length.duration : DAY;
  const today = Math.floor(shown(at, zone) / DAY) * DAY;
  for (let midnight = today; midnight >= today - longest - 2 * DAY; midnight -= DAY) {
    if (!window.days.some((day) => WEEKDAYS.indexOf(day) === weekday(midnight))) continue;
    const from = firstShowing(midnight + timeOf(start), zone);
    const until =
      'duration' in length
        ? from + length.duration
        : firstShowing(midnight + timeOf(length.end) + (length.end > start ? 0 : DAY), zone);
    if (from <= at && at < until) return true;
  }
  return false;
}

/** 0 is Monday; the epoch's first day was a Thursday. */
function weekday(midnight: number): number {
  return (((midnight / DAY + 3) % 7) + 7) % 7;
}

function timeOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * HOUR + minutes * MINUTE;
}

/** The first instant at which the clocks show it; if they leave it out, as late as if they had not been put forward. */
function firstShowing(local: number, zone: string): Instant {
  const ahead = (near: Instant) => shown(near, zone) - near;
  const before = local - ahead(local - DAY);
  const candidates = [before, local - ahead(local + DAY)].filter((at) => shown(at, zone) === local);
  return candidates.length > 0 ? Math.min(...candidates) : before;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clocks of a zone show, as the instant at which those of UTC show the same. */
function shown(at: Instant, zone: string): number {
  let format = formats.get(zone);
  if (!format) {
    const two = '2-digit';
    const time = { hour: two, minute: two, second: two, hourCycle: 'h23' } as const;
    format = new Intl.DateTimeFormat('en', {
      timeZone: zone,
      year: 'numeric',
      month: two,
      day: two,
      ...time,
    });
    formats.set(zone, format);
  }
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const of = (part: Intl.DateTimeFormatPartTypes) => parts.get(part) ?? 0;
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
}
