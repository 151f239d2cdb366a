import type { Database, Queries } from '../../database/database.ts';
import type { Instant } from '../../domain/clock.ts';
import { imageKey } from '../../domain/image.ts';
import type { Region } from '../../domain/region.ts';
import { scaleSetKey, type Instance, type ScaleSet } from '../../domain/scale-set.ts';
import { healthSource } from '../health-signal.ts';
import type { InstanceCache } from './instance-cache.ts';
import type { ScaleSetFilter } from '../port.ts';
import { loadInstances, loadSet, placeOf, saveSet, setLock, settleAll, settleDue } from './store.ts';
import { instanceAt } from './view.ts';
import { fateOf, type World } from './world.ts';

/** What a fleet is read from and written to, with what this process remembers of it. */
export interface FleetStore {
  database: Database;
  worldAt: (db: Queries, revision: number) => Promise<World>;
  cache: InstanceCache;
}

export async function readRegions(db: Queries): Promise<Region[]> {
  const rows = await db.selectFrom('regions').selectAll().orderBy('name').execute();
  return rows.map((row) => ({
    name: row.name,
    displayName: row.display_name,
    geography: row.geography,
    pairedRegion: row.paired_region,
    availabilityZones: JSON.parse(row.availability_zones) as string[],
  }));
}

export async function readScaleSets(db: Queries, filter: ScaleSetFilter = {}): Promise<ScaleSet[]> {
  let query = db.selectFrom('scale_sets').select('spec').orderBy('key');
  if (filter.region !== undefined) query = query.where('region', '=', filter.region);
  if (filter.image !== undefined) query = query.where('image_key', '=', imageKey(filter.image));
  const rows = await query.execute();
  return rows.map(({ spec }) => JSON.parse(spec) as ScaleSet);
}

export async function readScaleSet(db: Queries, id: string): Promise<ScaleSet | null> {
  const row = await db
    .selectFrom('scale_sets')
    .select('spec')
    .where('key', '=', scaleSetKey(id))
    .executeTakeFirst();
  return row === undefined ? null : (JSON.parse(row.spec) as ScaleSet);
}

/**
 * The instances as they are at `at`. What has become due by then is first made to last, so that the journal tells of
 * it; otherwise this only reads.
 */
export async function readInstances(
  { database, worldAt, cache }: FleetStore,
  scaleSetId: string,
  at: Instant,
  instanceIds?: readonly string[],
): Promise<Instance[]> {
  const { db } = database;
  let set = await loadSet(db, scaleSetId, cache);
  if (set === null) return [];
  const now = Math.max(at, set.simTime);
  if (set.nextDue !== null && set.nextDue <= now) {
    await settleSet({ database, cache }, scaleSetId, at);
    set = await loadSet(db, scaleSetId, cache);
    if (set === null) return [];
  }
  const world = await worldAt(db, set.revision);
  const { spec } = set;
  const { healthProbeId } = spec;
  const source = healthSource(spec, world.probes.get(healthProbeId?.toLowerCase() ?? '') ?? null);
  const instances = await loadInstances(db, set, instanceIds && { ids: instanceIds });
  return instances.map(({ row, state }) => {
    const place = placeOf(row);
    const subject = {
      scaleSetId: spec.id,
      region: spec.region,
      zone: row.zone,
      instanceId: row.instance_id,
    };
    return instanceAt({ place, state, scaleSet: spec, source, ...fateOf(world, subject, state) }, now);
  });
}

/** Makes everything of a set happen that is planned up to `at`, and tells the journal. */
export async function settleSet(
  { database, cache }: Pick<FleetStore, 'database' | 'cache'>,
  scaleSetId: string,
  at: Instant,
): Promise<void> {
  await database.write([setLock(scaleSetKey(scaleSetId))], async (tx) => {
    const set = await loadSet(tx, scaleSetId, cache);
    if (set !== null) await settleDue(tx, set, at);
  });
}

/** Gives up the previous OS disks that are kept for a restore. */
export async function discardPreviousOsDisks(
  { database, cache }: Pick<FleetStore, 'database' | 'cache'>,
  scaleSetId: string,
  instanceIds: readonly string[],
  at: Instant,
): Promise<void> {
  await database.write([setLock(scaleSetKey(scaleSetId))], async (tx) => {
    const set = await loadSet(tx, scaleSetId, cache);
    if (set === null) return;
    const now = Math.max(at, set.simTime);
    const instances = await loadInstances(tx, set, { ids: instanceIds, dueUntil: now });
    const lines = settleAll(set.spec, instances, now);
    const named = new Set(instanceIds);
    const keeping = instances.filter(
      ({ row, state }) => named.has(row.instance_id) && state.previous !== null,
    );
    for (const instance of keeping) instance.state = { ...instance.state, previous: null };
    if (keeping.length > 0 || lines.length > 0) await saveSet(tx, { ...set, simTime: now }, instances, lines);
  });
}
