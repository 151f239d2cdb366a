import type { Transaction } from 'kysely';
import type { Database, Queries } from '../../database/database.ts';
import type { Tables } from '../../database/tables.ts';
import type { Instant } from '../../domain/clock.ts';
import { imageKey, latestVersion, type ImageVersion } from '../../domain/image.ts';
import { scaleSetKey, type ScaleSet } from '../../domain/scale-set.ts';
import { modelCapacity, parseScaleSetModel } from '../model.ts';
import { ModelError, type ModelIssue } from '../model-error.ts';
import { toWireShape, type Json } from '../wire-shape.ts';
import { newInstanceRow, nextPlace, runningState } from './build-instances.ts';
import { imageOffers } from './images.ts';
import { scaleSetRow } from './seed.ts';
import type { InstanceState, Stop } from './state.ts';
import { insertRows, loadInstances, saveSet, setLock, settleAll } from './store.ts';

export interface ModelWrite {
  /** The whole model, in wire shape or flattened. What a PUT leaves out is to be filled in before: see `mergeModels`. */
  model: Json;
  /** The ARM id, where the model has none. */
  id?: string;
  /** The Compute API version of the request (rule C7). */
  apiVersion: string;
  at: Instant;
}

/** The ARM model of a set, in wire shape, as it was written: secrets included, so never to be shown as it is. */
export async function readModel(db: Queries, id: string): Promise<Json | null> {
  const row = await db
    .selectFrom('scale_sets')
    .select('arm')
    .where('key', '=', scaleSetKey(id))
    .executeTakeFirst();
  return row === undefined ? null : (JSON.parse(row.arm) as Json);
}

/**
 * Writes a set's model: makes the set, or changes it. Instances follow its capacity; those that are there keep their
 * model until it is applied to them (`latestModelApplied`).
 * @throws ModelError when the model cannot be taken, or changes what may not change (rule C10)
 */
export async function writeModel(database: Database, write: ModelWrite): Promise<ScaleSet> {
  const wire = toWireShape(write.model);
  const id = write.id ?? (typeof wire['id'] === 'string' ? wire['id'] : '');
  const key = scaleSetKey(id);
  return database.write([setLock(key)], async (tx) => {
    const row = await tx.selectFrom('scale_sets').selectAll().where('key', '=', key).executeTakeFirst();
    const previous = row === undefined ? undefined : (JSON.parse(row.spec) as ScaleSet);
    // An id keeps the case in which it was first written.
    const arm: Json = { ...wire, id: previous?.id ?? id };
    const parsed = parseScaleSetModel(arm, {
      id: previous?.id ?? id,
      apiVersion: write.apiVersion,
      at: write.at,
      ...(previous === undefined ? {} : { previous }),
    });
    const same = row !== undefined && content(JSON.parse(row.arm) as Json) === content(arm);
    const scaleSet = same && previous ? { ...parsed, modelVersion: previous.modelVersion } : parsed;
    if (previous !== undefined) {
      checkUnchangeable(previous, scaleSet);
      // A SKU without a version in the region is one that nothing can be brought to.
      if (!usesImageOf(previous, scaleSet)) await versionFor(tx, scaleSet, write.at);
    }
    if (row === undefined) {
      await insertRows(tx, 'scale_sets', [scaleSetRow(scaleSet, arm, write.at)]);
    } else {
      const { fence: _fence, sim_time: _simTime, ...model } = scaleSetRow(scaleSet, arm, write.at);
      await tx.updateTable('scale_sets').set(model).where('key', '=', key).execute();
    }
    await scale(tx, scaleSet, modelCapacity(arm), Math.max(write.at, row?.sim_time ?? 0));
    return scaleSet;
  });
}

/** Removes a set and its instances. Its journal stays. */
export async function deleteScaleSet(database: Database, id: string): Promise<void> {
  const key = scaleSetKey(id);
  await database.write([setLock(key)], async (tx) => {
    await tx.deleteFrom('instances').where('scale_set_key', '=', key).execute();
    await tx.deleteFrom('instance_operations').where('scale_set_key', '=', key).execute();
    await tx.deleteFrom('scale_sets').where('key', '=', key).execute();
  });
}

/** Removes instances; the model's capacity follows. Those that are not there are passed over. */
export async function deleteInstances(
  database: Database,
  id: string,
  instanceIds: readonly string[],
): Promise<void> {
  const key = scaleSetKey(id);
  await database.write([setLock(key)], async (tx) => {
    const arm = await readModel(tx, id);
    if (arm === null || instanceIds.length === 0) return;
    const { numDeletedRows } = await tx
      .deleteFrom('instances')
      .where('scale_set_key', '=', key)
      .where('instance_id', 'in', [...instanceIds])
      .executeTakeFirst();
    const capacity = modelCapacity(arm) - Number(numDeletedRows);
    const resized = { ...arm, sku: { ...(arm['sku'] as Json), capacity } };
    await tx
      .updateTable('scale_sets')
      .set({ arm: JSON.stringify(resized) })
      .where('key', '=', key)
      .execute();
  });
}

/** What can be done to an instance from outside an upgrade. */
export interface InstanceChange {
  protectFromScaleSetActions?: boolean;
  power?: 'running' | 'stopped' | 'deallocated';
}

