import type { Transaction } from 'kysely';
import type { Database, Queries } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import type { Json } from '../wire-shape.ts';
import { touchFleet } from './scenario.ts';

/** Resources that scale sets refer to and that the fleet keeps word for word: load balancers and Service Fabric clusters. */
export type NeighbourTable = 'load_balancers' | 'service_fabric_clusters';

/** In wire shape, or flattened as the az CLI lists it. */
export type Neighbour = Json & { id: string };

/** Adds them, or puts them in the place of those of the same id. */
export async function putNeighbours(
  tx: Transaction<Tables>,
  table: NeighbourTable,
  resources: Iterable<Neighbour>,
): Promise<void> {
  for (const resource of resources) {
    const row = { key: resource.id.toLowerCase(), arm: JSON.stringify(resource) };
    await tx
      .insertInto(table)
      .values(row)
      .onConflict((conflict) => conflict.column('key').doUpdateSet(row))
      .execute();
  }
}

export async function readNeighbours(db: Queries, table: NeighbourTable): Promise<Neighbour[]> {
  const rows = await db.selectFrom(table).select('arm').orderBy('key').execute();
  return rows.map(({ arm }) => JSON.parse(arm) as Neighbour);
}

/** Changes a cluster, or adds one: the next look at one of its sets goes by it. */
export async function putCluster(database: Database, cluster: Neighbour): Promise<void> {
  await database.write(['fleet'], async (tx) => {
    await putNeighbours(tx, 'service_fabric_clusters', [cluster]);
    await touchFleet(tx);
  });
}
