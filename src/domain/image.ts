/** Images and their versions (rule A5). An image is known by its key; a version by key and version. */

/** A marketplace image: `latest` of it is chosen by the platform. */
export interface PlatformImage {
  kind: 'platform';
  publisher: string;
  offer: string;
  sku: string;
}

/** An image definition in an Azure Compute Gallery, by its ARM id (without `/versions/...`). */
export interface GalleryImage {
  kind: 'gallery';
  id: string;
}

export type Image = PlatformImage | GalleryImage;

/** One version of an image: what an OS disk was made from, and what a rollout moves instances to. */
export interface ImageVersion {
  image: Image;
  version: string;
}

/** What a scale set's model says: the image and `latest`, or an exact version. */
export interface ImageReference {
  image: Image;
  /** `latest` or an exact version. */
  version: string;
}

/** The image's identity as one lower-case text: `publisher:offer:sku`, or the gallery image's ARM id. */
export function imageKey(image: Image): string {
  return image.kind === 'platform'
    ? `${image.publisher}:${image.offer}:${image.sku}`.toLowerCase()
    : image.id.toLowerCase();
}

function sameImage(a: Image, b: Image): boolean {
  return a === b || imageKey(a) === imageKey(b);
}

/** True when both are the same version of the same image, ignoring case (rule B10). */
export function sameImageVersion(a: ImageVersion, b: ImageVersion): boolean {
  return compareVersions(a.version, b.version) === 0 && sameImage(a.image, b.image);
}

/** True when it is a later version of the same image. */
export function isNewerVersion(a: ImageVersion, than: ImageVersion): boolean {
  return imageKey(a.image) === imageKey(than.image) && compareVersions(a.version, than.version) > 0;
}

/**
 * Orders versions by their numeric parts, so that `1.10.0` is above `1.9.9`; missing parts count as 0 (rule A5).
 * @returns below 0, 0 or above 0, as `Array.prototype.sort` wants it
 */
export function compareVersions(a: string, b: string): number {
  // Every look compares every instance with the target.
  if (a === b) return 0;
  const left = a.split('.');
  const right = b.split('.');
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = compareParts(left[i] ?? '0', right[i] ?? '0');
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Parts can be longer than a double holds exactly (dates with times), hence BigInt. */
function compareParts(a: string, b: string): number {
  if (a === b) return 0;
  const left = BigInt(/^\d+$/.test(a) ? a : 0);
  const right = BigInt(/^\d+$/.test(b) ? b : 0);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** True for an image definition of a gallery, one's own or a shared one; other custom images are none (rule C2). */
export function isGalleryImageId(id: string): boolean {
  return /^(\/.+)?\/(galleries|sharedGalleries|communityGalleries)\/[^/]+\/images\/[^/]+$/i.test(id);
}

/** True for one to six dot-separated groups of digits, which is what every Azure image version looks like. */
export function isVersion(text: string): boolean {
  return text.length <= 64 && /^\d+(\.\d+){1,5}$/.test(text);
}

/** The highest version, or undefined of none (rule A5). */
export function latestVersion(versions: readonly string[]): string | undefined {
  return versions.reduce<string | undefined>(
    (best, next) => (best === undefined || compareVersions(next, best) > 0 ? next : best),
    undefined,
  );
}

/** How a person reads an image: `Canonical:0001-com-ubuntu-server-jammy:22_04-lts`, or the gallery image's name. */
export function imageLabel(image: Image): string {
  return image.kind === 'platform'
    ? `${image.publisher}:${image.offer}:${image.sku}`
    : image.id.split('/').slice(-3).join('/');
}
