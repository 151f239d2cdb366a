import type { Transaction } from 'kysely';
import type { Tables } from '../../database/tables.ts';
import type { Instant } from '../../domain/clock.ts';
import { imageKey } from '../../domain/image.ts';
import type { ScaleSet } from '../../domain/scale-set.ts';
import type { InstanceState } from './state.ts';
import type { InstanceRow } from './store.ts';

/** The images that the sets use, and the versions that their instances run, so that a next one can be published. */
export async function addToCatalog(
  tx: Transaction<Tables>,
  sets: readonly ScaleSet[],
  rows: readonly InstanceRow[],
  at: Instant,
): Promise<void> {
  const images = new Map(sets.map(({ imageReference: { image } }) => [imageKey(image), image]));
  const versions = new Map<string, { image_key: string; version: string }>();
  for (const row of rows) {
    const source = (JSON.parse(row.state) as InstanceState).osDisk?.source;
    if (!source || source.image.kind !== 'platform') continue;
    const key = imageKey(source.image);
    images.set(key, images.get(key) ?? source.image);
    versions.set(`${key}@${source.version}`, { image_key: key, version: source.version });
  }
  for (const [key, image] of images) {
    await tx
      .insertInto('images')
      .values({ key, image: JSON.stringify(image) })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .execute();
  }
  for (const version of versions.values()) {
    await tx
      .insertInto('image_versions')
      .values({ ...version, published_at: at, exclude_from_latest: 0 })
      .onConflict((conflict) => conflict.columns(['image_key', 'version']).doNothing())
      .execute();
  }
}
