import { DAY, HOUR, MINUTE, SECOND, type Duration } from '../domain/clock.ts';
import { parseIsoDuration } from '../domain/iso-duration.ts';
import { UsageError } from './errors.ts';

const UNITS: Record<string, Duration> = { ms: 1, s: SECOND, m: MINUTE, min: MINUTE, h: HOUR, d: DAY };
const PART = /(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)\s*/gy;

export const DURATION_EXAMPLES = '30s, 5m, 1h30m or ISO 8601 such as PT1H30M';

/** No wait makes sense above it, and timers have an end. */
const LONGEST: Duration = 10 * 365 * DAY;

/** `30s`, `1h30m`, `0` or an ISO 8601 duration, in milliseconds; null for anything else, or longer than ten years. */
export function parseDuration(text: string): Duration | null {
  const duration = anyDuration(text);
  return duration !== null && duration <= LONGEST ? duration : null;
}

function anyDuration(text: string): Duration | null {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === '0') return 0;
  if (trimmed.startsWith('p')) return parseIsoDuration(trimmed.toUpperCase());
  let total = 0;
  let end = 0;
  for (const match of trimmed.matchAll(PART)) {
    total += Number(match[1]) * (UNITS[match[2] as string] as number);
    end = match.index + match[0].length;
  }
  return end === trimmed.length && end > 0 ? Math.round(total) : null;
}

/**
 * The same for what a person wrote at `where`.
 * @throws UsageError
 */
export function requireDuration(text: string, where: string): Duration {
  const duration = parseDuration(text);
  if (duration === null) {
    throw new UsageError(`${where} is "${text}", which is no length of time. Give ${DURATION_EXAMPLES}.`);
  }
  return duration;
}
