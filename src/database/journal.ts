import type { JournalEntry } from '../domain/operation.ts';
import { shortHash } from '../domain/random.ts';
import type { Queries } from './database.ts';
import { insertRows } from './insert-rows.ts';

/** What a set is known by in the journal's index: its id is long, and most of what a rollout writes are lines about VMs. */
function journalKeyOf(scaleSetId: string): string {
  return shortHash(scaleSetId.toLowerCase());
}

/** The keys under which lines of a set are found: earlier releases wrote the id itself. */
export function journalKeysOf(scaleSetId: string): string[] {
  return [journalKeyOf(scaleSetId), scaleSetId.toLowerCase()];
}

/** Appends entries to the journal, in the transaction of the change that they tell of (rule E4). */
export async function appendJournal(tx: Queries, entries: readonly JournalEntry[]): Promise<void> {
  const recordedAt = Date.now();
  const rows = entries.map((entry) => ({
    at: entry.at,
    recorded_at: recordedAt,
    operation: entry.operation,
    event: entry.event,
    scale_set_key: journalKeyOf(entry.scaleSetId),
    scale_set_id: entry.scaleSetId,
    instance_id: entry.instanceId,
    region: entry.region,
    zone: entry.zone,
    update_domain: entry.updateDomain,
    rollout_id: entry.rolloutId,
    attempt_id: entry.attemptId,
    from_version: entry.fromVersion,
    to_version: entry.toVersion,
    detail: entry.detail,
    error: entry.error,
    observed: entry.observed === undefined ? null : JSON.stringify(entry.observed),
  }));
  await insertRows(tx, 'journal', rows);
}