/** Protects instances, or stops and starts them. */
export async function changeInstances(
  database: Database,
  id: string,
  instanceIds: readonly string[],
  change: InstanceChange,
  at: Instant,
): Promise<void> {
  const key = scaleSetKey(id);
  await database.write([setLock(key)], async (tx) => {
    const row = await tx.selectFrom('scale_sets').selectAll().where('key', '=', key).executeTakeFirst();
    if (row === undefined) return;
    const now = Math.max(at, row.sim_time);
    const instances = await loadInstances(tx, key, { ids: instanceIds, dueUntil: now });
    const lines = settleAll(JSON.parse(row.spec) as ScaleSet, instances, now);
    for (const instance of instances.filter(({ row: { instance_id } }) =>
      instanceIds.includes(instance_id),
    )) {
      instance.state = {
        ...instance.state,
        protected: change.protectFromScaleSetActions ?? instance.state.protected,
        power: change.power ?? instance.state.power,
        stops: stopsAfter(instance.state, change.power, now),
      };
    }
    await saveSet(tx, { key, fence: row.fence, simTime: now }, instances, lines);
  });
}

function stopsAfter({ power, stops }: InstanceState, next: InstanceChange['power'], now: Instant): Stop[] {
  const last = stops.at(-1);
  const isStopped = last !== undefined && last.to === null;
  if (next === 'running' && isStopped) return stops.with(-1, { ...last, to: now });
  return next !== undefined && next !== 'running' && power === 'running'
    ? [...stops, { from: now, to: null }]
    : stops;
}

/** What of a model its instances may be behind with: not how many they are, nor what only labels it. */
function content({ sku, tags: _tags, etag: _etag, ...model }: Json): string {
  const { capacity: _capacity, ...size } = (sku ?? {}) as Json;
  return JSON.stringify([size, model]);
}

function usesImageOf(a: ScaleSet, b: ScaleSet): boolean {
  return imageKey(a.imageReference.image) === imageKey(b.imageReference.image);
}

function checkUnchangeable(before: ScaleSet, after: ScaleSet): void {
  const issues: ModelIssue[] = [];
  const refuse = (code: ModelIssue['code'], target: string, message: string) =>
    issues.push({ code, target, message });
  const [old, now] = [before.imageReference.image, after.imageReference.image];
  if (old.kind !== now.kind) {
    refuse(
      'OperationNotAllowed',
      'imageReference',
      'The Image type for a Virtual Machine Scale Set may not be changed.',
    );
  } else if (old.kind === 'platform' && now.kind === 'platform') {
    for (const part of ['publisher', 'offer'] as const) {
      if (old[part].toLowerCase() === now[part].toLowerCase()) continue;
      const target = `imageReference.${part}`;
      refuse('PropertyChangeNotAllowed', target, `Changing property '${target}' is not allowed.`);
    }
  }
  if (before.region !== after.region) {
    refuse('PropertyChangeNotAllowed', 'location', "Changing property 'location' is not allowed.");
  }
  if (before.zones.join() !== after.zones.join()) {
    refuse('PropertyChangeNotAllowed', 'zones', "Changing property 'zones' is not allowed.");
  }
  if (issues.length > 0) throw new ModelError(`scale set "${before.name}"`, issues);
}

/** Adds instances on the version that the model asks for, or removes the last ones. */
async function scale(
  tx: Transaction<Tables>,
  scaleSet: ScaleSet,
  capacity: number,
  at: Instant,
): Promise<void> {
  const key = scaleSetKey(scaleSet.id);
  const there = await tx
    .selectFrom('instances')
    .select(['instance_id', 'zone', 'position'])
    .where('scale_set_key', '=', key)
    .orderBy('position')
    .execute();
  if (capacity < there.length) {
    const last = there.slice(capacity).map(({ instance_id }) => instance_id);
    await tx
      .deleteFrom('instances')
      .where('scale_set_key', '=', key)
      .where('instance_id', 'in', last)
      .execute();
  }
  if (capacity <= there.length) return;
  const version = await versionFor(tx, scaleSet, at);
  const counts = new Map<string | null, number>();
  for (const { zone } of there) counts.set(zone, (counts.get(zone) ?? 0) + 1);
  const first = Math.max(-1, ...there.map(({ position }) => position)) + 1;
  const rows = Array.from({ length: capacity - there.length }, (_, i) => {
    const id = String(first + i);
    return newInstanceRow(
      scaleSet,
      nextPlace(scaleSet, id, counts),
      runningState(scaleSet, id, version, at),
      first + i,
    );
  });
  await insertRows(tx, 'instances', rows);
}

/** The exact version that new instances get. */
async function versionFor(tx: Queries, scaleSet: ScaleSet, at: Instant): Promise<ImageVersion> {
  const { image, version } = scaleSet.imageReference;
  if (version.toLowerCase() !== 'latest') return { image, version };
  const offers = await imageOffers(tx, image, scaleSet.region, at);
  const latest = latestVersion(
    offers.filter((offer) => !offer.excludedFromLatest).map((offer) => offer.version),
  );
  if (latest !== undefined) return { image, version: latest };
  throw new ModelError(`scale set "${scaleSet.name}"`, [
    {
      code: 'PlatformImageNotFound',
      target: 'imageReference',
      message: `The image '${imageKey(image)}' has no version in ${scaleSet.region}. Publish one, or name another image.`,
    },
  ]);
}
