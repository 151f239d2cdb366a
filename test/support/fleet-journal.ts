import type { Database } from '../../src/database/database.ts';
import { journalKeysOf } from '../../src/database/journal.ts';
import { EPOCH } from './fleet.ts';

/** The journal of a set, in the order of recording, each line as a person would say it: seconds since `EPOCH` first. */
export async function journalOf(database: Database, scaleSetId: string): Promise<string[]> {
  const rows = await database.db
    .selectFrom('journal')
    .selectAll()
    .where('scale_set_key', 'in', journalKeysOf(scaleSetId))
    .orderBy('seq')
    .execute();
  return rows.map((row) =>
    [
      `${(row.at - EPOCH) / 1000}s`,
      row.instance_id,
      row.operation,
      ...(row.detail === null ? [] : [row.detail]),
      row.event,
      `${row.from_version ?? '-'}>${row.to_version ?? '-'}`,
      ...(row.error === null ? [] : [row.error]),
    ].join(' '),
  );
}
