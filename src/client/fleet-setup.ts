import { z } from 'zod';
import type { Database } from '../database/database.ts';
import { virtualAt, type Instant } from '../domain/clock.ts';
import { imageKey, imageLabel, type Image } from '../domain/image.ts';
import { parseScope } from '../domain/scopes.ts';
import {
  fleetSpecSchema,
  generateFleet,
  PublishError,
  type Imported,
  type Published,
  type SeededFleet,
  type SimulatedFleet,
} from '../fleet/index.ts';
import type { Ledger } from '../ledger/port.ts';
import { currentInstant } from './context.ts';
import { conflict, UsageError } from './errors.ts';
import { parseWith, readJsonFile } from './json-file.ts';
import { parseImage } from './target.ts';
import { unendedRollouts } from '../activities/workflows-in-scope.ts';

/** What only a simulated fleet lets people do: make it, and publish to it. */
export interface FleetSetupContext {
  database: Database;
  fleet: SimulatedFleet;
  ledger: Ledger;
}

export interface GenerateRequest {
  regions: number;
  scaleSets: number;
  instances: number;
  seed: string;
}

export interface SeedRequest {
  /** A description such as those in `examples/fleets`. */
  file?: string | undefined;
  /** Or numbers to make one up by. */
  generate?: GenerateRequest | undefined;
  /** Instead of what the description says. */
  speed?: number | undefined;
  /** Take the place of a fleet that is there. */
  force?: boolean | undefined;
}

/**
 * Fills an empty fleet, or replaces one. The journal and the record of rollouts are kept in any case: they only grow
 * (rules D9, E4).
 * @throws UsageError for a description that cannot be, and when there is a fleet and nothing says to replace it
 * @throws ClientError `Conflict` when rollouts of the fleet to replace have not ended
 */
export async function seed(context: FleetSetupContext, request: SeedRequest): Promise<SeededFleet> {
  const description = await describe(request);
  const there = (await context.fleet.scaleSets()).length;
  if (there > 0) await refuseToReplace(context, there, request.force ?? false);
  const wall = Date.now();
  // Time never goes back: a fleet that takes another's place goes on from its time.
  const since = there > 0 ? virtualAt(await context.fleet.clock(), wall) : 0;
  const epochVirtual = description.epochVirtual ?? Math.max(wall, since);
  if (there > 0) await releaseAll(context, since);
  const revision = there > 0 ? await clear(context) : 0;
  const seeded = await asUsage(() => context.fleet.seed({ ...description, epochVirtual }, wall));
  if (revision > 0) await setRevision(context, revision + 1);
  return seeded;
}

async function describe({ file, generate, speed }: SeedRequest): Promise<z.output<typeof fleetSpecSchema>> {
  const where = file === undefined ? 'What was asked for' : `The fleet file ${file}`;
  const spec =
    file === undefined
      ? await asUsage(async () => generateFleet(generate ?? DEFAULT_FLEET))
      : await readJsonFile(file, 'The fleet file');
  const description = parseWith(fleetSpecSchema, spec, where);
  return speed === undefined ? description : { ...description, speed };
}

/** A fleet that is large enough to be interesting and small enough to read. */
export const DEFAULT_FLEET: GenerateRequest = { regions: 6, scaleSets: 12, instances: 120, seed: '1' };

async function refuseToReplace(
  { database, ledger }: FleetSetupContext,
  sets: number,
  force: boolean,
): Promise<void> {
  const what = `There is a fleet of ${sets} scale sets in ${database.location} already.`;
  if (!force) {
    throw new UsageError(`${what} Give --force to replace it, or another database by DATABASE_URL.`);
  }
  const [first] = await unendedRollouts(ledger);
  if (first === undefined) return;
  throw conflict(
    `${what} ${first.id} is ${first.status} on it: cancel that first, or use another database.`,
    first.id,
  );
}

/** What stands against VMs and sets of the old fleet does not stand against those of the same ids in the new one. */
async function releaseAll({ ledger }: FleetSetupContext, at: Instant): Promise<void> {
  const by = 'fleet seed';
  for (const { scaleSetId, instanceId } of await ledger.quarantine.list()) {
    await ledger.quarantine.release(scaleSetId, [instanceId], at, by);
  }
  for (const { scaleSetId, version } of await ledger.heldVersions.list()) {
    await ledger.heldVersions.lift(scaleSetId, version, at, by);
  }
  for (const { scope, state } of await ledger.orders.list()) {
    if (state === 'running' || parseScope(scope)?.kind !== 'scaleSet') continue;
    await ledger.orders.set({ scope, state: 'running', who: by, why: 'a new fleet', at });
  }
}

