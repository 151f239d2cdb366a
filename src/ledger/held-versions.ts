import type { Database } from '../database/database.ts';
import { imageKey, type ImageVersion } from '../domain/image.ts';
import type { HeldVersion, HeldVersions } from './port.ts';
import { fromJson, keyOf, toJson } from './rows.ts';

/** Versions that are held back from a scale set (ours), or from the whole fleet (rule D7). */
export function heldVersionsOn(database: Database): HeldVersions {
  return {
    hold: (held) => hold(database, held),
    lift: (scaleSetId, version, at, by) => lift(database, scaleSetId, version, at, by),
    list: (filter) => list(database, filter ?? {}),
  };
}

/** No scale set has this key. */
const WHOLE_FLEET = '';

const setKeyOf = (scaleSetId: string | null) => (scaleSetId === null ? WHOLE_FLEET : keyOf(scaleSetId));

const lockOf = (scaleSetId: string | null) => `held-versions:${setKeyOf(scaleSetId)}`;

async function hold(database: Database, held: HeldVersion): Promise<void> {
  await database.write([lockOf(held.scaleSetId)], async (tx) => {
    const standing = await tx
      .selectFrom('held_versions')
      .select('since')
      .where('scale_set_key', '=', setKeyOf(held.scaleSetId))
      .where('image_key', '=', imageKey(held.version.image))
      .where('version', '=', held.version.version)
      .where('lifted_at', 'is', null)
      .executeTakeFirst();
    if (standing !== undefined) return;
    await tx
      .insertInto('held_versions')
      .values({
        scale_set_key: setKeyOf(held.scaleSetId),
        scale_set_id: held.scaleSetId ?? WHOLE_FLEET,
        image_key: imageKey(held.version.image),
        version: held.version.version,
        target: toJson(held.version),
        who: held.who,
        why: held.why,
        since: held.since,
        lifted_at: null,
        lifted_by: null,
      })
      .onConflict((conflict) =>
        conflict.columns(['scale_set_key', 'image_key', 'version', 'since']).doNothing(),
      )
      .execute();
  });
}

async function lift(
  database: Database,
  scaleSetId: string | null,
  version: ImageVersion,
  at: number,
  by: string,
): Promise<void> {
  await database.write([lockOf(scaleSetId)], async (tx) => {
    await tx
      .updateTable('held_versions')
      .set({ lifted_at: at, lifted_by: by })
      .where('scale_set_key', '=', setKeyOf(scaleSetId))
      .where('image_key', '=', imageKey(version.image))
      .where('version', '=', version.version)
      .where('lifted_at', 'is', null)
      .execute();
  });
}

async function list(database: Database, filter: { scaleSetId?: string | null }): Promise<HeldVersion[]> {
  let query = database.db
    .selectFrom('held_versions')
    .selectAll()
    .where('lifted_at', 'is', null)
    .orderBy('since')
    .orderBy('scale_set_key');
  if (filter.scaleSetId !== undefined) query = query.where('scale_set_key', '=', setKeyOf(filter.scaleSetId));
  return (await query.execute()).map((row) => ({
    scaleSetId: row.scale_set_key === WHOLE_FLEET ? null : row.scale_set_id,
    version: fromJson(row.target),
    who: row.who,
    why: row.why,
    since: row.since,
  }));
}
