import type { CalendarRule, RuleDefinition } from '../domain/calendar.ts';
import type { Instant } from '../domain/clock.ts';

export type { CalendarRule, RuleDefinition, RuleKind } from '../domain/calendar.ts';

export type NewRule = RuleDefinition & Pick<CalendarRule, 'scope' | 'who' | 'why' | 'at'>;

/** A rule of when batches may begin, and who took it back. */
export interface RecordedRule {
  rule: CalendarRule;
  /** Null while it stands. */
  removed: { who: string; why: string; at: Instant } | null;
}

/** The rules that stand. */
export interface CalendarReading {
  /** Rises with every change. */
  revision: number;
  rules: CalendarRule[];
}

/**
 * Maintenance windows, freezes and overrides (rule D10). Every change is a line of the journal as well, in the order in which batches
 * saw it.
 */
export interface Calendar {
  add(rule: NewRule): Promise<CalendarRule>;
  /** Takes back what stands; null if there is no such rule, or it was taken back before. */
  remove(id: string, by: { who: string; why: string; at: Instant }): Promise<CalendarRule | null>;
  read(): Promise<CalendarReading>;
  /** All that were ever recorded, the oldest first. */
  list(): Promise<RecordedRule[]>;
}
