import type { Transaction } from 'kysely';
import type { Tables } from '../../database/tables.ts';
import { SECOND } from '../../domain/clock.ts';
import type { ScaleSet } from '../../domain/scale-set.ts';
import { PROBE_INTERVAL, probesOf } from '../load-balancer.ts';
import { endpointKey, readCluster } from '../service-fabric.ts';
import { isJsonObject } from '../wire-shape.ts';
import { putNeighbours, readNeighbours, type Neighbour } from './neighbours.ts';

/** What sets refer to, as it was listed with them. */
export interface ListedNeighbours {
  loadBalancers: Neighbour[];
  clusters: Neighbour[];
}

/** Reads what the az CLI lists of one kind: the list, or the API's `{ value: [...] }`. */
export function readListed(json: unknown, path: string, problems: string[]): Neighbour[] {
  const list: unknown = isJsonObject(json) && Array.isArray(json['value']) ? json['value'] : json;
  if (!Array.isArray(list)) {
    problems.push(`${path}: give the list that the az CLI prints.`);
    return [];
  }
  return list.flatMap((item: unknown, i): Neighbour[] => {
    const id = isJsonObject(item) ? item['id'] : undefined;
    if (isJsonObject(item) && typeof id === 'string') return [{ ...item, id }];
    problems.push(`${path}.${i}.id: It is missing: give its ARM id.`);
    return [];
  });
}

/**
 * Keeps what was listed. A probe of which nothing is known is made up, so that its set is not taken for one without; a
 * cluster is not, since what it is like decides whether its sets may be upgraded at all (rule C5).
 */
export async function importNeighbours(
  tx: Transaction<Tables>,
  { loadBalancers, clusters }: ListedNeighbours,
  sets: readonly ScaleSet[],
  notes: Set<string>,
): Promise<void> {
  await putNeighbours(tx, 'load_balancers', loadBalancers);
  await putNeighbours(tx, 'service_fabric_clusters', clusters);
  const balancers = await readNeighbours(tx, 'load_balancers');
  const probes = new Set(balancers.flatMap(probesOf).map(({ id }) => id.toLowerCase()));
  const endpoints = new Set(
    (await readNeighbours(tx, 'service_fabric_clusters'))
      .map(readCluster)
      .flatMap((cluster) => (cluster === null ? [] : [endpointKey(cluster.endpoint)])),
  );
  const madeUp = new Map<string, Neighbour>();
  for (const { name, healthProbeId: probe, serviceFabric } of sets) {
    if (probe !== null && !probes.has(probe.toLowerCase())) {
      madeUp.set(probe.toLowerCase(), balancerOf(probe));
      notes.add(
        `${name}: its load balancer was not listed; it was taken to be Standard, with a probe every ${PROBE_INTERVAL / SECOND} s. --load-balancers lists it.`,
      );
    }
    if (serviceFabric !== null && !endpoints.has(endpointKey(serviceFabric.clusterEndpoint ?? ''))) {
      notes.add(
        `${name}: its Service Fabric cluster was not listed; it is not upgraded before that is known. --clusters lists it.`,
      );
    }
  }
  await putNeighbours(tx, 'load_balancers', madeUp.values());
}

/** One that has that probe, and nothing else that anybody knows. */
function balancerOf(probeId: string): Neighbour {
  const id = `${probeId}/balancer`;
  return { id, sku: { name: 'Standard' }, properties: { probes: [{ id: probeId, properties: {} }] } };
}
