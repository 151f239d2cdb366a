import type { Instant } from './clock.ts';

/** What watchers are told of. `watcher.test` is what a person sends to one of them to see whether it arrives. */
export const EVENT_KINDS = [
  'rollout.started',
  'phase.done',
  'rollout.halted',
  'rollout.decided',
  'rollout.completed',
  'rollout.faulted',
  'rollout.cancelled',
  'rollout.superseded',
  'scaleset.restored',
  'scaleset.quarantined',
  'scaleset.faulted',
  'watcher.test',
] as const;

export type EventKind = (typeof EVENT_KINDS)[number];

/** Those that a watcher may choose from. */
export const CHOSEN_KINDS: readonly EventKind[] = EVENT_KINDS.filter((kind) => kind !== 'watcher.test');

/** Something that has happened. */
export interface RolloutEvent {
  /** The same whenever the same thing is recorded once more; of no other event. */
  key: string;
  kind: EventKind;
  /** A rollout's id, a scale set's ARM id, or a watcher's name. */
  subject: string;
  at: Instant;
  /** Small, and without secrets. */
  data: EventData;
}

export type EventData = Readonly<Record<string, string | number | readonly string[] | null>>;

/** Ids that an event names: enough for a person to start from, little enough for any receiver. */
export const MOST_IDS = 50;
/** Of a text that an event quotes, in UTF-16 units. */
const LONGEST_TEXT = 1_000;

/** A text as an event quotes it. */
export function quoted(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text;
}
