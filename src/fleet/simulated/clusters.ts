import { shortHash } from '../../domain/random.ts';
import { resourceGroupId } from './arm-ids.ts';
import type { FullClusterSpec, FullFleetSpec, FullScaleSetSpec } from './spec.ts';

/** A cluster in wire shape, as it is kept. */
export type ArmCluster = FullClusterSpec & { properties: { clusterEndpoint: string } };

type FabricSet = FullScaleSetSpec & { serviceFabric: NonNullable<FullScaleSetSpec['serviceFabric']> };

/**
 * The clusters of a fleet's description, by id in lower case: those that it lists, and those that only its scale sets
 * name, with these sets as their node types.
 */
export function clustersOf({ serviceFabricClusters, scaleSets }: FullFleetSpec): Map<string, ArmCluster> {
  const clusters = new Map(
    serviceFabricClusters.map((cluster) => [cluster.id.toLowerCase(), withEndpoint(cluster)]),
  );
  const isListed = new Set(clusters.keys());
  for (const set of scaleSets.filter(isFabricSet)) {
    const id = clusterIdOf(set);
    const key = id.toLowerCase();
    if (isListed.has(key)) continue;
    const cluster = clusters.get(key) ?? withEndpoint(emptyCluster(id, set.region));
    const { nodeTypes } = cluster.properties;
    const isPrimary = !set.serviceFabric.stateless && !nodeTypes.some((one) => one.isPrimary);
    const properties = {
      ...cluster.properties,
      nodeTypes: [...nodeTypes, { ...nodeTypeOf(set), isPrimary }],
    };
    clusters.set(key, { ...cluster, properties });
  }
  return clusters;
}

/** The extension that makes a described set a node type, as its model has it; none where it is no such set. */
export function serviceFabricExtension(spec: FullScaleSetSpec, clusters: ReadonlyMap<string, ArmCluster>) {
  if (!isFabricSet(spec)) return [];
  const { durability, typeHandlerVersion } = spec.serviceFabric;
  const cluster = clusters.get(clusterIdOf(spec).toLowerCase());
  return [
    {
      name: 'service-fabric',
      publisher: 'Microsoft.Azure.ServiceFabric',
      type: spec.os === 'Windows' ? 'ServiceFabricNode' : 'ServiceFabricLinuxNode',
      typeHandlerVersion,
      settings: {
        clusterEndpoint: cluster?.properties.clusterEndpoint,
        nodeTypeRef: nodeTypeName(spec),
        durabilityLevel: durability,
      },
    },
  ];
}

function isFabricSet(set: FullScaleSetSpec): set is FabricSet {
  return set.serviceFabric !== undefined;
}

/** A cluster is named by its ARM id, or by its name in the set's own resource group. */
function clusterIdOf(set: FabricSet): string {
  const { cluster } = set.serviceFabric;
  if (cluster.startsWith('/')) return cluster;
  return `${resourceGroupId(set)}/providers/Microsoft.ServiceFabric/clusters/${cluster}`;
}

function nodeTypeName({ serviceFabric, name }: FabricSet): string {
  return serviceFabric.nodeType ?? name;
}

function nodeTypeOf(set: FabricSet): ArmCluster['properties']['nodeTypes'][number] {
  const { durability, stateless } = set.serviceFabric;
  return {
    name: nodeTypeName(set),
    durabilityLevel: durability,
    isStateless: stateless,
    isPrimary: false,
    vmInstanceCount: set.capacity,
  };
}

function emptyCluster(id: string, location: string): FullClusterSpec {
  const name = id.slice(id.lastIndexOf('/') + 1);
  return { id, name, type: 'Microsoft.ServiceFabric/clusters', location, properties: { nodeTypes: [] } };
}

/** A cluster without an endpoint could be referred to by nobody: it gets one that follows from its id. */
function withEndpoint(cluster: FullClusterSpec): ArmCluster {
  const host = `${cluster.location ?? 'global'}.servicefabric.azure.com`;
  const clusterEndpoint = `https://${host}/runtime/clusters/${shortHash(cluster.id.toLowerCase())}`;
  return { ...cluster, properties: { clusterEndpoint, ...cluster.properties } };
}
