import type { Durability } from '../domain/scale-set.ts';
import { isJsonObject, type Json, type SimulatedFleet } from '../fleet/index.ts';
import type { ClientContext } from './context.ts';
import { UsageError } from './errors.ts';

export interface NodeTypeRequest {
  /** Name or ARM id. */
  cluster: string;
  nodeType: string;
  durabilityLevel: Durability;
}

export interface ChangedNodeType {
  clusterId: string;
  nodeType: string;
  was: string | null;
  durabilityLevel: Durability;
}

/**
 * Changes the durability of a node type in its Service Fabric cluster. The extension in the model of its scale set has to
 * say the same (rule C5).
 * @throws UsageError for a cluster or a node type that there is not, which names those that there are
 */
export async function changeNodeType(
  { fleet }: ClientContext & { fleet: SimulatedFleet },
  { cluster: wanted, nodeType: name, durabilityLevel }: NodeTypeRequest,
): Promise<ChangedNodeType> {
  const clusters = await fleet.serviceFabricClusters();
  const cluster = clusters.find(({ id }) => isCalled(id, wanted) || isCalled(nameOf(id), wanted));
  if (cluster === undefined) {
    throw new UsageError(
      `The fleet has no Service Fabric cluster ${wanted}. It has: ${clusters.map(({ id }) => nameOf(id)).join(', ') || 'none'}.`,
    );
  }
  const { properties } = cluster;
  const own = isJsonObject(properties) ? properties : cluster;
  const nodeTypes = (Array.isArray(own['nodeTypes']) ? own['nodeTypes'] : []).filter(isJsonObject);
  const before = nodeTypes.find((one) => isCalled(String(one['name']), name));
  if (before === undefined) {
    const known = nodeTypes.map((one) => String(one['name'])).join(', ');
    throw new UsageError(
      `Cluster ${nameOf(cluster.id)} has no node type ${name}. It has: ${known || 'none'}.`,
    );
  }
  const changed: Json = {
    nodeTypes: nodeTypes.map((one) => (one === before ? { ...one, durabilityLevel } : one)),
  };
  await fleet.putServiceFabricCluster({
    ...cluster,
    ...(isJsonObject(properties) ? { properties: { ...properties, ...changed } } : changed),
  });
  const was = before['durabilityLevel'];
  return {
    clusterId: cluster.id,
    nodeType: String(before['name']),
    was: typeof was === 'string' ? was : null,
    durabilityLevel,
  };
}

function nameOf(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

function isCalled(text: string, wanted: string): boolean {
  return text.toLowerCase() === wanted.toLowerCase();
}
