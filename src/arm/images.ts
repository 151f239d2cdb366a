import type { FastifyInstance } from 'fastify';
import { virtualAt } from '../domain/clock.ts';
import { normaliseRegionName } from '../domain/region.ts';
import type { Fleet, ImageOffer } from '../fleet/port.ts';
import { ArmError } from './errors.ts';
import { queryValue } from './requests.ts';

interface Address {
  subscription: string;
  location: string;
  publisher: string;
  offer: string;
  sku: string;
}

const PATH =
  '/subscriptions/:subscription/providers/Microsoft.Compute/locations/:location' +
  '/publishers/:publisher/artifacttypes/vmimage/offers/:offer/skus/:sku/versions';

export interface ImageVersionResource {
  location: string;
  name: string;
  id: string;
}

/** The versions of a platform image that a region offers (rule E3): a bare array, as Azure answers. */
export function serveImageVersions(
  server: FastifyInstance,
  fleet: Pick<Fleet, 'clock' | 'regions' | 'imageOffers'>,
): void {
  server.get<{ Params: Address }>(PATH, async (request) => {
    const { publisher, offer, sku } = request.params;
    const region = normaliseRegionName(request.params.location);
    if (!(await fleet.regions()).some(({ name }) => name === region)) {
      throw new ArmError(404, 'LocationNotFound', `The fleet has no location '${request.params.location}'.`);
    }
    const now = virtualAt(await fleet.clock(), Date.now());
    const offers = await fleet.imageOffers({ kind: 'platform', publisher, offer, sku }, region, now);
    if (offers.length === 0) throw new ArmError(404, 'NotFound', 'Artifact: VMImage was not found.');
    const wanted = order(offers, queryValue(request, '$orderby')).slice(0, top(queryValue(request, '$top')));
    return wanted.map(({ version }) => imageVersion({ ...request.params, location: region }, version));
  });
}

function imageVersion(address: Address, version: string): ImageVersionResource {
  const { subscription, location, publisher, offer, sku } = address;
  const id =
    `/Subscriptions/${subscription}/Providers/Microsoft.Compute/Locations/${location}/Publishers/${publisher}` +
    `/ArtifactTypes/VMImage/Offers/${offer}/Skus/${sku}/Versions/${version}`;
  return { location, name: version, id };
}

/** Oldest first unless asked otherwise. The port hands them over newest first, by numeric parts (rule A5). */
function order(newestFirst: readonly ImageOffer[], orderBy = 'name asc'): readonly ImageOffer[] {
  const words = orderBy.trim().toLowerCase().split(/\s+/).join(' ');
  if (words === 'name desc') return newestFirst;
  if (words === 'name' || words === 'name asc') return newestFirst.toReversed();
  throw new ArmError(400, 'InvalidParameter', `$orderby is '${orderBy}': give 'name asc' or 'name desc'.`);
}

function top(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new ArmError(400, 'InvalidParameter', `$top is '${text}': give a whole number from 1.`);
}
