import type { Instant } from '../../domain/clock.ts';
import {
  compareVersions,
  imageKey,
  latestVersion,
  type Image,
  type ImageVersion,
} from '../../domain/image.ts';
import { normaliseRegionName } from '../../domain/region.ts';
import type { Instance, ScaleSet } from '../../domain/scale-set.ts';
import type { ImageOffer } from '../../fleet/port.ts';
import type { Attempt, Release } from '../../ledger/port.ts';
import type { ClientContext } from '../context.ts';
import { chooseVersion, newestVersion, parseImage } from '../target.ts';
import { unendedRollouts } from '../../activities/workflows-in-scope.ts';
import type { ExplainRequest, VersionSource } from './types.ts';

/** The version that an explanation is about. */
export interface ChosenTarget {
  target: ImageVersion;
  source: VersionSource;
  /** What each region offers of the image: the set's own, and those of other sets that use it. */
  offers: ReadonlyMap<string, ImageOffer[]>;
  /** Of the image, in the set's region. */
  releases: Release[];
}

/**
 * The version that is asked for; else what an attempt brings now; else the newest that was released in the set's region or is
 * being rolled out to it; else the newest that any region offers. One that the set has brought itself to is never passed over for
 * an older one.
 * @throws UsageError for an image or version that cannot be, or where there is no version at all
 */
export async function chooseTarget(
  context: ClientContext,
  scaleSet: ScaleSet,
  instances: readonly Instance[],
  open: Attempt | null,
  request: Pick<ExplainRequest, 'image' | 'version'>,
  at: Instant,
): Promise<ChosenTarget> {
  const image = request.image === undefined ? scaleSet.imageReference.image : parseImage(request.image);
  const [offers, releases] = await Promise.all([
    offersOf(context, image, scaleSet.region, at),
    context.ledger.phases.releases(image, scaleSet.region),
  ]);
  const choose = (wanted?: string) =>
    chooseVersion({ image, scaleSets: [scaleSet], allRegions: [], offers }, wanted);
  const choice = (version: string, source: VersionSource) => ({
    target: { image, version },
    source,
    offers,
    releases,
  });
  if (request.version !== undefined) return choice(choose(request.version).version, 'asked');
  const isOfImage = (version: ImageVersion) => imageKey(version.image) === imageKey(image);
  if (open?.kind === 'osUpgrade' && isOfImage(open.target)) return choice(open.target.version, 'underWay');
  const installed = latestVersion(
    instances.flatMap(({ osDisk }) => (osDisk && isOfImage(osDisk.source) ? [osDisk.source.version] : [])),
  );
  const coming = await comingTo(context, scaleSet.region, image);
  const released = latestVersion([...releases.map((release) => release.version), ...coming]);
  const offered = newestVersion([...offers.values()].flat());
  const newest = released ?? offered;
  if (newest === undefined || (installed !== undefined && compareVersions(installed, newest) > 0)) {
    // Nobody offers any version: that is an error only where none is installed either.
    return choice(installed ?? choose().version, 'installed');
  }
  return choice(newest, released === undefined ? 'offered' : 'released');
}

async function offersOf(
  { fleet }: ClientContext,
  image: Image,
  own: string,
  at: Instant,
): Promise<Map<string, ImageOffer[]>> {
  const regions = new Set([own, ...(await fleet.scaleSets({ image })).map((set) => set.region)]);
  const offers = new Map<string, ImageOffer[]>();
  for (const region of regions) offers.set(region, await fleet.imageOffers(image, region, at));
  return offers;
}

/** Versions that rollouts bring to the region which have not ended, also where its phase is still to come. */
async function comingTo({ ledger }: ClientContext, region: string, image: Image): Promise<string[]> {
  return (await unendedRollouts(ledger))
    .filter(
      ({ action, target, phases }) =>
        action === 'osUpgrade' &&
        imageKey(target.image) === imageKey(image) &&
        phases.some((phase) => phase.regions.map(normaliseRegionName).includes(region)),
    )
    .map(({ target }) => target.version);
}
