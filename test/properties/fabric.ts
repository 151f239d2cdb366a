import type { Durability } from '../../src/domain/scale-set.ts';
import type { SimulatedFleet } from '../../src/fleet/index.ts';
import { testSetId } from '../support/fleet.ts';
import type { SetCase } from './case.ts';

/* Sets that are node types of Service Fabric clusters (rule C5): each of a cluster of its own, by the set's name. */

/** A node type of a Service Fabric cluster. */
export interface FabricCase {
  durability: Durability;
  stateless: boolean;
  /** Its cluster says another durability than its extension. */
  mismatched: boolean;
  oldHandler: boolean;
}

export function fabricSpec({ durability, stateless, oldHandler }: FabricCase, cluster: string) {
  return { cluster, durability, stateless, typeHandlerVersion: oldHandler ? '1.0' : '1.1' };
}

/** The cluster of a set, saying another durability than the set's extension. */
export function mismatchedCluster({ durability, stateless }: FabricCase, name: string) {
  const durabilityLevel: Durability = durability === 'Gold' ? 'Silver' : 'Gold';
  return {
    id: clusterId(name),
    properties: { nodeTypes: [{ name, durabilityLevel, isStateless: stateless }] },
  };
}

/** From now on the cluster says another durability than the extension. */
export async function mismatch(
  fleet: SimulatedFleet,
  fabric: FabricCase | null,
  name: string,
): Promise<void> {
  if (fabric === null) return;
  const before = await clusterNow(fleet, name);
  const { id, properties } = mismatchedCluster(fabric, name);
  await fleet.putServiceFabricCluster({
    ...before,
    id,
    properties: { ...(before?.['properties'] as object), ...properties },
  });
}

/** Whether the cluster says the same durability as the extension now. */
export async function isMatched(fleet: SimulatedFleet, fabric: FabricCase, name: string): Promise<boolean> {
  const cluster = JSON.stringify(await clusterNow(fleet, name));
  return cluster.includes(`"durabilityLevel":"${fabric.durability}"`);
}

/** By the words of rules C4 and C5: what a set is from the beginning lets it be upgraded. */
export function isFit({ health, flexible, fabric }: SetCase): boolean {
  if (fabric === null) return health !== 'none';
  if (fabric.mismatched || fabric.oldHandler || flexible) return false;
  return fabric.durability === 'Bronze' ? fabric.stateless && health !== 'none' : health !== 'probe';
}

async function clusterNow(fleet: SimulatedFleet, name: string) {
  return (await fleet.serviceFabricClusters()).find(({ id }) => id === clusterId(name));
}

function clusterId(name: string): string {
  return testSetId(name).replace(
    'Microsoft.Compute/virtualMachineScaleSets',
    'Microsoft.ServiceFabric/clusters',
  );
}
