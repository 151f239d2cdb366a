import type { Transaction } from 'kysely';
import type { Database } from '../../database/database.ts';
import { insertRows } from '../../database/insert-rows.ts';
import type { Tables } from '../../database/tables.ts';
import type { Instant } from '../../domain/clock.ts';
import type { ImageVersion } from '../../domain/image.ts';
import { scaleSetKey, type OsDisk, type PowerState, type ScaleSet } from '../../domain/scale-set.ts';
import { healthSignal } from '../health-signal.ts';
import { parseScaleSetModel } from '../model.ts';
import { ModelError } from '../model-error.ts';
import { AZURE_REGIONS } from '../regions.ts';
import { isJsonObject, toWireShape, type Json } from '../wire-shape.ts';
import { newInstanceRow, nextPlace, runningState } from './build-instances.ts';
import { addToCatalog } from './import-catalog.ts';
import { importNeighbours, readListed } from './import-neighbours.ts';
import { readInstance, type WireInstance } from './import-schema.ts';
import { touchFleet } from './scenario.ts';
import { regionRow, scaleSetRow } from './seed.ts';
import type { InstanceState } from './state.ts';
import { type InstanceRow } from './store.ts';
import type { InstancePlace } from './view.ts';

/** The API version of what the az CLI lists, which does not say with which one a model was written. */
const LISTED_API_VERSION = '2024-11-01';

export interface FleetImport {
  /** The JSON of `az vmss list`. */
  scaleSets: unknown;
  /** The JSONs of `az vmss list-instances`, one a set, or one list of them all. */
  instances: unknown[];
  /** The JSON of `az network lb list`, and of `az sf cluster list`: what is around the sets (rules C4, C5). */
  loadBalancers?: unknown;
  clusters?: unknown;
  /** When this is how the fleet is. */
  at: Instant;
}

export interface Imported {
  scaleSets: number;
  instances: number;
  /** What was not in the JSON, and what was assumed instead. */
  notes: string[];
}

/**
 * Takes over real scale sets from what the az CLI lists, in wire shape or flattened; all or nothing. Regions that the
 * fleet does not have are added.
 * @throws Error that names every path that is wrong, or the sets that are there already
 */
export async function importFleet(
  database: Database,
  { scaleSets, instances, loadBalancers = [], clusters = [], at }: FleetImport,
): Promise<Imported> {
  const problems: string[] = [];
  const notes = new Set<string>();
  const sets = readSets(scaleSets, at, problems);
  const bySet = groupInstances(instances.flat(), sets, problems);
  const rows = sets.flatMap(({ scaleSet }) =>
    instanceRows(scaleSet, bySet.get(scaleSetKey(scaleSet.id)) ?? [], at, notes),
  );
  const listed = {
    loadBalancers: readListed(loadBalancers, 'loadBalancers', problems),
    clusters: readListed(clusters, 'clusters', problems),
  };
  if (problems.length > 0) throw new Error(`Nothing was imported:\n${problems.join('\n')}`);

  const found = sets.map(({ scaleSet }) => scaleSet);
  await database.write(['fleet', 'catalog'], async (tx) => {
    await touchFleet(tx);
    await addRegions(tx, found);
    await refuseKnown(tx, found);
    await insertRows(
      tx,
      'scale_sets',
      sets.map(({ scaleSet, arm }) => scaleSetRow(scaleSet, arm, at)),
    );
    await insertRows(tx, 'instances', rows);
    await addToCatalog(tx, found, rows, at);
    await importNeighbours(tx, listed, found, notes);
  });
  return { scaleSets: sets.length, instances: rows.length, notes: [...notes] };
}

async function addRegions(tx: Transaction<Tables>, sets: readonly ScaleSet[]): Promise<void> {
  const known = await tx.selectFrom('regions').select('name').execute();
  const names = new Set(known.map(({ name }) => name));
  const missing = new Set(sets.map(({ region }) => region).filter((name) => !names.has(name)));
  await insertRows(tx, 'regions', AZURE_REGIONS.filter(({ name }) => missing.has(name)).map(regionRow));
}

