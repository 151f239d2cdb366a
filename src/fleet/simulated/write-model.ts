import type { Database, Queries } from '../../database/database.ts';
import { insertRows } from '../../database/insert-rows.ts';
import type { Instant } from '../../domain/clock.ts';
import { imageKey } from '../../domain/image.ts';
import { scaleSetKey, type ScaleSet } from '../../domain/scale-set.ts';
import { modelCapacity, parseScaleSetModel } from '../model.ts';
import { ModelError, type ModelIssue } from '../model-error.ts';
import { reachesInstances } from '../reaches-instances.ts';
import { toWireShape, type Json } from '../wire-shape.ts';
import { scale, versionFor } from './scale.ts';
import { scaleSetRow } from './seed.ts';
import { setLock } from './store.ts';

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
    const reaches =
      row === undefined || reachesInstances(JSON.parse(row.arm) as Json, arm, parsed.upgradePolicy.mode);
    const scaleSet = reaches || !previous ? parsed : { ...parsed, modelVersion: previous.modelVersion };
    if (previous !== undefined) {
      checkUnchangeable(previous, scaleSet);
      // A SKU without a version in the region is one that nothing can be brought to.
      if (!usesImageOf(previous, scaleSet)) await versionFor(tx, scaleSet, write.at);
    }
    if (row === undefined) {
      await insertRows(tx, 'scale_sets', [scaleSetRow(scaleSet, arm, write.at)]);
    } else {
      const {
        fence: _fence,
        sim_time: _simTime,
        instances_tag: _tag,
        ...model
      } = scaleSetRow(scaleSet, arm, write.at);
      await tx.updateTable('scale_sets').set(model).where('key', '=', key).execute();
    }
    await scale(tx, scaleSet, modelCapacity(arm), Math.max(write.at, row?.sim_time ?? 0));
    return scaleSet;
  });
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
