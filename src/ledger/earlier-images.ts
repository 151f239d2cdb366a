import type { Database } from '../database/database.ts';
import type { EarlierImage } from './port.ts';
import { fromJson, fromJsonOrNull, keyOf } from './rows.ts';

/** Changes that are themselves a way back say nothing about what was good before. */
const WAYS_BACK = ['revert', 'repair'];

/** What a set's instances ran before each change of their image, newest first: recorded before anything was changed. */
export async function earlierImages(database: Database, scaleSetId: string): Promise<EarlierImage[]> {
  const rows = await database.db
    .selectFrom('batch_instances')
    .innerJoin('attempts', 'attempts.id', 'batch_instances.attempt_id')
    .innerJoin('batches', (join) =>
      join
        .onRef('batches.attempt_id', '=', 'batch_instances.attempt_id')
        .onRef('batches.number', '=', 'batch_instances.batch'),
    )
    .select([
      'batch_instances.instance_id',
      'batch_instances.attempt_id',
      'batch_instances.from_version',
      'batch_instances.was_healthy',
      'batches.to_version',
      'attempts.target',
    ])
    .where('attempts.scale_set_key', '=', keyOf(scaleSetId))
    .where('attempts.kind', 'not in', WAYS_BACK)
    .orderBy('attempts.number', 'desc')
    .orderBy('batch_instances.batch')
    .orderBy('batch_instances.position')
    .execute();
  return rows.map((row) => ({
    instanceId: row.instance_id,
    attemptId: row.attempt_id,
    from: fromJsonOrNull(row.from_version),
    to: row.to_version === null ? fromJson(row.target) : fromJson(row.to_version),
    wasHealthy: row.was_healthy === 1,
  }));
}
