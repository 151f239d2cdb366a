import type { Instant } from '../domain/clock.ts';
import { isSteadilyHealthy } from '../domain/health.ts';
import { DEFAULT_SETTINGS } from '../domain/policy.ts';
import { imageLabel } from '../domain/image.ts';
import { normaliseRegionName } from '../domain/region.ts';
import type {
  ApplicationHealth,
  Instance,
  OsDisk,
  PowerState,
  ScaleSet,
  VmIdentity,
} from '../domain/scale-set.ts';
import type { QuarantinedInstance } from '../ledger/port.ts';
import { currentInstant, type ClientContext } from './context.ts';
import { UsageError } from './errors.ts';
import { findScaleSet } from './find.ts';

/** The fleet as it is now. Instants are virtual. */
export interface FleetView {
  now: Instant;
  speed: number;
  /** Regions that have scale sets, by name. */
  regions: RegionSummary[];
  scaleSets: ScaleSetSummary[];
}

export interface RegionSummary {
  name: string;
  pairedRegion: string | null;
  zones: string[];
  scaleSets: number;
  instances: number;
  healthy: number;
}

export interface ScaleSetSummary {
  /** ARM id. */
  id: string;
  name: string;
  resourceGroup: string;
  subscriptionId: string;
  region: string;
  zones: string[];
  orchestrationMode: string;
  osType: string;
  /** How many instances there are. */
  capacity: number;
  healthy: number;
  /** Whose restore failed: they wait for a repair. */
  quarantined: number;
  image: string;
  /** What the model asks for: `latest`, or a version. */
  imageVersion: string;
  /** How many instances run each version, newest not first: in the order of the instances. */
  versions: Record<string, number>;
  upgradeMode: string;
  automaticOSUpgrade: boolean;
  /** Only if asked for. */
  instances?: InstanceSummary[];
}

/** An OS disk with the version that it was made from. */
export interface OsDiskSummary extends Pick<OsDisk, 'id' | 'createdAt'> {
  version: string;
}

export interface InstanceSummary
  extends VmIdentity, Pick<Instance, 'dataDisks' | 'extensions' | 'latestModelApplied'> {
  /** Within the set, as in the journal. */
  id: string;
  instanceId: string;
  /** Of its OS disk; null while it has none. */
  version: string | null;
  osDisk: OsDiskSummary | null;
  /** Kept while a restore may need it. */
  previousOsDisk: OsDiskSummary | null;
  health: 'healthy' | 'unhealthy';
  zone: string | null;
  updateDomain: number | null;
  faultDomain: number | null;
  powerState: PowerState;
  provisioningState: string;
  applicationHealth: ApplicationHealth;
  protectFromScaleSetActions: boolean;
  /** Its restore failed: it counts as unhealthy, and nothing touches it before it is repaired. */
  quarantined: { since: Instant; error: string } | null;
}

export interface FleetViewRequest {
  region?: string | undefined;
  /** ARM id or name. */
  scaleSet?: string | undefined;
  /** Every instance, and not only their counts. */
  instances?: boolean | undefined;
}

/**
 * Reads the fleet, or a part of it.
 * @throws UsageError for a region or scale set that it does not have
 */
export async function viewFleet(context: ClientContext, request: FleetViewRequest = {}): Promise<FleetView> {
  const { fleet } = context;
  const now = await currentInstant(context);
  const allRegions = await fleet.regions();
  const sets = await chooseSets(
    context,
    request,
    allRegions.map((region) => region.name),
  );
  const scaleSets: ScaleSetSummary[] = [];
  for (const set of sets) {
    const instances = await fleet.instances(set.id, now);
    const quarantined = await context.ledger.quarantine.list({ scaleSetId: set.id });
    scaleSets.push(summarise(set, instances, quarantined, request.instances ?? false));
  }
  const regions = allRegions
    .filter(({ name }) => sets.some((set) => set.region === name))
    .map(({ name, pairedRegion, availabilityZones }) => {
      const there = scaleSets.filter((set) => set.region === name);
      const sum = (of: (set: ScaleSetSummary) => number) => there.reduce((total, set) => total + of(set), 0);
      return {
        name,
        pairedRegion,
        zones: availabilityZones,
        scaleSets: there.length,
        instances: sum((set) => set.capacity),
        healthy: sum((set) => set.healthy),
      };
    });
  return { now, speed: (await fleet.clock()).speed, regions, scaleSets };
}

async function chooseSets(
  context: ClientContext,
  { region, scaleSet }: FleetViewRequest,
  known: readonly string[],
): Promise<ScaleSet[]> {
  if (scaleSet !== undefined) return [await findScaleSet(context, scaleSet)];
  if (region === undefined) return context.fleet.scaleSets();
  const name = normaliseRegionName(region);
  if (!known.includes(name)) {
    const all = (await context.fleet.scaleSets()).map((set) => set.region);
    const there = [...new Set(all)].toSorted().join(', ');
    throw new UsageError(`"${region}" is no region of this fleet. Scale sets are in: ${there || 'none'}.`);
  }
  return context.fleet.scaleSets({ region: name });
}

function summarise(
  set: ScaleSet,
  instances: readonly Instance[],
  quarantined: readonly QuarantinedInstance[],
  withInstances: boolean,
): ScaleSetSummary {
  const all = instances.map((instance) => summariseInstance(instance, quarantined));
  const versions: Record<string, number> = {};
  for (const { osDisk } of instances) {
    const version = osDisk?.source.version ?? 'none';
    versions[version] = (versions[version] ?? 0) + 1;
  }
  return {
    id: set.id,
    name: set.name,
    resourceGroup: set.resourceGroup,
    subscriptionId: set.subscriptionId,
    region: set.region,
    zones: set.zones,
    orchestrationMode: set.orchestrationMode,
    osType: set.osType,
    capacity: instances.length,
    healthy: all.filter((instance) => instance.health === 'healthy').length,
    quarantined: all.filter((instance) => instance.quarantined !== null).length,
    image: imageLabel(set.imageReference.image),
    imageVersion: set.imageReference.version,
    versions,
    upgradeMode: set.upgradePolicy.mode,
    automaticOSUpgrade: set.upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade,
    ...(withInstances ? { instances: all } : {}),
  };
}

function summariseInstance(instance: Instance, quarantined: readonly QuarantinedInstance[]): InstanceSummary {
  const isHealthy = isSteadilyHealthy(instance, DEFAULT_SETTINGS.healthyReadings);
  const record = quarantined.find((one) => one.instanceId === instance.instanceId);
  return {
    id: instance.instanceId,
    instanceId: instance.instanceId,
    vmId: instance.vmId,
    computerName: instance.computerName,
    privateIpAddress: instance.privateIpAddress,
    version: instance.osDisk?.source.version ?? null,
    osDisk: summariseDisk(instance.osDisk),
    previousOsDisk: summariseDisk(instance.previousOsDisk),
    dataDisks: instance.dataDisks,
    extensions: instance.extensions,
    health: isHealthy && record === undefined ? 'healthy' : 'unhealthy',
    zone: instance.zone,
    updateDomain: instance.updateDomain,
    faultDomain: instance.faultDomain,
    powerState: instance.powerState,
    provisioningState: instance.provisioningState,
    applicationHealth: instance.applicationHealth,
    latestModelApplied: instance.latestModelApplied,
    protectFromScaleSetActions: instance.protectFromScaleSetActions,
    quarantined: record === undefined ? null : { since: record.since, error: record.error },
  };
}

function summariseDisk(disk: OsDisk | null): OsDiskSummary | null {
  return disk && { id: disk.id, version: disk.source.version, createdAt: disk.createdAt };
}
