import { appendJournal } from '../database/journal.ts';
import type { JournalEntry } from '../domain/operation.ts';
import type { AttemptRow } from './attempt-rows.ts';
import { fromJson, type Tx } from './rows.ts';

type Line = Pick<JournalEntry, 'at' | 'operation' | 'event'> &
  Partial<Pick<JournalEntry, 'zone' | 'updateDomain' | 'toVersion' | 'detail' | 'error' | 'observed'>>;

/** A line of the journal about an attempt as a whole, in the transaction of what it tells of (rule E4). */
export async function journalAttempt(tx: Tx, row: AttemptRow, line: Line): Promise<void> {
  await appendJournal(tx, [
    {
      scaleSetId: row.scale_set_id,
      instanceId: '',
      region: row.region,
      zone: null,
      updateDomain: null,
      rolloutId: row.rollout_id,
      attemptId: row.id,
      fromVersion: null,
      toVersion: fromJson(row.target).version,
      detail: null,
      error: null,
      ...line,
    },
  ]);
}
