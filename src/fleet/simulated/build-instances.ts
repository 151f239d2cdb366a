import type { Instant } from '../../domain/clock.ts';
import type { ImageVersion } from '../../domain/image.ts';
import { hash32, shortHash } from '../../domain/random.ts';
import { scaleSetKey, type ScaleSet, type VmIdentity } from '../../domain/scale-set.ts';
import { osDiskId, withFirstLetters } from './plan-disk.ts';
import type { InstanceState } from './state.ts';
import { instanceRow, type InstanceRow } from './store.ts';
import type { InstancePlace } from './view.ts';

/** Azure's update domains: always 5 (rule A4). */
const UPDATE_DOMAINS = 5;
const FAULT_DOMAINS = 5;

/** Numbers of instances already in each zone, so that more are spread as evenly. */
export type ZoneCounts = Map<string | null, number>;

/** Where the next instance of a set goes: zones in turn, in a zone update domains in turn. */
export function nextPlace(scaleSet: ScaleSet, instanceId: string, counts: ZoneCounts): InstancePlace {
  const zones: (string | null)[] = scaleSet.zones.length > 0 ? scaleSet.zones : [null];
  const zone = zones.reduce((fewest, next) =>
    (counts.get(next) ?? 0) < (counts.get(fewest) ?? 0) ? next : fewest,
  );
  const index = counts.get(zone) ?? 0;
  counts.set(zone, index + 1);
  const flexible = scaleSet.orchestrationMode === 'Flexible';
  // Zonal sets have one fault domain a zone, regional ones five.
  const faultDomain = zone === null ? index % FAULT_DOMAINS : 0;
  return {
    instanceId,
    zone,
    updateDomain: flexible ? null : index % UPDATE_DOMAINS,
    faultDomain: flexible ? null : faultDomain,
  };
}

/** A VM that runs well on `version` since `since`. */
export function runningState(
  scaleSet: ScaleSet,
  instanceId: string,
  version: ImageVersion,
  since: Instant,
): InstanceState {
  const unique = shortHash(`${scaleSetKey(scaleSet.id)}:${instanceId}`);
  return {
    identity: identityOf(scaleSet, instanceId),
    osDisk: { id: osDiskId(scaleSet.name, instanceId, unique), source: version, createdAt: since },
    previous: null,
    dataDisks: withFirstLetters(scaleSet.dataDisks, scaleSet.osType),
    extensions: scaleSet.extensions.map(({ name }) => ({ name, state: 'succeeded' })),
    power: 'running',
    provisioning: 'Succeeded',
    protected: false,
    appliedModelVersion: scaleSet.modelVersion,
    configuredAt: since,
    healthyFrom: since,
    stops: [],
    hits: {},
    planned: [],
  };
}

/** What a VM keeps for life: the same for the same set and instance. */
export function identityOf(scaleSet: ScaleSet, instanceId: string): VmIdentity {
  const parts = (n: number) => hash32(`${scaleSetKey(scaleSet.id)}:${instanceId}:${n}`);
  const hex = [0, 1, 2, 3].map((n) => parts(n).toString(16).padStart(8, '0')).join('');
  // The shape of a random UUID: version 4, variant 10.
  const vmId = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20),
  ];
  const number = /^\d{1,9}$/.test(instanceId) ? Number(instanceId) : parts(0);
  const prefix = scaleSet.computerNamePrefix || scaleSet.name.slice(0, 9);
  // Azure leaves the first four addresses of a subnet alone.
  const host = 4 + (number % 65_000);
  const subnet = hash32(scaleSetKey(scaleSet.id)) % 256;
  return {
    vmId: vmId.join('-'),
    computerName: prefix + (number % 36 ** 6).toString(36).padStart(6, '0'),
    privateIpAddress: `10.${subnet}.${Math.floor(host / 256)}.${host % 256}`,
  };
}

/** The row of an instance that nothing was done to yet. */
export function newInstanceRow(
  scaleSet: ScaleSet,
  place: InstancePlace,
  state: InstanceState,
  index: number,
): InstanceRow {
  return instanceRow(
    {
      scale_set_key: scaleSetKey(scaleSet.id),
      instance_id: place.instanceId,
      position: positionOf(place.instanceId, index),
      zone: place.zone,
      update_domain: place.updateDomain,
      fault_domain: place.faultDomain,
      fence: 0,
      operation_rank: 0,
    },
    state,
  );
}

/** Ids are numbers in Uniform sets; others keep the order in which they came. */
function positionOf(instanceId: string, index: number): number {
  return /^\d{1,9}$/.test(instanceId) ? Number(instanceId) : index;
}
