import type { Insertable, Transaction } from 'kysely';
import type { Database } from '../../database/database.ts';
import { insertRows } from '../../database/insert-rows.ts';
import type { Tables } from '../../database/tables.ts';
import { DAY, type Instant } from '../../domain/clock.ts';
import { imageKey, type Image } from '../../domain/image.ts';
import type { Region } from '../../domain/region.ts';
import { scaleSetKey, type ScaleSet } from '../../domain/scale-set.ts';
import { parseScaleSetModel } from '../model.ts';
import { azureRegions } from '../regions.ts';
import { toWireShape, type Json } from '../wire-shape.ts';
import { scaleSetId } from './arm-ids.ts';
import { armModel, imageOf, loadBalancerOf } from './arm-model.ts';
import { newInstanceRow, nextPlace, runningState } from './build-instances.ts';
import { clustersOf, type ArmCluster } from './clusters.ts';
import { newTag } from './instance-cache.ts';
import { putExternalResource } from './external-resources.ts';
import { putNeighbours } from './neighbours.ts';
import { writeFaults } from './scenario.ts';
import { parseFleetSpec, type FullFleetSpec, type FullScaleSetSpec } from './spec.ts';
import { type InstanceRow } from './store.ts';

/** How long ago, at the epoch, VMs were made and automatic upgrades switched on, unless the description says otherwise. */
const AGE = 30 * DAY;

export interface SeededFleet {
  regions: number;
  scaleSets: number;
  instances: number;
  epochVirtual: Instant;
}

/**
 * Fills an empty fleet from its description, all or nothing.
 * @param spec JSON as in `examples/fleets/*.json`
 * @param wallNow the wall time that the fleet's clock begins at
 * @throws Error when the description is wrong, or when there is a fleet already
 */
export async function seedFleet(
  database: Database,
  spec: unknown,
  wallNow = Date.now(),
): Promise<SeededFleet> {
  const fleet = parseFleetSpec(spec);
  const epoch = fleet.epochVirtual ?? wallNow;
  const regions = azureRegions(fleet.regions);
  checkScaleSets(fleet, regions);
  const clusters = clustersOf(fleet);
  const sets = fleet.scaleSets.map((set) => buildSet(set, epoch, clusters));

  await database.write(['fleet'], async (tx) => {
    const there = await tx.selectFrom('scale_sets').select('id').limit(1).executeTakeFirst();
    const row = await tx.selectFrom('fleet').select('id').executeTakeFirst();
    if (row !== undefined || there !== undefined) {
      throw new Error(
        `There is a fleet in ${database.location} already: use another database, or remove that one.`,
      );
    }
    await insertRows(tx, 'fleet', [
      {
        id: 1,
        epoch_virtual: epoch,
        epoch_wall: wallNow,
        speed: fleet.speed,
        seed: fleet.seed,
        behaviour: JSON.stringify(fleet.behaviour),
        revision: 1,
      },
    ]);
    await insertRows(tx, 'regions', regions.map(regionRow));
    await insertCatalog(tx, fleet, epoch - AGE);
    await insertRows(
      tx,
      'scale_sets',
      sets.map(({ set }) => set),
    );
    // Set by set: a hundred thousand rows need not be in memory at once.
    for (const { instances } of sets) await insertRows(tx, 'instances', instances());
    await insertSurroundings(tx, fleet);
    await putNeighbours(tx, 'service_fabric_clusters', clusters.values());
  });
  return {
    regions: regions.length,
    scaleSets: sets.length,
    instances: fleet.scaleSets.reduce((sum, { capacity }) => sum + capacity, 0),
    epochVirtual: epoch,
  };
}

function checkScaleSets({ scaleSets }: FullFleetSpec, regions: readonly Region[]): void {
  const ids = new Set<string>();
  for (const set of scaleSets) {
    const { name, region, zones } = set;
    const found = regions.find((candidate) => candidate.name === region);
    if (found === undefined) {
      throw new Error(
        `Scale set "${name}" is in "${region}", which is no region of this fleet: add it to regions.`,
      );
    }
    const missing = zones.find((zone) => !found.availabilityZones.includes(zone));
    if (missing !== undefined) {
      throw new Error(`Scale set "${name}" is in zone ${missing}, which ${region} does not have (rule A2).`);
    }
    const key = scaleSetKey(scaleSetId(set));
    if (ids.has(key))
      throw new Error(`There are two scale sets "${name}" in one resource group: rename one.`);
    ids.add(key);
  }
}

