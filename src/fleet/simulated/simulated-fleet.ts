import type { Database, Queries } from '../../database/database.ts';
import { REAL_TIME, type Instant } from '../../domain/clock.ts';
import type { Image } from '../../domain/image.ts';
import { scaleSetKey, type ScaleSet } from '../../domain/scale-set.ts';
import type { ExternalResource } from '../../domain/surroundings.ts';
import type { Fleet } from '../port.ts';
import type { Json } from '../wire-shape.ts';
import { withApiErrors } from './api-errors.ts';
import { timingsOf, type Behaviour } from './behaviour.ts';
import { changeInstances, type InstanceChange } from './change-instances.ts';
import { listExternalResources, putExternalResource } from './external-resources.ts';
import type { Fault } from './faults.ts';
import {
  discardPreviousOsDisks,
  readInstances,
  readRegions,
  readScaleSet,
  readScaleSets,
  settleSet,
} from './fleet-reads.ts';
import { readCatalog, type CatalogImage } from './catalog.ts';
import { imageOffers } from './images.ts';
import { InstanceCache } from './instance-cache.ts';
import { importFleet, type FleetImport, type Imported } from './import.ts';
import { putCluster, readNeighbours, type Neighbour } from './neighbours.ts';
import { operate } from './operate.ts';
import {
  publishGalleryVersion,
  publishImageVersion,
  readImages,
  type GalleryVersion,
  type Published,
} from './publish.ts';
import { deleteInstances, deleteScaleSet } from './remove-instances.ts';
import { addFaults, readFaults, setBehaviour, setFaults } from './scenario.ts';
import { seedFleet, type SeededFleet } from './seed.ts';
import { setLock } from './store.ts';
import { readSurroundings } from './surroundings.ts';
import { FleetHead } from './fleet-head.ts';
import { loadWorld, type World } from './world.ts';
import { readModel, writeModel, type ModelWrite } from './write-model.ts';

/** The simulated fleet, and what only a simulated one can do: be made, published to, and go wrong on demand. */
export interface SimulatedFleet extends Fleet {
  /**
   * The fleet as workers call it: whatever they ask may fail by the scenario's `apiError`s. To people only operations do, who want to
   * see what becomes of it.
   */
  overApi(): Fleet;
  /** Fills an empty fleet: see `seedFleet`. */
  seed(spec: unknown, wallNow?: number): Promise<SeededFleet>;
  /** Takes over what the az CLI lists: see `importFleet`. */
  import(fleet: FleetImport): Promise<Imported>;
  publishImageVersion(version: Parameters<typeof publishImageVersion>[1]): Promise<Published>;
  publishGalleryVersion(version: GalleryVersion): Promise<Published>;
  images(): Promise<Image[]>;
  /** Every version of every image, offered yet or not, by image: see `readCatalog`. */
  catalog(): Promise<CatalogImage[]>;
  /** A set's ARM model as it was written, secrets included: see `readModel`. */
  model(scaleSetId: string): Promise<Json | null>;
  /** Makes a set or changes its model: see `writeModel`. */
  writeModel(write: ModelWrite): Promise<ScaleSet>;
  /** What had happened by `at` stays in the journal. Made again, its instances get numbers that it never had. */
  deleteScaleSet(scaleSetId: string, at: Instant): Promise<void>;
  deleteInstances(scaleSetId: string, instanceIds: readonly string[], at: Instant): Promise<void>;
  /** Protects instances, or stops and starts them. */
  changeInstances(
    scaleSetId: string,
    instanceIds: readonly string[],
    change: InstanceChange,
    at: Instant,
  ): Promise<void>;
  faults(): Promise<Fault[]>;
  addFaults(faults: unknown): Promise<Fault[]>;
  /** Makes these the fleet's faults. */
  setFaults(faults: unknown): Promise<Fault[]>;
  setBehaviour(behaviour: unknown): Promise<Behaviour>;
  externalResources(): Promise<ExternalResource[]>;
  /** Adds one or changes it: this is how a credential is renewed (rule B11). See `resourceUrl` for URLs with tokens. */
  putExternalResource(resource: ExternalResource): Promise<void>;
  /** The Service Fabric clusters, in wire shape or flattened, as they were written. */
  serviceFabricClusters(): Promise<Neighbour[]>;
  /** Changes a cluster, or adds one: see `putCluster`. */
  putServiceFabricCluster(cluster: Neighbour): Promise<void>;
  /** Makes everything that is planned up to `at` happen in a set, so that the journal tells of it. */
  settle(scaleSetId: string, at: Instant): Promise<void>;
}

