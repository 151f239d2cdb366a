import type { Instant } from '../domain/clock.ts';
import { imageKey, imageLabel, latestVersion, type Image } from '../domain/image.ts';
import type { CatalogImage, CatalogVersion, SimulatedFleet } from '../fleet/index.ts';
import { currentInstant, type ClientContext } from './context.ts';
import { UsageError } from './errors.ts';
import { parseImage } from './target.ts';

/** The images of a fleet, and what of them regions offer now (rules A5, E3). */
export interface ImageCatalog {
  now: Instant;
  images: ImageSummary[];
}

export interface ImageSummary {
  image: string;
  kind: 'platform' | 'gallery';
  /** How many scale sets use it. */
  scaleSets: number;
  /** Newest first. */
  versions: VersionSummary[];
}

export interface VersionSummary {
  version: string;
  publishedAt: Instant;
  offers: VersionOffer[];
}

/** `offered` now; `pending`: it is published, or replicated, later; `failed`: its replication did. */
export type OfferState = 'offered' | 'pending' | 'failed';

/** How a version stands in a region; of a platform image in all of them at once. */
export interface VersionOffer {
  /** Null: all regions. */
  region: string | null;
  state: OfferState;
  /** Since when, or from when on, it is offered; null if it will not be. */
  since: Instant | null;
  /** `latest` is this version there. */
  isLatest: boolean;
  /** The gallery keeps it out of `latest` there (rule C3). */
  excludedFromLatest: boolean;
}

type CatalogContext = ClientContext & { fleet: SimulatedFleet };

/**
 * Every version of every image, or of one, with where it is offered.
 * @throws UsageError for an image that the fleet does not know
 */
export async function viewImages(context: CatalogContext, wanted?: string): Promise<ImageCatalog> {
  const { fleet } = context;
  const [now, catalog, scaleSets] = await Promise.all([
    currentInstant(context),
    fleet.catalog(),
    fleet.scaleSets(),
  ]);
  const chosen = wanted === undefined ? catalog : chooseImage(catalog, wanted);
  const users = (key: string) => scaleSets.filter((set) => imageKey(set.imageReference.image) === key).length;
  return {
    now,
    images: chosen.map(({ image, versions }) => ({
      image: nameOf(image),
      kind: image.kind,
      scaleSets: users(imageKey(image)),
      versions: summariesOf(versions, now),
    })),
  };
}

function chooseImage(catalog: readonly CatalogImage[], wanted: string): CatalogImage[] {
  const key = imageKey(parseImage(wanted));
  const found = catalog.filter(({ image }) => imageKey(image) === key);
  if (found.length > 0) return found;
  const known = catalog.map(({ image }) => `\n  ${nameOf(image)}`).join('');
  throw new UsageError(`The fleet knows no image "${wanted}". It knows:${known || ' none'}`);
}

/** As commands take it. */
function nameOf(image: Image): string {
  return image.kind === 'gallery' ? image.id : imageLabel(image);
}

function summariesOf(versions: readonly CatalogVersion[], now: Instant): VersionSummary[] {
  const all = versions.map((one) => ({
    version: one.version,
    publishedAt: one.publishedAt,
    offers: offersOf(one, now),
  }));
  for (const region of new Set(all.flatMap(({ offers }) => offers.map((offer) => offer.region)))) {
    const isThere = (offer: VersionOffer) => offer.region === region && offer.state === 'offered';
    const candidates = all.filter(({ offers }) =>
      offers.some((one) => isThere(one) && !one.excludedFromLatest),
    );
    const latest = latestVersion(candidates.map(({ version }) => version));
    for (const { version, offers } of candidates) {
      for (const offer of offers) if (isThere(offer)) offer.isLatest = version === latest;
    }
  }
  return all;
}

function offersOf(
  { publishedAt, excludedFromLatest, replicas }: CatalogVersion,
  now: Instant,
): VersionOffer[] {
  const everywhere = { region: null, replicatedAt: publishedAt, excludedFromLatest };
  return (replicas ?? [everywhere]).map(({ region, replicatedAt, excludedFromLatest: here }) => {
    const since = replicatedAt === null ? null : Math.max(replicatedAt, publishedAt);
    const state = since === null ? 'failed' : since <= now ? 'offered' : 'pending';
    return { region, state, since, isLatest: false, excludedFromLatest: excludedFromLatest || here };
  });
}