/** @throws Error that names the sets that the fleet has already */
async function refuseKnown(tx: Transaction<Tables>, sets: readonly ScaleSet[]): Promise<void> {
  const keys = sets.map(({ id }) => scaleSetKey(id));
  const there = await tx
    .selectFrom('scale_sets')
    .select('id')
    .where('key', 'in', keys.length > 0 ? keys : [''])
    .execute();
  if (there.length === 0) return;
  throw new Error(
    `Nothing was imported: there are these scale sets already: ${there.map(({ id }) => id).join(', ')}.`,
  );
}

function readSets(json: unknown, at: Instant, problems: string[]): { scaleSet: ScaleSet; arm: Json }[] {
  // The API answers `{ value: [...] }` where the CLI prints the list.
  const list: unknown = isJsonObject(json) && Array.isArray(json['value']) ? json['value'] : json;
  if (!Array.isArray(list)) {
    problems.push('scaleSets: give the list that `az vmss list` prints.');
    return [];
  }
  const sets: { scaleSet: ScaleSet; arm: Json }[] = [];
  for (const [i, raw] of list.entries()) {
    const path = `scaleSets.${i}`;
    if (!isJsonObject(raw)) {
      problems.push(`${path}: it is no object.`);
      continue;
    }
    const arm = toWireShape(raw);
    try {
      const scaleSet = parseScaleSetModel(arm, { apiVersion: LISTED_API_VERSION, at });
      if (!AZURE_REGIONS.some(({ name }) => name === scaleSet.region)) {
        problems.push(`${path}.location: "${scaleSet.region}" is no region of Azure's.`);
      } else if (sets.some((other) => scaleSetKey(other.scaleSet.id) === scaleSetKey(scaleSet.id))) {
        problems.push(`${path}.id: ${scaleSet.id} is in the list twice.`);
      } else {
        sets.push({ scaleSet, arm });
      }
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      problems.push(...error.issues.map(({ target, message }) => `${path}.${target}: ${message}`));
    }
  }
  return sets;
}

function groupInstances(
  list: readonly unknown[],
  sets: readonly { scaleSet: ScaleSet }[],
  problems: string[],
): Map<string, WireInstance[]> {
  const groups = new Map<string, WireInstance[]>(sets.map(({ scaleSet }) => [scaleSetKey(scaleSet.id), []]));
  for (const [i, raw] of list.entries()) {
    const path = `instances.${i}`;
    const read = readInstance(raw);
    if ('issues' in read) {
      problems.push(...read.issues.map(({ target, message }) => `${path}.${target}: ${message}`));
      continue;
    }
    const { id } = read.instance;
    const group = groups.get(scaleSetKey(id).replace(/\/virtualmachines\/[^/]+$/, ''));
    if (group === undefined) {
      problems.push(
        `${path}.id: ${id} is an instance of none of the scale sets. Add its set, or leave it out.`,
      );
    } else {
      group.push(read.instance);
    }
  }
  return groups;
}

function instanceRows(
  scaleSet: ScaleSet,
  instances: readonly WireInstance[],
  at: Instant,
  notes: Set<string>,
): InstanceRow[] {
  const counts = new Map<string | null, number>();
  const idOf = (instance: WireInstance) =>
    instance.instanceId ?? instance.id.slice(instance.id.lastIndexOf('/') + 1);
  const ordered = instances.toSorted((a, b) => idOf(a).localeCompare(idOf(b), 'en', { numeric: true }));
  return ordered.map((instance, index) => {
    const place = placeOf(scaleSet, idOf(instance), instance, counts, notes);
    return newInstanceRow(scaleSet, place, stateOf(scaleSet, instance, place.instanceId, at, notes), index);
  });
}

