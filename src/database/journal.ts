import type { Instant } from '../domain/clock.ts';
import type { FleetOperation } from '../fleet/port.ts';

/** One line of the journal (rule E4). It only grows, and it proves afterwards what was done. */
export interface JournalEntry {
  /** Virtual time at which it happened. */
  at: Instant;
  operation: FleetOperation | 'health.wait';
  event: 'started' | 'succeeded' | 'failed';
  scaleSetId: string;
  instanceId: string;
  region: string;
  zone: string | null;
  updateDomain: number | null;
  rolloutId: string;
  attemptId: string;
  fromVersion: string | null;
  toVersion: string | null;
  /** What of the operation, e.g. the extension's name. */
  detail: string | null;
  error: string | null;
}