/** A set's row, and a function that makes those of its instances. */
function buildSet(
  spec: FullScaleSetSpec,
  epoch: Instant,
  clusters: ReadonlyMap<string, ArmCluster>,
): { set: Insertable<Tables['scale_sets']>; instances: () => InstanceRow[] } {
  const arm = toWireShape(armModel(spec, clusters));
  const since = epoch - AGE;
  const scaleSet = parseScaleSetModel(arm, {
    apiVersion: spec.apiVersion,
    at: spec.automaticOSUpgradeSince ?? since,
  });
  const version = { image: imageOf(spec.image), version: spec.version };
  const instances = () => {
    const counts = new Map<string | null, number>();
    return Array.from({ length: spec.capacity }, (_, index) => {
      const id = String(index);
      const state = runningState(scaleSet, id, version, since);
      state.protected = spec.protectedInstances.includes(id);
      return newInstanceRow(scaleSet, nextPlace(scaleSet, id, counts), state, index);
    });
  };
  return { set: scaleSetRow(scaleSet, arm, since), instances };
}

export function regionRow(region: Region): Insertable<Tables['regions']> {
  return {
    name: region.name,
    display_name: region.displayName,
    geography: region.geography,
    paired_region: region.pairedRegion,
    availability_zones: JSON.stringify(region.availabilityZones),
  };
}

/** A set's row as it is when its model is written for the first time. */
export function scaleSetRow(scaleSet: ScaleSet, arm: Json, at: Instant): Insertable<Tables['scale_sets']> {
  return {
    key: scaleSetKey(scaleSet.id),
    id: scaleSet.id,
    region: scaleSet.region,
    image_key: imageKey(scaleSet.imageReference.image),
    arm: JSON.stringify(arm),
    spec: JSON.stringify(scaleSet),
    fence: 0,
    sim_time: at,
    instances_tag: newTag(),
  };
}

async function insertCatalog(
  tx: Transaction<Tables>,
  fleet: FullFleetSpec,
  publishedBy: Instant,
): Promise<void> {
  const rowOf = (image: Image) => ({ key: imageKey(image), image: JSON.stringify(image) });
  const platform = fleet.images.map(({ versions, ...names }) => ({ image: imageOf(names), versions }));
  const galleries = fleet.galleries.map(({ id, versions }) => ({ image: imageOf({ id }), versions }));
  await insertRows(
    tx,
    'images',
    [...platform, ...galleries].map(({ image }) => rowOf(image)),
  );
  await insertRows(tx, 'image_versions', [
    ...platform.flatMap(({ image, versions }) =>
      versions.map(({ version, publishedAt }) => ({
        image_key: imageKey(image),
        version,
        published_at: publishedAt ?? publishedBy,
        exclude_from_latest: 0,
      })),
    ),
    ...galleries.flatMap(({ image, versions }) =>
      versions.map(({ version, publishedAt, excludeFromLatest }) => ({
        image_key: imageKey(image),
        version,
        published_at: publishedAt ?? publishedBy,
        exclude_from_latest: excludeFromLatest ? 1 : 0,
      })),
    ),
  ]);
  await insertRows(
    tx,
    'image_replicas',
    galleries.flatMap(({ image, versions }) =>
      versions.flatMap(({ version, publishedAt, targetRegions }) =>
        targetRegions.map(({ name, replicatedAt, excludeFromLatest }) => ({
          image_key: imageKey(image),
          version,
          region: name,
          replicated_at: replicatedAt === undefined ? (publishedAt ?? publishedBy) : replicatedAt,
          exclude_from_latest: excludeFromLatest ? 1 : 0,
        })),
      ),
    ),
  );
}

async function insertSurroundings(tx: Transaction<Tables>, fleet: FullFleetSpec): Promise<void> {
  const named = new Map(fleet.loadBalancers.map((balancer) => [balancer.id.toLowerCase(), balancer]));
  for (const set of fleet.scaleSets.filter(({ health }) => health === 'probe')) {
    const balancer = loadBalancerOf(set);
    if (!named.has(balancer.id.toLowerCase())) named.set(balancer.id.toLowerCase(), balancer);
  }
  await putNeighbours(tx, 'load_balancers', named.values());
  for (const resource of fleet.externalResources) await putExternalResource(tx, resource);
  await writeFaults(tx, fleet.faults);
}
