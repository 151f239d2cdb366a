import { isServiceFabricExtension } from '../domain/extensions.ts';
import { DURABILITIES, type Durability, type ServiceFabricSettings } from '../domain/scale-set.ts';
import type { NodeType } from '../domain/surroundings.ts';
import type { ModelIssue } from './model-error.ts';
import type { WireExtension } from './model-schema.ts';
import { isJsonObject, type Json } from './wire-shape.ts';

/** What Azure takes where neither a cluster nor an extension says. */
const DEFAULT_DURABILITY: Durability = 'Bronze';

/**
 * What a model's Service Fabric extension says of the node type that the set is, or null where it has none. A durability
 * that there is not becomes an issue.
 */
export function readServiceFabric(
  extensions: readonly WireExtension[],
  issues: ModelIssue[],
): ServiceFabricSettings | null {
  const extension = extensions.find(({ properties }) => isServiceFabricExtension(properties));
  if (extension === undefined) return null;
  const settings = lowerCased(extension.properties.settings);
  const written = settings['durabilitylevel'] ?? DEFAULT_DURABILITY;
  const durabilityLevel = durabilityOf(written);
  if (durabilityLevel === undefined) {
    issues.push({
      code: 'InvalidParameter',
      target: `properties.virtualMachineProfile.extensionProfile.extensions.${extension.name}.settings.durabilityLevel`,
      message: `It is ${JSON.stringify(written)}: give ${DURABILITIES.join(' or ')}.`,
    });
  }
  return {
    clusterEndpoint: textOf(settings['clusterendpoint']),
    nodeTypeRef: textOf(settings['nodetyperef']),
    durabilityLevel: durabilityLevel ?? DEFAULT_DURABILITY,
  };
}

/** A Service Fabric cluster, as its ARM JSON describes it. */
export interface Cluster {
  id: string;
  name: string;
  endpoint: string;
  nodeTypes: NodeType[];
}

/** A cluster in wire shape, or flattened as the az CLI lists it; null for one that has no endpoint yet. */
export function readCluster(arm: Json): Cluster | null {
  const own = isJsonObject(arm['properties']) ? arm['properties'] : arm;
  const id = textOf(arm['id']) ?? '';
  const endpoint = textOf(own['clusterEndpoint']);
  if (endpoint === null) return null;
  const nodeTypes: unknown[] = Array.isArray(own['nodeTypes']) ? own['nodeTypes'] : [];
  return {
    id,
    name: textOf(arm['name']) ?? id.slice(id.lastIndexOf('/') + 1),
    endpoint,
    nodeTypes: nodeTypes.filter(isJsonObject).map(readNodeType),
  };
}

/** Endpoints ignore case, and a slash at the end. */
export function endpointKey(endpoint: string): string {
  return endpoint.toLowerCase().replace(/\/+$/, '');
}

function readNodeType(nodeType: Json): NodeType {
  return {
    name: textOf(nodeType['name']) ?? '',
    durabilityLevel: durabilityOf(nodeType['durabilityLevel']) ?? DEFAULT_DURABILITY,
    isStateless: nodeType['isStateless'] === true,
  };
}

function durabilityOf(value: unknown): Durability | undefined {
  return DURABILITIES.find(
    (known) => typeof value === 'string' && known.toLowerCase() === value.toLowerCase(),
  );
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function lowerCased(settings: unknown): Json {
  if (!isJsonObject(settings)) return {};
  return Object.fromEntries(
    Object.entries(settings)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name.toLowerCase(), value]),
  );
}
