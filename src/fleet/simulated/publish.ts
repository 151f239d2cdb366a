import type { Transaction } from 'kysely';
import type { Database, Queries } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import type { Instant } from '../../domain/clock.ts';
import {
  imageKey,
  imageLabel,
  isVersion,
  type GalleryImage,
  type Image,
  type PlatformImage,
} from '../../domain/image.ts';
import { normaliseRegionName } from '../../domain/region.ts';

/** A version cannot be published; the message says why and what to do. */
export class PublishError extends Error {
  override readonly name = 'PublishError';
  readonly code: 'InvalidVersion' | 'ImageNotFound' | 'RegionNotFound';

  constructor(code: PublishError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export interface Published {
  /** `existed`: it was published before, and nothing has changed. */
  kind: 'published' | 'existed';
  publishedAt: Instant;
}

/**
 * Publishes a version of a platform image, in all regions at once.
 * @throws PublishError when the version is malformed or the image unknown
 */
export async function publishImageVersion(
  database: Database,
  { image, version, at }: { image: PlatformImage; version: string; at: Instant },
): Promise<Published> {
  checkVersion(version, '22.04.202512050');
  return database.write(['catalog'], async (tx) => {
    const key = imageKey(image);
    const known = await readImages(tx);
    if (!known.some((candidate) => imageKey(candidate) === key)) {
      throw new PublishError('ImageNotFound', unknownImage(image, known));
    }
    return insertVersion(tx, key, version, at, false);
  });
}

/** Where a gallery version goes. */
export interface TargetRegion {
  /** `eastus` or `East US`. */
  name: string;
  /** When it is replicated there; null: that fails. */
  replicatedAt: Instant | null;
  excludeFromLatest?: boolean;
}

export interface GalleryVersion {
  /** ARM id of the image definition. It is added to the catalog if it is new. */
  imageId: string;
  version: string;
  at: Instant;
  targetRegions: TargetRegion[];
  excludeFromLatest?: boolean;
}

/**
 * Publishes a version of a gallery image; once more, it changes its target regions and what is excluded (rule C3).
 * @throws PublishError when the version is malformed or a region unknown
 */
export async function publishGalleryVersion(
  database: Database,
  { imageId, version, at, targetRegions, excludeFromLatest = false }: GalleryVersion,
): Promise<Published> {
  checkVersion(version, '1.2.3');
  const image: GalleryImage = { kind: 'gallery', id: imageId };
  const key = imageKey(image);
  return database.write(['catalog'], async (tx) => {
    const regions = await tx.selectFrom('regions').select('name').execute();
    for (const { name } of targetRegions) {
      if (!regions.some((region) => region.name === normaliseRegionName(name))) {
        throw new PublishError('RegionNotFound', `There is no region "${name}" in this fleet.`);
      }
    }
    await tx
      .insertInto('images')
      .values({ key, image: JSON.stringify(image) })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .execute();
    const published = await insertVersion(tx, key, version, at, excludeFromLatest);
    for (const target of targetRegions) await putReplica(tx, key, version, target);
    return published;
  });
}

/** Every image of the catalog. */
export async function readImages(db: Queries): Promise<Image[]> {
  const rows = await db.selectFrom('images').select('image').orderBy('key').execute();
  return rows.map(({ image }) => JSON.parse(image) as Image);
}

function checkVersion(version: string, example: string): void {
  if (isVersion(version)) return;
  throw new PublishError(
    'InvalidVersion',
    `"${version}" is no version: give groups of digits with dots between them, such as ${example}.`,
  );
}

async function insertVersion(
  tx: Transaction<Tables>,
  key: string,
  version: string,
  at: Instant,
  excludeFromLatest: boolean,
): Promise<Published> {
  const row = { published_at: at, exclude_from_latest: excludeFromLatest ? 1 : 0 };
  const there = await tx
    .selectFrom('image_versions')
    .select('published_at')
    .where('image_key', '=', key)
    .where('version', '=', version)
    .executeTakeFirst();
  if (there !== undefined) {
    await tx
      .updateTable('image_versions')
      .set({ exclude_from_latest: row.exclude_from_latest })
      .where('image_key', '=', key)
      .where('version', '=', version)
      .execute();
    return { kind: 'existed', publishedAt: there.published_at };
  }
  await tx
    .insertInto('image_versions')
    .values({ image_key: key, version, ...row })
    .execute();
  return { kind: 'published', publishedAt: at };
}

async function putReplica(
  tx: Transaction<Tables>,
  key: string,
  version: string,
  { name, replicatedAt, excludeFromLatest }: TargetRegion,
): Promise<void> {
  const state = { replicated_at: replicatedAt, exclude_from_latest: excludeFromLatest ? 1 : 0 };
  await tx
    .insertInto('image_replicas')
    .values({ image_key: key, version, region: normaliseRegionName(name), ...state })
    .onConflict((conflict) => conflict.columns(['image_key', 'version', 'region']).doUpdateSet(state))
    .execute();
}

function unknownImage(image: PlatformImage, known: readonly Image[]): string {
  const near = known
    .filter((candidate) => candidate.kind === 'platform')
    .map((candidate) => ({ label: imageLabel(candidate), distance: distance(candidate, image) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ label }) => label);
  const hint =
    near.length > 0 ? `Nearest to it: ${near.join(', ')}.` : 'The catalog has no platform image yet.';
  return `There is no image ${imageLabel(image)} in the fleet's catalog. ${hint}`;
}

/** How unlike two images are: letters to change, add or drop in their keys. */
function distance(a: Image, b: Image): number {
  const from = imageKey(a);
  const to = imageKey(b);
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
