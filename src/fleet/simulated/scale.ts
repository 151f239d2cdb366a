import type { Transaction } from 'kysely';
import type { Queries } from '../../database/database.ts';
import { insertRows } from '../../database/insert-rows.ts';
import type { Tables } from '../../database/tables.ts';
import type { Instant } from '../../domain/clock.ts';
import { imageKey, latestVersion, type ImageVersion } from '../../domain/image.ts';
import { scaleSetKey, type ScaleSet } from '../../domain/scale-set.ts';
import { ModelError } from '../model-error.ts';
import { newInstanceRow, nextPlace, runningState } from './build-instances.ts';
import { imageOffers } from './images.ts';
import { nextNumber, removeInstances } from './remove-instances.ts';
import { renewTag } from './store.ts';

/** Adds instances on the version that the model asks for, or removes the last ones. */
export async function scale(
  tx: Transaction<Tables>,
  scaleSet: ScaleSet,
  capacity: number,
  at: Instant,
): Promise<void> {
  const key = scaleSetKey(scaleSet.id);
  const there = await tx
    .selectFrom('instances')
    .select(['instance_id', 'zone'])
    .where('scale_set_key', '=', key)
    .orderBy('position')
    .execute();
  if (capacity < there.length) {
    const last = there.slice(capacity).map(({ instance_id }) => instance_id);
    await removeInstances(tx, scaleSet.id, last, at);
  }
  if (capacity <= there.length) return;
  const version = await versionFor(tx, scaleSet, at);
  const counts = new Map<string | null, number>();
  for (const { zone } of there) counts.set(zone, (counts.get(zone) ?? 0) + 1);
  const first = await nextNumber(tx, key);
  const rows = Array.from({ length: capacity - there.length }, (_, i) => {
    const id = String(first + i);
    return newInstanceRow(
      scaleSet,
      nextPlace(scaleSet, id, counts),
      runningState(scaleSet, id, version, at),
      first + i,
    );
  });
  await insertRows(tx, 'instances', rows);
  await renewTag(tx, key);
}

/** The exact version that new instances get. @throws ModelError where the region offers none */
export async function versionFor(tx: Queries, scaleSet: ScaleSet, at: Instant): Promise<ImageVersion> {
  const { image, version } = scaleSet.imageReference;
  if (version.toLowerCase() !== 'latest') return { image, version };
  const offers = await imageOffers(tx, image, scaleSet.region, at);
  const latest = latestVersion(
    offers.filter((offer) => !offer.excludedFromLatest).map((offer) => offer.version),
  );
  if (latest !== undefined) return { image, version: latest };
  throw new ModelError(`scale set "${scaleSet.name}"`, [
    {
      code: 'PlatformImageNotFound',
      target: 'imageReference',
      message: `The image '${imageKey(image)}' has no version in ${scaleSet.region}. Publish one, or name another image.`,
    },
  ]);
}
