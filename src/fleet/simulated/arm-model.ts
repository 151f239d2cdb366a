import type { Image } from '../../domain/image.ts';
import { KEEP_DRIVE_LETTERS_TAG } from '../model.ts';
import { mergeModels, type Json } from '../wire-shape.ts';
import { resourceGroupId, scaleSetId } from './arm-ids.ts';
import { serviceFabricExtension, type ArmCluster } from './clusters.ts';
import type { FullScaleSetSpec } from './spec.ts';

/**
 * The ARM model, in wire shape, of a set that a fleet's description names.
 * @param clusters those of the fleet, by id in lower case
 */
export function armModel(spec: FullScaleSetSpec, clusters: ReadonlyMap<string, ArmCluster>): Json {
  const extensions = [
    ...serviceFabricExtension(spec, clusters),
    ...healthExtension(spec),
    ...spec.extensions,
  ];
  const model: Json = {
    id: scaleSetId(spec),
    name: spec.name,
    type: 'Microsoft.Compute/virtualMachineScaleSets',
    location: spec.region,
    sku: { name: 'Standard_D2s_v5', tier: 'Standard', capacity: spec.capacity },
    ...(spec.zones.length > 0 ? { zones: spec.zones } : {}),
    ...(spec.keepDriveLetters ? { tags: { [KEEP_DRIVE_LETTERS_TAG]: 'true' } } : {}),
    properties: {
      orchestrationMode: spec.orchestrationMode,
      singlePlacementGroup: spec.singlePlacementGroup ?? spec.capacity <= 100,
      upgradePolicy: upgradePolicy(spec),
      virtualMachineProfile: {
        osProfile: osProfile(spec),
        storageProfile: {
          imageReference:
            'id' in spec.image
              ? galleryReference(spec.image.id, spec.imageVersion)
              : { ...spec.image, version: spec.imageVersion },
          osDisk: {
            osType: spec.os,
            createOption: 'FromImage',
            managedDisk: { storageAccountType: 'Premium_LRS' },
          },
          dataDisks: spec.dataDisks.map((diskSizeGB, lun) => ({ lun, diskSizeGB, createOption: 'Empty' })),
        },
        networkProfile: {
          ...(spec.health === 'probe' ? { healthProbe: { id: probeId(spec) } } : {}),
          networkInterfaceConfigurations: [],
        },
        ...(extensions.length > 0
          ? {
              extensionProfile: {
                extensions: extensions.map(({ name, ...properties }) => ({ name, properties })),
              },
            }
          : {}),
      },
    },
  };
  return mergeModels(model, spec.model);
}

/** What a fleet's description calls an image, as the domain does. */
export function imageOf(image: FullScaleSetSpec['image']): Image {
  return 'id' in image ? { kind: 'gallery', id: image.id } : { kind: 'platform', ...image };
}

function probeId(spec: FullScaleSetSpec): string {
  return `${resourceGroupId(spec)}/providers/Microsoft.Network/loadBalancers/${spec.name}-lb/probes/app`;
}

/** The load balancer that a set's probe is of. */
export function loadBalancerOf(spec: FullScaleSetSpec): Json & { id: string } {
  const id = probeId(spec).replace(/\/probes\/app$/, '');
  return {
    id,
    name: `${spec.name}-lb`,
    location: spec.region,
    sku: { name: 'Standard' },
    properties: {
      probes: [
        {
          name: 'app',
          id: probeId(spec),
          properties: { protocol: 'Http', port: 80, requestPath: '/health', intervalInSeconds: 15 },
        },
      ],
    },
  };
}

function galleryReference(id: string, version: string): Json {
  return { id: version === 'latest' ? id : `${id}/versions/${version}` };
}

function upgradePolicy(spec: FullScaleSetSpec): Json {
  return {
    mode: spec.mode,
    ...(spec.rollingUpgradePolicy ? { rollingUpgradePolicy: spec.rollingUpgradePolicy } : {}),
    automaticOSUpgradePolicy: {
      enableAutomaticOSUpgrade: spec.automaticOSUpgrade,
      disableAutomaticRollback: spec.disableAutomaticRollback,
      useRollingUpgradePolicy: spec.rollingUpgradePolicy !== undefined,
    },
  };
}

function osProfile(spec: FullScaleSetSpec): Json {
  const common = { computerNamePrefix: spec.name.slice(0, 9), adminUsername: 'azureuser' };
  return spec.os === 'Windows'
    ? {
        ...common,
        windowsConfiguration: { provisionVMAgent: true, enableAutomaticUpdates: spec.enableAutomaticUpdates },
      }
    : { ...common, linuxConfiguration: { disablePasswordAuthentication: true, provisionVMAgent: true } };
}

function healthExtension(spec: FullScaleSetSpec) {
  if (spec.health !== 'extension') return [];
  return [
    {
      name: 'health',
      publisher: 'Microsoft.ManagedServices',
      type: `ApplicationHealth${spec.os}`,
      typeHandlerVersion: '1.0',
      settings: { protocol: 'http', port: 80, requestPath: '/health' },
    },
  ];
}
