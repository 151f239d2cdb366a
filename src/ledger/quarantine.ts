import type { Database } from '../database/database.ts';
import { failureReason } from '../domain/operation.ts';
import type { EndedInstance, Quarantine, QuarantinedInstance } from './port.ts';
import type { AttemptRow } from './attempt-rows.ts';
import { keyOf, type Tx } from './rows.ts';

/** Instances whose restore failed, kept until they are repaired or gone (ours). */
export function quarantineOn(database: Database): Quarantine {
  return {
    list: (filter) => list(database, filter ?? {}),
    release: (scaleSetId, instanceIds, at, by) => release(database, scaleSetId, instanceIds, at, by),
  };
}

/** In the transaction that records the outcomes, so that none is forgotten. One that is in it already stays since then. */
export async function quarantineFailedRestores(
  tx: Tx,
  attempt: Pick<AttemptRow, 'id' | 'scale_set_key' | 'scale_set_id'>,
  outcomes: readonly EndedInstance[],
  at: number,
): Promise<void> {
  for (const ended of outcomes.filter(({ outcome }) => outcome === 'restoreFailed')) {
    const { instanceId } = ended;
    const open = await tx
      .selectFrom('quarantine')
      .select('attempt_id')
      .where('scale_set_key', '=', attempt.scale_set_key)
      .where('instance_key', '=', keyOf(instanceId))
      .where('released_at', 'is', null)
      .executeTakeFirst();
    if (open !== undefined) continue;
    await tx
      .insertInto('quarantine')
      .values({
        scale_set_key: attempt.scale_set_key,
        scale_set_id: attempt.scale_set_id,
        instance_key: keyOf(instanceId),
        instance_id: instanceId,
        attempt_id: attempt.id,
        since: at,
        error: failureReason(ended) ?? 'The restore of its OS disk failed.',
        released_at: null,
        released_by: null,
      })
      .onConflict((conflict) => conflict.columns(['scale_set_key', 'instance_key', 'attempt_id']).doNothing())
      .execute();
  }
}

async function list(database: Database, filter: { scaleSetId?: string }): Promise<QuarantinedInstance[]> {
  let query = database.db
    .selectFrom('quarantine')
    .selectAll()
    .where('released_at', 'is', null)
    .orderBy('since')
    .orderBy('scale_set_key')
    .orderBy('instance_key');
  if (filter.scaleSetId !== undefined) query = query.where('scale_set_key', '=', keyOf(filter.scaleSetId));
  return (await query.execute()).map((row) => ({
    scaleSetId: row.scale_set_id,
    instanceId: row.instance_id,
    attemptId: row.attempt_id,
    since: row.since,
    error: row.error,
  }));
}

async function release(
  database: Database,
  scaleSetId: string,
  instanceIds: readonly string[],
  at: number,
  by: string,
): Promise<void> {
  if (instanceIds.length === 0) return;
  await database.write([`quarantine:${keyOf(scaleSetId)}`], async (tx) => {
    await tx
      .updateTable('quarantine')
      .set({ released_at: at, released_by: by })
      .where('scale_set_key', '=', keyOf(scaleSetId))
      .where('instance_key', 'in', instanceIds.map(keyOf))
      .where('released_at', 'is', null)
      .execute();
  });
}
