import type { Transaction } from 'kysely';
import type { Database } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import type { Instant } from '../../domain/clock.ts';
import { scaleSetKey } from '../../domain/scale-set.ts';
import { modelCapacity } from '../model.ts';
import type { Json } from '../wire-shape.ts';
import { loadSet, renewTag, setLock, settleDue } from './store.ts';

/** Removes a set and its instances. Its journal stays, and says what had happened to them by then. */
export async function deleteScaleSet(database: Database, id: string, at: Instant): Promise<void> {
  const key = scaleSetKey(id);
  await database.write([setLock(key)], async (tx) => {
    await removeInstances(tx, id, 'all', at);
    await tx.deleteFrom('instance_operations').where('scale_set_key', '=', key).execute();
    await tx.deleteFrom('scale_sets').where('key', '=', key).execute();
  });
}

/** Removes instances; the model's capacity follows. Those that are not there are passed over. */
export async function deleteInstances(
  database: Database,
  id: string,
  instanceIds: readonly string[],
  at: Instant,
): Promise<void> {
  const key = scaleSetKey(id);
  await database.write([setLock(key)], async (tx) => {
    const row = await tx.selectFrom('scale_sets').select('arm').where('key', '=', key).executeTakeFirst();
    if (row === undefined) return;
    const arm = JSON.parse(row.arm) as Json;
    const capacity = modelCapacity(arm) - (await removeInstances(tx, id, instanceIds, at));
    const resized = { ...arm, sku: { ...(arm['sku'] as Json), capacity } };
    await tx
      .updateTable('scale_sets')
      .set({ arm: JSON.stringify(resized) })
      .where('key', '=', key)
      .execute();
  });
}

/**
 * Removes instances of a set, in its transaction. First everything happens that was planned by then, so that the journal
 * tells of it: nobody could later.
 * @returns how many there were
 */
export async function removeInstances(
  tx: Transaction<Tables>,
  id: string,
  instanceIds: readonly string[] | 'all',
  at: Instant,
): Promise<number> {
  const set = await loadSet(tx, id);
  if (set === null || instanceIds.length === 0) return 0;
  await settleDue(tx, set, at);
  await keepNumbers(tx, set.key);
  let removal = tx.deleteFrom('instances').where('scale_set_key', '=', set.key);
  if (instanceIds !== 'all') removal = removal.where('instance_id', 'in', [...instanceIds]);
  await renewTag(tx, set.key);
  return Number((await removal.executeTakeFirst()).numDeletedRows);
}

/**
 * The number of a set's next instance. None is given twice, not even when the set is deleted and made again, where Azure
 * begins at 0: whoever remembers instances by their ids, as the ledger does, must never take one for another.
 */
export async function nextNumber(tx: Transaction<Tables>, key: string): Promise<number> {
  const kept = await tx
    .selectFrom('instance_numbers')
    .select('next_number')
    .where('scale_set_key', '=', key)
    .executeTakeFirst();
  const { last } = await tx
    .selectFrom('instances')
    .select((eb) => eb.fn.max('position').as('last'))
    .where('scale_set_key', '=', key)
    .executeTakeFirstOrThrow();
  return Math.max(kept?.next_number ?? 0, (last ?? -1) + 1);
}

/** Numbers follow from the instances that there are; before some of them go, they have to be kept. */
async function keepNumbers(tx: Transaction<Tables>, key: string): Promise<void> {
  const row = { scale_set_key: key, next_number: await nextNumber(tx, key) };
  await tx
    .insertInto('instance_numbers')
    .values(row)
    .onConflict((conflict) => conflict.column('scale_set_key').doUpdateSet(row))
    .execute();
}