function placeOf(
  scaleSet: ScaleSet,
  instanceId: string,
  instance: WireInstance,
  counts: Map<string | null, number>,
  notes: Set<string>,
): InstancePlace {
  const zone = instance.zones?.[0];
  // Its own zone is all that the place is chosen from, if it says one.
  const place = nextPlace(zone === undefined ? scaleSet : { ...scaleSet, zones: [zone] }, instanceId, counts);
  const view = instance.properties.instanceView;
  if (typeof view?.platformUpdateDomain !== 'number') {
    if (scaleSet.orchestrationMode === 'Uniform') {
      notes.add(
        `${scaleSet.name}: no update domains; they were assigned in turn. \`--expand instanceView\` lists them.`,
      );
    }
    return place;
  }
  return {
    ...place,
    updateDomain: view.platformUpdateDomain,
    faultDomain: view.platformFaultDomain ?? place.faultDomain,
  };
}

function stateOf(
  scaleSet: ScaleSet,
  { properties }: WireInstance,
  instanceId: string,
  at: Instant,
  notes: Set<string>,
): InstanceState {
  const version = versionOf(scaleSet, properties.storageProfile?.imageReference ?? {}, notes);
  const created = Date.parse(properties.timeCreated ?? '');
  const since = Number.isNaN(created) ? at : Math.min(created, at);
  const state = runningState(scaleSet, instanceId, version, since);
  const osDisk = properties.storageProfile?.osDisk;
  const id = osDisk?.managedDisk?.id ?? osDisk?.name ?? state.osDisk?.id;
  const power = powerOf(properties.instanceView?.statuses ?? []);
  return {
    ...state,
    identity: {
      ...state.identity,
      ...(properties.vmId ? { vmId: properties.vmId } : {}),
      ...(properties.osProfile?.computerName ? { computerName: properties.osProfile.computerName } : {}),
    },
    osDisk: { ...(state.osDisk as OsDisk), ...(id ? { id } : {}) },
    power,
    stops: power === 'running' ? [] : [{ from: since, to: null }],
    provisioning: properties.provisioningState === 'Failed' ? 'Failed' : 'Succeeded',
    protected: properties.protectionPolicy?.protectFromScaleSetActions ?? false,
    // A model version below any that is written tells "not the latest".
    appliedModelVersion: properties.latestModelApplied === false ? 0 : scaleSet.modelVersion,
    healthyFrom: isUnhealthy(scaleSet, properties.instanceView, notes) ? null : since,
  };
}

function versionOf(
  scaleSet: ScaleSet,
  reference: { version?: string | null; exactVersion?: string | null; id?: string | null },
  notes: Set<string>,
): ImageVersion {
  const { image, version: asked } = scaleSet.imageReference;
  const fromId = reference.id?.split(/\/versions\//i)[1];
  const exact = [reference.exactVersion, reference.version, fromId, asked].find(
    (candidate) => candidate && candidate.toLowerCase() !== 'latest',
  );
  if (!exact) {
    notes.add(`${scaleSet.name}: instances without an exact image version; they were taken to be on 0.0.0.`);
  }
  return { image, version: exact ?? '0.0.0' };
}

function powerOf(statuses: readonly { code?: string | null | undefined }[]): PowerState {
  const code = statuses.find((status) => /^PowerState\//i.test(status.code ?? ''))?.code;
  const power = code?.split('/')[1]?.toLowerCase();
  if (power === 'deallocated' || power === 'deallocating') return 'deallocated';
  return power === 'stopped' || power === 'stopping' ? 'stopped' : 'running';
}

function isUnhealthy(
  scaleSet: ScaleSet,
  view: WireInstance['properties']['instanceView'],
  notes: Set<string>,
): boolean {
  const code = view?.vmHealth?.status?.code;
  if (code) return !/^HealthState\/healthy$/i.test(code);
  if (healthSignal(scaleSet) !== null) {
    notes.add(
      `${scaleSet.name}: no application health; its instances were taken to be healthy. \`--expand instanceView\` lists it.`,
    );
  }
  return false;
}
