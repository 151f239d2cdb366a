import type { EligibilityCode, EligibilityReason, EligibilityWarning } from './eligibility.ts';
import { isServiceFabric, isServiceFabricExtension } from './extensions.ts';
import { compareVersions } from './image.ts';
import type { ScaleSet, ServiceFabricSettings } from './scale-set.ts';
import type { ClusterFacts, NodeType, Surroundings } from './surroundings.ts';

/** The first handler of the Service Fabric extension that lets the OS disk be swapped under a node (rule C5). */
const OLDEST_HANDLER_VERSION = '1.1';

/** Rule C5: what Service Fabric asks of a set that is one of its node types; nothing of any other. */
export function serviceFabricReasons(
  scaleSet: ScaleSet,
  { cluster }: Pick<Surroundings, 'cluster'>,
): EligibilityReason[] {
  if (!isServiceFabric(scaleSet)) return [];
  return [
    ...handlerReasons(scaleSet),
    ...updateDomainReasons(scaleSet),
    ...nodeTypeReasons(scaleSet.serviceFabric, cluster),
    ...durabilityReasons(scaleSet, cluster?.nodeType ?? null),
  ];
}

/**
 * A set's update domains are those of its cluster, zone by zone: a batch over several zones would take down one in each
 * at once (rule C5).
 */
export function serviceFabricWarnings(scaleSet: ScaleSet): EligibilityWarning[] {
  const { automaticOSUpgradePolicy: automatic, rollingUpgradePolicy: own } = scaleSet.upgradePolicy;
  const isAskedFor = automatic.useRollingUpgradePolicy && own.enableCrossZoneUpgrade === true;
  if (!isServiceFabric(scaleSet) || !isAskedFor || scaleSet.zones.length === 0) return [];
  return [
    {
      code: 'CrossZoneUpgradeIgnored',
      message: 'Service Fabric is upgraded update domain by update domain: no batch spans zones.',
      fix: 'Set rollingUpgradePolicy.enableCrossZoneUpgrade to false.',
      rule: 'C5',
    },
  ];
}

function handlerReasons({ extensions }: ScaleSet): EligibilityReason[] {
  return extensions
    .filter(isServiceFabricExtension)
    .filter(({ typeHandlerVersion }) => compareVersions(typeHandlerVersion, OLDEST_HANDLER_VERSION) < 0)
    .map(({ name, typeHandlerVersion }) =>
      because(
        'ServiceFabricHandlerTooOld',
        `Extension "${name}" has typeHandlerVersion ${typeHandlerVersion}.`,
        `Set its typeHandlerVersion to ${OLDEST_HANDLER_VERSION} or above.`,
      ),
    );
}

function updateDomainReasons({ orchestrationMode }: ScaleSet): EligibilityReason[] {
  if (orchestrationMode !== 'Flexible') return [];
  return [
    because(
      'ServiceFabricWithoutUpdateDomains',
      'Service Fabric is upgraded update domain by update domain, and Flexible orchestration has none.',
      'Move the node type to a scale set of Uniform orchestration.',
    ),
  ];
}

/** The node type must be known, and of the same durability as the extension: otherwise the upgrade would fail. */
function nodeTypeReasons(
  settings: ServiceFabricSettings | null,
  cluster: ClusterFacts | null,
): EligibilityReason[] {
  const { clusterEndpoint = null, nodeTypeRef = null, durabilityLevel } = settings ?? {};
  if (cluster === null) {
    return [
      because(
        'ServiceFabricClusterNotFound',
        clusterEndpoint === null
          ? 'The Service Fabric extension does not say which cluster it belongs to.'
          : `There is no Service Fabric cluster with the endpoint ${clusterEndpoint}.`,
        "Set the extension's settings.clusterEndpoint to that of its cluster.",
      ),
    ];
  }
  if (cluster.nodeType === null) {
    return [
      because(
        'ServiceFabricNodeTypeNotFound',
        nodeTypeRef === null
          ? `The Service Fabric extension does not say which node type of cluster ${cluster.name} the scale set is.`
          : `Cluster ${cluster.name} has no node type ${nodeTypeRef}.`,
        "Set the extension's settings.nodeTypeRef to a node type of the cluster.",
      ),
    ];
  }
  const { name, durabilityLevel: ofCluster } = cluster.nodeType;
  if (ofCluster === durabilityLevel) return [];
  return [
    because(
      'ServiceFabricDurabilityMismatch',
      `Node type ${name} of cluster ${cluster.name} has durability ${ofCluster}, and the extension says ${durabilityLevel}: an upgrade would fail.`,
      "Make the node type's durabilityLevel and the extension's settings.durabilityLevel the same.",
    ),
  ];
}

/** Whether Bronze will do follows from what the node type runs; the other levels bring a health check of their own. */
function durabilityReasons(
  { serviceFabric, healthProbeId }: ScaleSet,
  nodeType: NodeType | null,
): EligibilityReason[] {
  const level = serviceFabric?.durabilityLevel;
  if (level === 'Bronze' && nodeType !== null && !nodeType.isStateless) {
    return [
      because(
        'ServiceFabricDurabilityTooLow',
        `Durability Bronze is enough for stateless node types only, and ${nodeType.name} is none.`,
        'Raise the durability of node type and extension to Silver or Gold.',
      ),
    ];
  }
  if ((level === 'Silver' || level === 'Gold') && healthProbeId !== null) {
    return [
      because(
        'ServiceFabricProbeNotSupported',
        `The model has a load balancer health probe, which is not supported with durability ${level}.`,
        'Remove networkProfile.healthProbe: Service Fabric checks the health of its nodes itself.',
      ),
    ];
  }
  return [];
}

function because(code: EligibilityCode, message: string, fix: string): EligibilityReason {
  return { code, message, fix, rule: 'C5' };
}
