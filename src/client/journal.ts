import { isoTime } from '../domain/clock.ts';
import type { Ledger, RecordedEntry } from '../ledger/port.ts';

const PAGE = 1_000;

export interface JournalFilter {
  rolloutId?: string | undefined;
  /** ARM id. */
  scaleSetId?: string | undefined;
  /** Only entries after this `seq`. */
  after?: number | undefined;
}

/** The journal's entries in the order of `seq` (rule E4), a page at a time: it may be longer than memory. */
export async function* readJournal(
  { ledger }: { ledger: Pick<Ledger, 'journal'> },
  { rolloutId, scaleSetId, after = 0 }: JournalFilter = {},
): AsyncGenerator<RecordedEntry> {
  for (let last = after; ;) {
    const page = await ledger.journal.read({
      ...(rolloutId === undefined ? {} : { rolloutId }),
      ...(scaleSetId === undefined ? {} : { scaleSetId }),
      after: last,
      limit: PAGE,
    });
    yield* page;
    if (page.length < PAGE) return;
    last = (page.at(-1) as RecordedEntry).seq;
  }
}

/** A line of `journal --output json`: `at` is virtual time, `recordedAt` the wall clock, both ISO. */
export type JournalLine = Omit<RecordedEntry, 'at' | 'recordedAt'> & { at: string; recordedAt: string };

/** In the order of keys that people read. */
export function journalLine(entry: RecordedEntry): JournalLine {
  return {
    seq: entry.seq,
    at: isoTime(entry.at),
    recordedAt: isoTime(entry.recordedAt),
    operation: entry.operation,
    event: entry.event,
    scaleSetId: entry.scaleSetId,
    instanceId: entry.instanceId,
    region: entry.region,
    zone: entry.zone,
    updateDomain: entry.updateDomain,
    rolloutId: entry.rolloutId,
    attemptId: entry.attemptId,
    fromVersion: entry.fromVersion,
    toVersion: entry.toVersion,
    error: entry.error,
    detail: entry.detail,
    ...(entry.observed ? { observed: entry.observed } : {}),
  };
}
