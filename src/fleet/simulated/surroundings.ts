import type { Queries } from '../../database/database.ts';
import { SECOND, type Instant } from '../../domain/clock.ts';
import type { ScaleSet } from '../../domain/scale-set.ts';
import { type ClusterFacts, type ProbeFacts, type Surroundings } from '../../domain/surroundings.ts';
import { endpointKey } from '../service-fabric.ts';
import { externalResources, problemWith } from './external-resources.ts';
import type { World } from './world.ts';

/** What is around a set and not in its model (rules C4, C5, C8). */
export async function readSurroundings(
  db: Queries,
  worldAt: (db: Queries, revision: number) => Promise<World>,
  scaleSet: ScaleSet,
  at: Instant,
): Promise<Surroundings> {
  const row = await db.selectFrom('fleet').select('revision').executeTakeFirst();
  const world = await worldAt(db, row?.revision ?? 0);
  const urls = scaleSet.extensions.flatMap((extension) => extension.externalResources);
  const resources = await externalResources(db, urls);
  return {
    probe: probeFacts(world, scaleSet),
    cluster: clusterFacts(world, scaleSet),
    unusableResources: [...resources.keys()].flatMap((url) => {
      const problem = problemWith(resources, url, at);
      return problem === null ? [] : [{ url, ...problem }];
    }),
  };
}

function probeFacts({ probes }: World, { healthProbeId }: ScaleSet): ProbeFacts | null {
  const probe = probes.get(healthProbeId?.toLowerCase() ?? '');
  if (probe === undefined) return null;
  return { intervalSeconds: probe.interval / SECOND, loadBalancerSku: probe.loadBalancerSku };
}

function clusterFacts({ clusters }: World, { serviceFabric }: ScaleSet): ClusterFacts | null {
  const { clusterEndpoint, nodeTypeRef } = serviceFabric ?? {};
  const cluster = clusters.get(endpointKey(clusterEndpoint ?? ''));
  if (cluster === undefined) return null;
  const wanted = nodeTypeRef?.toLowerCase();
  const nodeType = cluster.nodeTypes.find(({ name }) => name.toLowerCase() === wanted) ?? null;
  return { name: cluster.name, nodeType };
}
