import type { Queries } from '../../database/database.ts';
import type { Instant } from '../../domain/clock.ts';
import { problemOf, type ExternalResource, type ResourceProblem } from '../../domain/surroundings.ts';
import { findResource, resourcePlace, resourceUrl } from '../resource-url.ts';
import type { ExternalResources } from './plan.ts';

/** The external resources of the fleet (rule A1), in the order of their URLs. */
export async function listExternalResources(
  db: Queries,
  places?: readonly string[],
): Promise<ExternalResource[]> {
  const rows = await db.selectFrom('external_resources').selectAll().orderBy('url').execute();
  return rows
    .filter(({ url }) => places === undefined || places.includes(resourcePlace(url)))
    .map((row) => ({
      url: row.url,
      credentialExpiresAt: row.credential_expires_at,
      goneAt: row.gone_at,
    }));
}

/**
 * What a person means by a URL: with a token one credential, without one all that is listed for the place. Where nothing is, what
 * would be new.
 */
export async function resourcesMeant(db: Queries, url: string): Promise<ExternalResource[]> {
  const [wanted, place] = [resourceUrl(url), resourcePlace(url)];
  const here = await listExternalResources(db, [place]);
  const meant = wanted === place ? here : here.filter((resource) => resource.url === wanted);
  return meant.length > 0 ? meant : [{ url: wanted, credentialExpiresAt: null, goneAt: null }];
}

/** What URLs of models find, spelled as `ScaleSet` spells them: see `findResource`. */
export async function externalResources(db: Queries, urls: readonly string[]): Promise<ExternalResources> {
  if (urls.length === 0) return new Map();
  const listed = await listExternalResources(db, urls.map(resourcePlace));
  return new Map(
    urls.flatMap((url) => {
      const found = findResource(listed, url);
      return found === undefined ? [] : [[url, found]];
    }),
  );
}

/** What keeps an extension from getting anything from a URL of its model at a moment (rules B11, C8). */
export function problemWith(resources: ExternalResources, url: string, at: Instant): ResourceProblem | null {
  const found = resources.get(url);
  if (found === undefined) return null;
  return found === null ? { problem: 'refused' } : problemOf(found, at);
}

/** Adds a resource or changes it: a later `credentialExpiresAt` (or null: never) renews its credential (rule B11). */
export async function putExternalResource(db: Queries, resource: ExternalResource): Promise<void> {
  const row = {
    url: resourceUrl(resource.url),
    credential_expires_at: resource.credentialExpiresAt,
    gone_at: resource.goneAt,
  };
  await db
    .insertInto('external_resources')
    .values(row)
    .onConflict((conflict) => conflict.column('url').doUpdateSet(row))
    .execute();
}
