import type { Queries } from '../../database/database.ts';
import type { ExternalResource } from '../../domain/surroundings.ts';
import { resourceUrl } from '../resource-url.ts';
import type { ExternalResources } from './plan.ts';

/** The external resources of the fleet (rule A1): all, or those of some URLs. */
export async function externalResources(db: Queries, urls?: readonly string[]): Promise<ExternalResources> {
  if (urls?.length === 0) return new Map();
  let query = db.selectFrom('external_resources').selectAll();
  if (urls !== undefined) query = query.where('url', 'in', [...new Set(urls)]);
  const rows = await query.orderBy('url').execute();
  return new Map(
    rows.map((row) => [row.url, { credentialExpiresAt: row.credential_expires_at, goneAt: row.gone_at }]),
  );
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
