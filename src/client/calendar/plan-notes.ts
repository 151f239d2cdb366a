import { closedText, openingAt, type CalendarRule, type Place } from '../../domain/calendar.ts';
import { isoTime, type Instant } from '../../domain/clock.ts';

/** What a set waits for that is triggered while no batch may begin (rule D10), as a sentence: estimates do not reckon with it. */
export function calendarNotes(rules: readonly CalendarRule[], place: Place, triggerAt: Instant): string[] {
  const opening = openingAt(rules, place, triggerAt);
  if (opening.open) return [];
  const until = opening.until === null ? '' : `, until ${isoTime(opening.until)}`;
  return [`Then it waits for ${closedText(opening)}${until}: the times here do not reckon with that.`];
}
