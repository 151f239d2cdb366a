import { compareVersions } from './image.ts';

/** Who starts what is picked up: it stands in the records in a person's place. */
export const IMAGE_WATCH = 'imageWatch';

/** A region with scale sets that are behind the version that counts there, and how many instances these have. */
export interface RegionBehind {
  region: string;
  /** The newest version that the region offers and that nobody holds back. */
  version: string;
  instances: number;
}

/** An automatic rollout of the image that has not ended. */
export interface OpenRollout {
  rolloutId: string;
  version: string;
  regions: readonly string[];
}

/** What is to be done about one image. */
export interface PickUp {
  starts: { version: string; regions: RegionBehind[] }[];
  /** Rollouts that a newer version takes the place of: everywhere (null), or in these regions. */
  supersedes: { rolloutId: string; by: string; regions: string[] | null }[];
}

/**
 * Which rollouts of an image are due (rules D1, D5 to D7). A platform image has one rollout at a time: a newer version
 * supersedes it, and sets that are left behind wait for its end. Of a gallery image each region goes by itself, by the newest version
 * that is there.
 */
export function pickUp(
  kind: 'platform' | 'gallery',
  behind: readonly RegionBehind[],
  open: readonly OpenRollout[],
): PickUp {
  return kind === 'platform' ? pickUpPlatform(behind, open) : pickUpGallery(behind, open);
}

function pickUpPlatform(behind: readonly RegionBehind[], open: readonly OpenRollout[]): PickUp {
  const [newest] = behind.map(({ version }) => version).toSorted((a, b) => compareVersions(b, a));
  if (newest === undefined || open.some(({ version }) => compareVersions(version, newest) >= 0))
    return { starts: [], supersedes: [] };
  const regions = behind.filter(({ version }) => compareVersions(version, newest) === 0);
  return {
    starts: [{ version: newest, regions }],
    supersedes: open.map(({ rolloutId }) => ({ rolloutId, by: newest, regions: null })),
  };
}

function pickUpGallery(behind: readonly RegionBehind[], open: readonly OpenRollout[]): PickUp {
  const due = behind.filter(({ region, version }) =>
    open.every((one) => !one.regions.includes(region) || compareVersions(one.version, version) < 0),
  );
  const versions = [...new Set(due.map(({ version }) => version))].toSorted(compareVersions);
  const supersedes = open.flatMap(({ rolloutId, regions }) =>
    versions.flatMap((by) => {
      const taken = due.filter((one) => one.version === by && regions.includes(one.region));
      return taken.length === 0 ? [] : [{ rolloutId, by, regions: taken.map(({ region }) => region) }];
    }),
  );
  const starts = versions.map((version) => ({
    version,
    regions: due.filter((one) => one.version === version),
  }));
  return { starts, supersedes };
}
