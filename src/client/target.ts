import type { Instant } from '../domain/clock.ts';
import {
  compareVersions,
  imageKey,
  imageLabel,
  isGalleryImageId,
  isVersion,
  latestVersion,
  type Image,
  type ImageVersion,
} from '../domain/image.ts';
import type { Region } from '../domain/region.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import type { ImageOffer } from '../fleet/port.ts';
import type { ClientContext } from './context.ts';
import { UsageError } from './errors.ts';

/**
 * An image as people write it: `publisher:offer:sku`, or the ARM id of an image in a gallery.
 * @throws UsageError
 */
export function parseImage(text: string): Image {
  const written = text.trim();
  if (/\/versions\/[^/]+$/i.test(written)) {
    throw new UsageError(
      `The image "${text}" ends in a version. Give the version as an argument of its own.`,
    );
  }
  if (isGalleryImageId(written)) return { kind: 'gallery', id: written };
  const parts = written.split(':');
  if (parts.length === 4 && parts.every((part) => part !== '')) {
    throw new UsageError(
      `The image "${text}" has four parts. Give publisher:offer:sku, and the version as an argument of its own.`,
    );
  }
  const [publisher = '', offer = '', sku = ''] = parts;
  if (parts.length !== 3 || parts.some((part) => part === '' || /[\s/]/.test(part))) {
    throw new UsageError(
      `"${text}" is no image. Give publisher:offer:sku, such as Canonical:0001-com-ubuntu-server-jammy:22_04-lts, or the ARM id of a gallery image.`,
    );
  }
  return { kind: 'platform', publisher, offer, sku };
}

/** An image with the scale sets that use it, and what each of their regions offers of it. */
export interface ImageInFleet {
  image: Image;
  scaleSets: ScaleSet[];
  /** All regions of the fleet. */
  allRegions: Region[];
  /** By region: of the regions that have such scale sets. */
  offers: ReadonlyMap<string, ImageOffer[]>;
}

/**
 * Looks an image up in the fleet.
 * @throws UsageError when no scale set uses it; it names those that are used
 */
export async function findImage(context: ClientContext, wanted: Image, at: Instant): Promise<ImageInFleet> {
  const { fleet } = context;
  const [scaleSets, allRegions] = await Promise.all([fleet.scaleSets({ image: wanted }), fleet.regions()]);
  const first = scaleSets[0];
  if (first === undefined) throw new UsageError(await unusedImage(context, wanted));
  // As the models spell it: people type it in any case.
  const { image } = first.imageReference;
  const regions = [...new Set(scaleSets.map((set) => set.region))].toSorted();
  const offers = new Map<string, ImageOffer[]>();
  for (const region of regions) offers.set(region, await fleet.imageOffers(image, region, at));
  return { image, scaleSets, allRegions, offers };
}

async function unusedImage({ fleet }: ClientContext, image: Image): Promise<string> {
  const used = new Map(
    (await fleet.scaleSets()).map(({ imageReference }) => [
      imageKey(imageReference.image),
      imageReference.image,
    ]),
  );
  if (used.size === 0)
    return 'The fleet is empty. Fill it by `rollouts fleet seed` or `rollouts fleet import`.';
  const names = [...used.values()].map((each) => `  ${imageLabel(each)}`).toSorted();
  return `No scale set of this fleet uses ${imageLabel(image)}. Images in use:\n${names.join('\n')}`;
}

/**
 * The version to roll out: the one asked for, else the newest that is not kept out of `latest` (rules A5, C3).
 * @throws UsageError when no region offers it
 */
export function chooseVersion({ image, offers }: ImageInFleet, wanted?: string): ImageVersion {
  const all = [...offers.values()].flat();
  const newest = newestVersion(all);
  if (wanted === undefined || wanted.toLowerCase() === 'latest') {
    if (newest !== undefined) return { image, version: newest };
    if (image.kind === 'gallery' && !isGalleryImageId(image.id)) {
      throw new UsageError(
        `${image.id} is not from an Azure Compute Gallery, and other custom images are not rolled out (rule C2).`,
      );
    }
    throw new UsageError(
      `No region offers a version of ${imageLabel(image)}. Publish one by \`rollouts publish ${image.kind === 'gallery' ? image.id : imageLabel(image)} <version>\`.`,
    );
  }
  if (!isVersion(wanted)) {
    throw new UsageError(
      `"${wanted}" is no image version. Give numbers with dots between, such as 22.4.20260101.`,
    );
  }
  const offered = all.find((offer) => offer.version === wanted);
  if (offered !== undefined) return { image, version: wanted };
  const newestFirst = [...new Set(all.map((offer) => offer.version))].toSorted((a, b) =>
    compareVersions(b, a),
  );
  const known = newestFirst.slice(0, 5).join(', ');
  throw new UsageError(
    `No region offers version ${wanted} of ${imageLabel(image)} now. Offered: ${known || 'none'}. ` +
      'Publish it by `rollouts publish`, or choose another.',
  );
}

/** What `latest` resolves to (rule A5). */
export function newestVersion(offers: readonly ImageOffer[]): string | undefined {
  return latestVersion(offers.filter((offer) => !offer.excludedFromLatest).map((offer) => offer.version));
}

/** A note where an upgrade would be about no VM. */
export const NOTHING_TO_UPGRADE = 'Every VM that may be upgraded runs this version already.';

/** Most people expect the newest version: a note where another one is chosen. */
export function olderVersionNotes({ version }: ImageVersion, offers: readonly ImageOffer[]): string[] {
  const newest = newestVersion(offers);
  if (newest === undefined || compareVersions(newest, version) <= 0) return [];
  return [`${version} is not the newest version: ${newest} is offered.`];
}