/** Opens the simulated fleet in a database; an empty one has no regions, and wall time as its clock. */
export async function openSimulatedFleet(database: Database): Promise<SimulatedFleet> {
  const { db } = database;
  const world = worldReader();
  const head = new FleetHead(db);
  const store = { database, worldAt: world, cache: new InstanceCache() };
  const port: Fleet = {
    clock: async () => (await head.clock()) ?? REAL_TIME,
    regions: () => readRegions(db),
    timings: async () => timingsOf((await loadWorld(db)).behaviour),
    scaleSets: (filter) => readScaleSets(db, filter),
    scaleSet: (id) => readScaleSet(db, id),
    instances: (scaleSetId, at, instanceIds) => readInstances(store, scaleSetId, at, instanceIds),
    surroundings: (scaleSet, at) => readSurroundings(db, world, scaleSet, at),
    imageOffers: (image, region, at) => imageOffers(db, image, region, at),
    fence: (scaleSetId, fence) => raiseFence(database, scaleSetId, fence),
    operate: (request) => operate(store, request),
    discardPreviousOsDisks: (scaleSetId, instanceIds, at) =>
      discardPreviousOsDisks(store, scaleSetId, instanceIds, at),
  };
  return {
    ...port,
    overApi: () => withApiErrors(port, database, { head, worldAt: world }),
    seed: head.changing((spec, wallNow) => seedFleet(database, spec, wallNow)),
    import: head.changing((fleet) => importFleet(database, fleet)),
    publishImageVersion: (version) => publishImageVersion(database, version),
    publishGalleryVersion: (version) => publishGalleryVersion(database, version),
    images: () => readImages(db),
    catalog: () => readCatalog(db),
    model: (scaleSetId) => readModel(db, scaleSetId),
    writeModel: (write) => writeModel(database, write),
    deleteScaleSet: (scaleSetId, at) => deleteScaleSet(database, scaleSetId, at),
    deleteInstances: (scaleSetId, instanceIds, at) => deleteInstances(database, scaleSetId, instanceIds, at),
    changeInstances: (scaleSetId, instanceIds, change, at) =>
      changeInstances(database, scaleSetId, instanceIds, change, at),
    faults: () => readFaults(db),
    addFaults: head.changing((faults) => addFaults(database, faults)),
    setFaults: head.changing((faults) => setFaults(database, faults)),
    setBehaviour: head.changing((behaviour) => setBehaviour(database, behaviour)),
    externalResources: () => listExternalResources(db),
    putExternalResource: (resource) => putExternalResource(db, resource),
    serviceFabricClusters: () => readNeighbours(db, 'service_fabric_clusters'),
    putServiceFabricCluster: head.changing((cluster) => putCluster(database, cluster)),
    settle: (scaleSetId, at) => settleSet(store, scaleSetId, at),
  };
}

/** Under the set's lock: an operation in progress would write back the fence that it has read. */
async function raiseFence(database: Database, scaleSetId: string, fence: number): Promise<void> {
  const key = scaleSetKey(scaleSetId);
  await database.write([setLock(key)], (tx) =>
    tx.updateTable('scale_sets').set({ fence }).where('key', '=', key).where('fence', '<', fence).execute(),
  );
}

/** Reads the world once for each of its revisions: it is the same for every operation of a rollout. */
function worldReader(): (db: Queries, revision: number) => Promise<World> {
  let cached: { revision: number; world: World } | undefined;
  return async (db, revision) => {
    if (cached?.revision !== revision) cached = { revision, world: await loadWorld(db) };
    return cached.world;
  };
}
