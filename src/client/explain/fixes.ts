import type { EligibilityCode, EligibilityWarning } from '../../domain/eligibility.ts';
import { isServiceFabricExtension } from '../../domain/extensions.ts';
import type { ScaleSet } from '../../domain/scale-set.ts';
import { scaleSetScope } from '../../domain/scopes.ts';
import { liftCommand, modelCommand, resumeCommand } from '../give.ts';

type Code = EligibilityCode | EligibilityWarning['code'];

const profile = 'virtualMachineProfile';
const automatic = 'upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade';
const probe = `${profile}.networkProfile.healthProbe`;

/** What to write into the model so that a reason is one no more, where one value does it. Capitals stand for what only its owner knows. */
const MODEL_FIXES: { [Each in Code]?: string } = {
  AutomaticOSUpgradeDisabled: `${automatic}=true`,
  ImageVersionNotLatest: `${profile}.storageProfile.imageReference.version=latest`,
  PlatformImageNotSupported: `${profile}.storageProfile.imageReference.sku=SKU`,
  HealthSourceMissing: `${probe}.id=ID`,
  HealthProbeNotFound: `${probe}.id=ID`,
  LoadBalancerNotStandard: `${probe}.id=ID`,
  TwoHealthSources: `${probe}=null`,
  WindowsUpdateEnabled: `${profile}.osProfile.windowsConfiguration.enableAutomaticUpdates=false`,
  // Whatever is written, it is written with the newest version of the API.
  ModelApiVersionTooOld: `${automatic}=true`,
  ServiceFabricProbeNotSupported: `${probe}=null`,
  CrossZoneUpgradeIgnored: 'upgradePolicy.rollingUpgradePolicy.enableCrossZoneUpgrade=false',
};

/** The same, of the Service Fabric extension. */
const NODE_FIXES: { [Each in Code]?: string } = {
  ServiceFabricClusterNotFound: 'settings.clusterEndpoint=URL',
  ServiceFabricNodeTypeNotFound: 'settings.nodeTypeRef=NAME',
  ServiceFabricDurabilityMismatch: 'settings.durabilityLevel=LEVEL',
  ServiceFabricDurabilityTooLow: 'settings.durabilityLevel=Silver',
  ServiceFabricHandlerTooOld: 'typeHandlerVersion=1.1',
};

/** The command that takes a reason or a warning away; null where none of ours does. @param called the set, in commands */
export function fixCommand(code: Code, called: string, { id, extensions }: ScaleSet): string | null {
  const change = MODEL_FIXES[code];
  if (change !== undefined) return modelCommand(called, change);
  const node = NODE_FIXES[code];
  const name = extensions.find(isServiceFabricExtension)?.name;
  if (node !== undefined && name !== undefined) {
    return modelCommand(called, `${profile}.extensionProfile.extensions[name=${name}].${node}`);
  }
  switch (code) {
    case 'VersionHeldBack':
      return liftCommand(called);
    case 'ScaleSetCancelled':
      return resumeCommand(scaleSetScope(id));
    case 'ExternalResourceUnavailable':
    case 'CredentialExpired':
      return 'rollouts fleet renew --all-expired';
    default:
      return null;
  }
}
