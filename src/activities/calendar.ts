import {
  closedText,
  openingAt,
  rulesFor,
  type CalendarRule,
  type Opening,
  type Place,
} from '../domain/calendar.ts';
import type { Instant } from '../domain/clock.ts';
import type { Attempt, CalendarReading } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';

/** What is waited for where no batch may begin, and until when if that is known. */
export interface ClosedFor {
  what: string;
  until: Instant | null;
}

/** The calendar as it was read, which holds for a whole look. */
export class SeenCalendar {
  /** What a batch is recorded by; undefined where the calendar does not bind it. */
  readonly revision: number | undefined;
  readonly #rules: readonly CalendarRule[];
  /** Most sets of a region have no rules of their own, and share one answer. */
  readonly #openings = new Map<string, Opening>();

  constructor(reading: CalendarReading | null) {
    this.revision = reading?.revision;
    this.#rules = reading?.rules ?? [];
  }

  /** Why no batch may begin at a place; null where one may. */
  closedFor(place: Place, at: Instant): ClosedFor | null {
    const opening = this.#openingAt(place, at);
    return opening.open ? null : { what: closedText(opening), until: opening.until };
  }

  /** The override without which it would be closed. */
  overrideFor(place: Place, at: Instant): CalendarRule | null {
    const opening = this.#openingAt(place, at);
    return opening.open ? opening.override : null;
  }

  #openingAt(place: Place, at: Instant): Opening {
    const concerned = rulesFor(this.#rules, place);
    const key = [at, ...concerned.map(({ id }) => id)].join(' ');
    const known = this.#openings.get(key) ?? openingAt(concerned, place, at);
    this.#openings.set(key, known);
    return known;
  }
}

/** Rule D10. What a person starts is bound by no window and no freeze: he knows what time it is (rule D8). */
export async function readCalendar(
  { ledger }: Pick<ActivityDependencies, 'ledger'>,
  startedBy: Attempt['startedBy'],
): Promise<SeenCalendar> {
  return new SeenCalendar(startedBy === 'Platform' ? await ledger.calendar.read() : null);
}
