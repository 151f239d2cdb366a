import type { Queries } from '../../database/database.ts';
import type { Instant } from '../../domain/clock.ts';
import { compareVersions, imageKey, type Image } from '../../domain/image.ts';
import { readImages } from './publish.ts';

/** An image with every version that was published, or will be (rule A5). */
export interface CatalogImage {
  image: Image;
  /** Newest first. */
  versions: CatalogVersion[];
}

export interface CatalogVersion {
  version: string;
  publishedAt: Instant;
  /** Kept out of `latest` in all regions (rule C3). */
  excludedFromLatest: boolean;
  /** Where a gallery version is, or will be, by region; null of a platform version, which is everywhere. */
  replicas: Replica[] | null;
}

export interface Replica {
  region: string;
  /** Replication is complete from then on; null when it failed. */
  replicatedAt: Instant | null;
  excludedFromLatest: boolean;
}

/** The whole catalog: what regions offer of it at a moment is `imageOffers`'s to say. */
export async function readCatalog(db: Queries): Promise<CatalogImage[]> {
  const [images, versions, replicas] = await Promise.all([
    readImages(db),
    db.selectFrom('image_versions').selectAll().execute(),
    db.selectFrom('image_replicas').selectAll().orderBy('region').execute(),
  ]);
  const replicasOf = (key: string, version: string): Replica[] =>
    replicas
      .filter((replica) => replica.image_key === key && replica.version === version)
      .map(({ region, replicated_at: replicatedAt, exclude_from_latest: excluded }) => {
        return { region, replicatedAt, excludedFromLatest: excluded === 1 };
      });
  return images.map((image) => {
    const key = imageKey(image);
    const own = versions
      .filter((row) => row.image_key === key)
      .map(({ version, published_at: publishedAt, exclude_from_latest: excluded }) => ({
        version,
        publishedAt,
        excludedFromLatest: excluded === 1,
        replicas: image.kind === 'platform' ? null : replicasOf(key, version),
      }));
    return { image, versions: own.toSorted((a, b) => compareVersions(b.version, a.version)) };
  });
}
