import type { Instant } from '../../domain/clock.ts';
import type { ImageVersion } from '../../domain/image.ts';
import { shortHash } from '../../domain/random.ts';
import { scaleSetKey, type ScaleSet } from '../../domain/scale-set.ts';
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
    planned: [],
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