/** Removes the fleet. @returns its last revision */
async function clear({ database }: FleetSetupContext): Promise<number> {
  return database.write(['fleet'], async (tx) => {
    const row = await tx.selectFrom('fleet').select('revision').executeTakeFirst();
    for (const table of FLEET_TABLES) await tx.deleteFrom(table).execute();
    return row?.revision ?? 0;
  });
}

/** Workers that run read the fleet's behaviour anew when its revision changes: the new fleet's must be another one. */
async function setRevision({ database }: FleetSetupContext, revision: number): Promise<void> {
  await database.write(['fleet'], (tx) => tx.updateTable('fleet').set({ revision }).execute());
}

const FLEET_TABLES = [
  'instance_operations',
  'instances',
  'instance_numbers',
  'scale_sets',
  'image_replicas',
  'image_versions',
  'images',
  'external_resources',
  'load_balancers',
  'service_fabric_clusters',
  'faults',
  'regions',
  'fleet',
] as const;

/** Files of what the az CLI lists. */
export interface ImportedFiles {
  scaleSets: string;
  instances: readonly string[];
  loadBalancers?: string | undefined;
  clusters?: string | undefined;
}

/**
 * Adds real scale sets from files of what the az CLI lists.
 * @throws UsageError that names every path that is wrong
 */
export async function importFiles(context: FleetSetupContext, files: ImportedFiles): Promise<Imported> {
  const scaleSets = await readJsonFile(files.scaleSets, 'The file of scale sets');
  const instances: unknown[] = [];
  for (const file of files.instances) instances.push(await readJsonFile(file, 'The file of instances'));
  const listed = async (file: string | undefined, what: string): Promise<unknown> =>
    file === undefined ? [] : readJsonFile(file, what);
  const loadBalancers = await listed(files.loadBalancers, 'The file of load balancers');
  const clusters = await listed(files.clusters, 'The file of clusters');
  const at = await currentInstant(context);
  return asUsage(() => context.fleet.import({ scaleSets, instances, loadBalancers, clusters, at }));
}

export interface PublishRequest {
  image: string;
  version: string;
  /** ISO, virtual time; now if absent. */
  at?: string | undefined;
  /** Of a gallery image: where it is replicated to; where the image is used if absent. */
  regions?: readonly string[] | undefined;
}

/** A version as it was published. */
export interface PublishedVersion extends Published {
  image: string;
  version: string;
  /** Of a gallery image. */
  regions: string[] | null;
}

/**
 * Publishes a version: of a platform image everywhere, of a gallery image in the regions named.
 * @throws UsageError
 */
export async function publish(
  context: FleetSetupContext,
  request: PublishRequest,
): Promise<PublishedVersion> {
  const { fleet } = context;
  const image = await asCataloged(context, parseImage(request.image));
  const { version } = request;
  const at = request.at === undefined ? await currentInstant(context) : instantOf('--at', request.at);
  const label = imageLabel(image);
  try {
    if (image.kind === 'platform') {
      if (request.regions !== undefined && request.regions.length > 0) {
        throw new UsageError('A platform image is published in all regions at once: leave --region out.');
      }
      return {
        ...(await fleet.publishImageVersion({ image, version, at })),
        image: label,
        version,
        regions: null,
      };
    }
    const regions = request.regions?.length ? [...request.regions] : await regionsUsing(fleet, image);
    const targetRegions = regions.map((name) => ({ name, replicatedAt: at }));
    const published = await fleet.publishGalleryVersion({ imageId: image.id, version, at, targetRegions });
    return { ...published, image: label, version, regions };
  } catch (error) {
    if (error instanceof PublishError) throw new UsageError(error.message);
    throw error;
  }
}

/** In the catalog's spelling. */
async function asCataloged({ fleet }: FleetSetupContext, image: Image): Promise<Image> {
  return (await fleet.images()).find((candidate) => imageKey(candidate) === imageKey(image)) ?? image;
}

async function regionsUsing(fleet: SimulatedFleet, image: Image): Promise<string[]> {
  const regions = new Set((await fleet.scaleSets({ image })).map((set) => set.region));
  if (regions.size > 0) return [...regions].toSorted();
  throw new UsageError(`No scale set uses ${imageLabel(image)}: say by --region where to replicate it.`);
}

/** A moment that a person gave as an option. @throws UsageError */
export function instantOf(option: string, text: string): number {
  const parsed = z.iso.datetime({ offset: true }).or(z.iso.date()).safeParse(text);
  if (parsed.success) return Date.parse(parsed.data);
  throw new UsageError(
    `${option} is "${text}", which is no time. Give ISO 8601, such as 2026-01-05T10:00:00Z.`,
  );
}

/**
 * Does what a person asked of a store. The stores' refusals of it are plain errors; a database's fault has a class or a code.
 * @throws UsageError in place of a refusal
 */
export async function asUsage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isRefusal = error instanceof Error && error.constructor === Error && !('code' in error);
    throw isRefusal ? new UsageError(error.message) : error;
  }
}
