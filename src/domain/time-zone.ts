import { Temporal } from 'temporal-polyfill';
import type { Instant } from './clock.ts';

/**
 * Local time in IANA time zones. It stands apart since it is the one module of `domain` that needs a library, which must not get into
 * the workflows' sandbox: nothing that a workflow imports may import this.
 */

/** A day of a zone's calendar: `2026-03-29`. */
export type LocalDay = string;

/** The day that it is in a zone. */
export function dayAt(at: Instant, zone: string): LocalDay {
  return zoned(at, zone).toPlainDate().toString();
}

export function daysLater(day: LocalDay, days: number): LocalDay {
  return Temporal.PlainDate.from(day).add({ days }).toString();
}

/** 0 is Monday. */
export function weekdayOf(day: LocalDay): number {
  return Temporal.PlainDate.from(day).dayOfWeek - 1;
}

/**
 * The instant of a local time. Of one that there is twice, as the clocks are put back, the first; one that there is not, as they are put
 * forward, is later by as much as they are: 02:30 becomes 03:30, and of Lord Howe's half hour 02:10 becomes 02:40.
 * @param time `22:00`
 */
export function instantOf(day: LocalDay, time: string, zone: string): Instant {
  return instantFrom(Temporal.PlainDateTime.from(`${day}T${time}`), zone);
}

function instantFrom(local: Temporal.PlainDateTime, zone: string): Instant {
  return local.toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds;
}

/** `2026-03-29 22:00`: what the clocks of a zone show. */
export function localText(at: Instant, zone: string): string {
  return zoned(at, zone).toPlainDateTime().toString({ smallestUnit: 'minute' }).replace('T', ' ');
}

function zoned(at: Instant, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
}

/**
 * A moment as people write it: an ISO time with its offset, or a local one, which needs a zone. A day alone is its midnight.
 * @returns null for anything else, also a local time without a zone
 */
export function parseMoment(text: string, zone: string | null): Instant | null {
  try {
    if (/(z|[+-]\d{2}:?\d{2})(\[.*\])?$/i.test(text) && /t| /i.test(text)) {
      return Temporal.Instant.from(text).epochMilliseconds;
    }
    return zone === null ? null : instantFrom(Temporal.PlainDateTime.from(text), zone);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** True for the name of a zone, in any case of letters; an offset such as `+02:00` is none, since it knows no daylight saving. */
export function isTimeZone(text: string): boolean {
  if (!/^[a-z]/i.test(text)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Letters at the beginning of a city that are likely right when a name is mistyped. */
const TRUSTED_LETTERS = 3;

/** Zones that may be meant by a name that is none: `Berlin` or `Europe/Berlinn` is `Europe/Berlin`. */
export function similarTimeZones(text: string): string[] {
  const city = cityOf(text);
  const zones = Intl.supportedValuesOf('timeZone');
  const same = zones.filter((zone) => cityOf(zone) === city);
  if (same.length > 0) return same;
  return zones.filter((zone) => cityOf(zone).startsWith(city.slice(0, TRUSTED_LETTERS))).slice(0, 5);
}

function cityOf(zone: string): string {
  return (zone.trim().split('/').at(-1) ?? '').toLowerCase().replaceAll(/\s+/g, '_');
}
