import { DAY, HOUR, MINUTE, SECOND, type Duration } from './clock.ts';

const PATTERN = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** Reads an ISO 8601 duration of weeks to seconds, `PT5M` or `P1DT12H`; null if it is none. Months and years have no length. */
export function parseIsoDuration(text: string): Duration | null {
  const match = PATTERN.exec(text.trim().toUpperCase());
  if (match === null || match.slice(1).every((part) => part === undefined)) return null;
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (
    (weeks ?? 0) * 7 * DAY +
    (days ?? 0) * DAY +
    (hours ?? 0) * HOUR +
    (minutes ?? 0) * MINUTE +
    Math.round((seconds ?? 0) * SECOND)
  );
}

/** Writes one as Azure does: `PT0S`, `PT5M`, `PT1H30M`, `P1DT0.5S`. */
export function formatIsoDuration(duration: Duration): string {
  const days = Math.floor(duration / DAY);
  const hours = Math.floor((duration % DAY) / HOUR);
  const minutes = Math.floor((duration % HOUR) / MINUTE);
  const seconds = (duration % MINUTE) / SECOND;
  const time = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${seconds ? `${seconds}S` : ''}`;
  if (days === 0 && time === '') return 'PT0S';
  return `P${days ? `${days}D` : ''}${time === '' ? '' : `T${time}`}`;
}
