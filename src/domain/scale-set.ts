import type { Duration, Instant } from './clock.ts';
import type { ImageReference, ImageVersion } from './image.ts';

/** The rolling policy in force, in percent and milliseconds (rule B13). Azure's names. */
export interface RollingUpgradePolicy {
  maxBatchInstancePercent: number;
  maxUnhealthyInstancePercent: number;
  maxUnhealthyUpgradedInstancePercent: number;
  pauseTimeBetweenBatches: Duration;
  enableCrossZoneUpgrade: boolean;
  prioritizeUnhealthyInstances: boolean;
  rollbackFailedInstancesOnPolicyBreach: boolean;
}

export interface AutomaticOSUpgradePolicy {
  enableAutomaticOSUpgrade: boolean;
  disableAutomaticRollback: boolean;
  useRollingUpgradePolicy: boolean;
}

export interface UpgradePolicy {
  mode: 'Manual' | 'Automatic' | 'Rolling';
  rollingUpgradePolicy: Partial<RollingUpgradePolicy>;
  automaticOSUpgradePolicy: AutomaticOSUpgradePolicy;
}

export interface Extension {
  name: string;
  publisher: string;
  type: string;
  typeHandlerVersion: string;
  provisionAfterExtensions: string[];
  /**
   * URLs that the extension downloads from or talks to; looked up among the fleet's external resources (rule B11). Lower case;
   * SAS tokens are only told apart in them.
   */
  externalResources: string[];
}

/** How the Application Health extension asks the application on its own VM. */
export interface HealthExtension {
  /** Handler version 2 and above: it tells more states than healthy and unhealthy. */
  rich: boolean;
  protocol: 'http' | 'https' | 'tcp';
  /** Between two readings. */
  interval: Duration;
  /** Equal readings, one after the other, that change its state. */
  numberOfProbes: number;
  /** After a start, how long an application that does not answer is initializing; rich only. */
  gracePeriod: Duration;
}

/** How far Service Fabric may hold up what the platform does to the VMs of a node type: with Bronze not at all. */
export const DURABILITIES = ['Bronze', 'Silver', 'Gold'] as const;
export type Durability = (typeof DURABILITIES)[number];

/** What the Service Fabric extension of a model says of the node type that the set is (rule C5). */
export interface ServiceFabricSettings {
  /** Where its cluster can be reached, which is how it is known; null where the model does not say. */
  clusterEndpoint: string | null;
  /** The name of the node type; null where the model does not say. */
  nodeTypeRef: string | null;
  durabilityLevel: Durability;
}

export interface DataDisk {
  lun: number;
  sizeGB: number;
}

/** What the rules need to know of a scale set: read from its ARM model, which the fleet keeps word for word (rule A3). */
export interface ScaleSet {
  /** ARM id, in the case it was written in. Compare by `scaleSetKey`. */
  id: string;
  name: string;
  resourceGroup: string;
  subscriptionId: string;
  /** Normalised: lower case, no blanks. */
  region: string;
  zones: string[];
  orchestrationMode: 'Uniform' | 'Flexible';
  osType: 'Linux' | 'Windows';
  upgradePolicy: UpgradePolicy;
  imageReference: ImageReference;
  extensions: Extension[];
  hasCustomData: boolean;
  /** A boot script in the model keeps the drive letters of data disks on Windows (rule B4). */
  keepsDriveLetters: boolean;
  dataDisks: DataDisk[];
  /** ARM id of the load balancer probe, or null. */
  healthProbeId: string | null;
  /** The Application Health extension, or null. */
  healthExtension: HealthExtension | null;
  /** Null where the set is no Service Fabric node type. */
  serviceFabric: ServiceFabricSettings | null;
  /** What the computer names of its instances begin with; empty where the model does not say. */
  computerNamePrefix: string;
  singlePlacementGroup: boolean;
  /** `windowsConfiguration.enableAutomaticUpdates`; null where the model does not say. */
  enableAutomaticUpdates: boolean | null;
  /** The Compute API version with which the model was last written, `YYYY-MM-DD`. */
  modelApiVersion: string;
  /** Rises with every change of the model that its instances are behind with: see `reachesInstances`. */
  modelVersion: number;
  /** When automatic upgrades were switched on, or null while they are off (rule D6). */
  automaticUpgradesSince: Instant | null;
}

export interface OsDisk {
  id: string;
  source: ImageVersion;
  createdAt: Instant;
}

export type PowerState = 'running' | 'starting' | 'stopped' | 'deallocated';
export type ProvisioningState = 'Succeeded' | 'Creating' | 'Updating' | 'Failed';
/** `none`: the set has no probe and no Application Health extension. */
export type ApplicationHealth = 'healthy' | 'unhealthy' | 'unknown' | 'initializing' | 'none';

export interface ExtensionState {
  name: string;
  /** `notRun`: one that had to come before it has failed. */
  state: 'creating' | 'succeeded' | 'failed' | 'notRun';
  error?: OperationError;
}

export interface OperationError {
  /** One of `operationErrorCodes`. */
  code: string;
  message: string;
}

/** A time in which an instance was healthy without a break. */
export interface HealthyStretch {
  from: Instant;
  /** Null while it lasts. */
  to: Instant | null;
}

/** What a VM keeps for life, whatever becomes of its disks (rule B4). */
export interface VmIdentity {
  /** A UUID. */
  vmId: string;
  computerName: string;
  privateIpAddress: string;
}

/** An instance as the fleet saw it at one instant (rule A4). */
export interface Instance extends VmIdentity {
  /** That instant: when it was asked for, or the set's own latest time if that is later. */
  seenAt: Instant;
  instanceId: string;
  scaleSetId: string;
  zone: string | null;
  /** 0 to 4; null in Flexible orchestration, which has none. */
  updateDomain: number | null;
  faultDomain: number | null;
  /** Null only between the removal of the old disk and the arrival of the new one. */
  osDisk: OsDisk | null;
  /** Kept while a restore may still need it. */
  previousOsDisk: OsDisk | null;
  dataDisks: (DataDisk & { driveLetter: string | null })[];
  extensions: ExtensionState[];
  powerState: PowerState;
  provisioningState: ProvisioningState;
  applicationHealth: ApplicationHealth;
  latestModelApplied: boolean;
  /** Azure's `protectFromScaleSetActions`: never touched. */
  protectFromScaleSetActions: boolean;
  /** When its last extension ended after the last change of its OS disk; null while that is still to come. */
  configuredAt: Instant | null;
  /**
   * When it was healthy since `configuredAt`, in order of time (rule B5). One that is no longer than an earlier one is left
   * out, since it decides nothing, except for the last.
   */
  healthyStretches: HealthyStretch[];
  /** Between two readings of its health signal; 0 where there is none. */
  readingInterval: Duration;
}

/** Scale set ids ignore case. */
export function scaleSetKey(id: string): string {
  return id.toLowerCase();
}

/** Up, or about to be: one that is stopped or deallocated is not touched (rule B3). */
export function isRunning({ powerState }: Pick<Instance, 'powerState'>): boolean {
  return powerState === 'running' || powerState === 'starting';
}

/** Protected by its owner, or behind its model where the upgrade mode leaves that to the owner (rule C9). */
export function isUntouchable(
  { upgradePolicy }: Pick<ScaleSet, 'upgradePolicy'>,
  instance: Pick<Instance, 'protectFromScaleSetActions' | 'latestModelApplied'>,
): boolean {
  return (
    instance.protectFromScaleSetActions || (upgradePolicy.mode === 'Manual' && !instance.latestModelApplied)
  );
}
