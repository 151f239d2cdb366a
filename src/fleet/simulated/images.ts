import type { Queries } from '../../database/database.ts';
import type { Instant } from '../../domain/clock.ts';
import { compareVersions, imageKey, type Image } from '../../domain/image.ts';
import type { ImageOffer } from '../port.ts';

/** Rule E3: versions that a region offers at `at`, newest first. A gallery's must be replicated there (rule C3). */
export async function imageOffers(
  db: Queries,
  image: Image,
  region: string,
  at: Instant,
): Promise<ImageOffer[]> {
  const key = imageKey(image);
  const offers =
    image.kind === 'platform'
      ? await platformOffers(db, key, region, at)
      : await galleryOffers(db, key, region, at);
  return offers.toSorted((a, b) => compareVersions(b.version, a.version));
}

async function platformOffers(db: Queries, key: string, region: string, at: Instant): Promise<ImageOffer[]> {
  const rows = await db
    .selectFrom('image_versions')
    .innerJoin('regions', (join) => join.on('regions.name', '=', region))
    .select(['version', 'published_at'])
    .where('image_key', '=', key)
    .where('published_at', '<=', at)
    .execute();
  return rows.map((row) => ({
    version: row.version,
    publishedAt: row.published_at,
    excludedFromLatest: false,
  }));
}

async function galleryOffers(db: Queries, key: string, region: string, at: Instant): Promise<ImageOffer[]> {
  const rows = await db
    .selectFrom('image_versions as v')
    .innerJoin('image_replicas as r', (join) =>
      join
        .onRef('r.image_key', '=', 'v.image_key')
        .onRef('r.version', '=', 'v.version')
        .on('r.region', '=', region),
    )
    .select([
      'v.version',
      'v.published_at',
      'v.exclude_from_latest as everywhere',
      'r.exclude_from_latest as here',
    ])
    .where('v.image_key', '=', key)
    .where('v.published_at', '<=', at)
    .where('r.replicated_at', '<=', at)
    .execute();
  return rows.map((row) => ({
    version: row.version,
    publishedAt: row.published_at,
    excludedFromLatest: row.everywhere === 1 || row.here === 1,
  }));
}
