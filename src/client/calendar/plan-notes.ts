import { closedText, openingAt, type CalendarRule, type Place } from '../../domain/calendar.ts';
import { isoTime, type Instant } from '../../domain/clock.ts';

/** What a set waits for that is triggered while no batch may begin (rule D10), as a sentence: estimates do not reckon with it. */
export function calendarNotes(rules: readonly CalendarRule[], place: Place, triggerAt: Instant): string[] {
  const opening = openingAt(rules, place, triggerAt);
  if (opening.open) return [];
  const until = opening.until === null ? '' : `, until ${isoTime(opening.until)}`;
  return [`Then it waits for ${closedText(opening)}${until}: the times here do not reckon with that.`];
}

/** Scale sets that the warning names. */
const MOST_NAMED = 5;

/** The same of all sets together, for whoever starts a rollout without reading its plan and wonders why nothing begins. */
export function closedNowWarnings(
  rules: readonly CalendarRule[],
  rolloutId: string,
  sets: readonly { id: string; name: string; region: string }[],
  now: Instant,
): string[] {
  const closed = sets.filter(
    ({ id: scaleSetId, region }) => !openingAt(rules, { rolloutId, region, scaleSetId }, now).open,
  );
  if (closed.length === 0) return [];
  const names = closed.slice(0, MOST_NAMED).map(({ name }) => name);
  const more = closed.length > MOST_NAMED ? ` and ${closed.length - MOST_NAMED} more` : '';
  return [
    `As things are now, windows or freezes let no batch begin of ${names.join(', ')}${more} (rule D10): \`rollouts windows\` and \`rollouts freezes\` say which.`,
  ];
}
