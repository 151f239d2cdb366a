import type { Instant } from '../domain/clock.ts';
import { shortHash } from '../domain/random.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import { problemOf, type ExternalResource } from '../domain/surroundings.ts';
import { findResource, resourcePlace, resourceUrl } from '../fleet/index.ts';
import { currentInstant } from './context.ts';
import { UsageError } from './errors.ts';
import type { FleetChangeContext } from './fleet-changes.ts';
import { instantOf } from './fleet-setup.ts';

/** What extensions need from outside the fleet, as it is now. */
export interface ResourcesView {
  now: Instant;
  resources: ResourceSummary[];
}

export interface ResourceSummary extends ExternalResource {
  /** `refused`: a model names it with a token that nobody has given out. */
  state: 'ok' | 'expired' | 'gone' | 'refused';
  usedBy: { scaleSetId: string; name: string; extensions: string[] }[];
}

/** The external resources of the fleet, with the scale sets whose models name them (rules A1, B11, C8). */
export async function viewResources(context: FleetChangeContext): Promise<ResourcesView> {
  const now = await currentInstant(context);
  const listed = await context.fleet.externalResources();
  const scaleSets = await context.fleet.scaleSets();
  const known = listed.map((resource): ResourceSummary => ({
    ...resource,
    state: stateOf(resource, now),
    usedBy: usersOf(scaleSets, (url) => findResource(listed, url)?.url === resource.url),
  }));
  const named = scaleSets.flatMap(({ extensions }) => extensions.flatMap((one) => one.externalResources));
  const refused = [...new Set(named)]
    .filter((url) => findResource(listed, url) === null)
    .map((url): ResourceSummary => ({
      url,
      credentialExpiresAt: null,
      goneAt: null,
      state: 'refused',
      usedBy: usersOf(scaleSets, (other) => other === url),
    }));
  return { now, resources: [...known, ...refused].toSorted((a, b) => (a.url < b.url ? -1 : 1)) };
}

function usersOf(
  scaleSets: readonly ScaleSet[],
  isMeant: (url: string) => boolean,
): ResourceSummary['usedBy'] {
  return scaleSets.flatMap(({ id, name, extensions }) => {
    const using = extensions.filter(({ externalResources }) => externalResources.some(isMeant));
    if (using.length === 0) return [];
    return [{ scaleSetId: id, name, extensions: using.map((extension) => extension.name) }];
  });
}

type ListedState = 'ok' | 'expired' | 'gone';

function stateOf(resource: ExternalResource, now: Instant): ListedState {
  return problemOf(resource, now)?.problem ?? 'ok';
}

export interface RenewRequest {
  /** Of one resource. Where its credential is a token in the URL, what follows `?` is the new one. */
  url?: string | undefined;
  /** Every resource whose credential has expired, or that is gone. */
  allExpired?: boolean | undefined;
  /** Virtual time in ISO 8601; for ever if absent. */
  until?: string | undefined;
}

export interface RenewedResource {
  /** Without a token. */
  url: string;
  /** How it was until now. */
  was: ListedState;
  /** Until when its credential opens it now; null for ever. */
  until: Instant | null;
  /**
   * Where the credential is a token: with the new one, which models have to be given. One that the caller named is not repeated: it is
   * spelled as in `ResourceSummary`.
   */
  newUrl: string | null;
}

/**
 * Renews the credential of an external resource, and puts it back where it was gone: the first step out of rule B11. Where the
 * credential is a token in the URL, models that name another one are no better off before they are given the new one.
 * @throws UsageError for one that is not known, which names those that are
 */
export async function renewResources(
  context: FleetChangeContext,
  { url, allExpired = false, until }: RenewRequest,
): Promise<RenewedResource[]> {
  if ((url === undefined) !== allExpired)
    throw new UsageError('Give the URL of a resource, or --all-expired.');
  const now = await currentInstant(context);
  const credentialExpiresAt = until === undefined ? null : instantOf('--until', until);
  if (credentialExpiresAt !== null && credentialExpiresAt <= now) {
    throw new UsageError(`--until is ${until}, which is past by the fleet's clock. Give a later time.`);
  }
  const places = placesOf(await context.fleet.externalResources(), now);
  const wanted = url === undefined ? null : resourcePlace(url);
  const chosen = places.filter(({ place, was }) => (wanted === null ? was !== 'ok' : place === wanted));
  if (wanted !== null && chosen.length === 0) {
    const list = places.map(({ place, was }) => `\n  ${place} (${was})`).join('');
    throw new UsageError(`The fleet has no external resource ${wanted}. It has:${list || ' none'}`);
  }
  const renewed: RenewedResource[] = [];
  for (const place of chosen) {
    renewed.push(await renew(context, place, { url, now, credentialExpiresAt }));
  }
  return renewed;
}

/** A resource with all its credentials. */
interface Place {
  place: string;
  was: ListedState;
  credentials: ExternalResource[];
}

/** A resource is open if any of its credentials opens it. */
function placesOf(listed: readonly ExternalResource[], now: Instant): Place[] {
  return [...new Set(listed.map(({ url }) => resourcePlace(url)))].map((place) => {
    const credentials = listed.filter(({ url }) => resourcePlace(url) === place);
    const states = credentials.map((one) => stateOf(one, now));
    const was = (['gone', 'ok'] as const).find((state) => states.includes(state)) ?? 'expired';
    return { place, was, credentials };
  });
}

async function renew(
  { fleet }: FleetChangeContext,
  { place, was, credentials }: Place,
  {
    url,
    now,
    credentialExpiresAt,
  }: { url: string | undefined; now: Instant; credentialExpiresAt: Instant | null },
): Promise<RenewedResource> {
  for (const credential of credentials) {
    if (credential.goneAt !== null) await fleet.putExternalResource({ ...credential, goneAt: null });
  }
  const hasTokens = credentials.some((credential) => credential.url !== place);
  const given = url !== undefined && resourceUrl(url) !== place ? url : null;
  const newUrl = hasTokens ? (given ?? `${place}?sig=${shortHash(`${place}:${now}`)}`) : null;
  await fleet.putExternalResource({ url: newUrl ?? place, credentialExpiresAt, goneAt: null });
  const toldUrl = given === null ? newUrl : resourceUrl(given);
  return { url: place, was, until: credentialExpiresAt, newUrl: hasTokens ? toldUrl : null };
}
