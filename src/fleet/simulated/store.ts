import { sql, type Selectable, type Transaction } from 'kysely';
import type { Queries } from '../../database/database.ts';
import { insertRows, type OnConflict } from '../../database/insert-rows.ts';
import { appendJournal } from '../../database/journal.ts';
import type { Tables } from '../../database/tables.ts';
import type { Instant } from '../../domain/clock.ts';
import type { JournalEntry } from '../../domain/operation.ts';
import { scaleSetKey, type ScaleSet } from '../../domain/scale-set.ts';
import { newTag, type InstanceCache, type InstanceFrame, type KnownInstances } from './instance-cache.ts';
import { dueAt, settle, type InstanceState } from './state.ts';
import type { InstancePlace } from './view.ts';

/** What of an instance's row changes. */
const WRITTEN_OVER: OnConflict<'instances'> = {
  key: ['scale_set_key', 'instance_id'],
  update: ['version', 'state', 'due_at', 'fence', 'operation_rank'],
};

/** A scale set as every operation on it needs it. */
export interface LoadedSet {
  key: string;
  spec: ScaleSet;
  fence: number;
  simTime: Instant;
  /** When the next planned change of any of its instances is due. */
  nextDue: Instant | null;
  /** Of the fleet's behaviour and faults. */
  revision: number;
  /** How many instances it has. */
  size: number;
  /** What its instances are known by. */
  tag: string;
  /** All of its instances, where this process knows them as they are. */
  known: KnownInstances | null;
  cache: InstanceCache | undefined;
}

/** @param cache spares reading instances that have not changed since */
export async function loadSet(db: Queries, id: string, cache?: InstanceCache): Promise<LoadedSet | null> {
  const key = scaleSetKey(id);
  const row = await db
    .selectFrom('scale_sets')
    .select(['spec', 'fence', 'sim_time', 'instances_tag'])
    .select((eb) => eb.selectFrom('fleet').select('revision').as('revision'))
    .where('key', '=', key)
    .executeTakeFirst();
  if (row === undefined) return null;
  const known = cache?.get(key, row.instances_tag) ?? null;
  return {
    key,
    spec: JSON.parse(row.spec) as ScaleSet,
    fence: row.fence,
    simTime: row.sim_time,
    revision: row.revision ?? 0,
    tag: row.instances_tag,
    known,
    cache,
    ...(known ? { nextDue: known.nextDue, size: known.instances.length } : await countInstances(db, key)),
  };
}

async function countInstances(db: Queries, key: string): Promise<Pick<LoadedSet, 'nextDue' | 'size'>> {
  const row = await db
    .selectFrom('instances')
    .select((i) => [i.fn.min('due_at').as('nextDue'), i.fn.countAll<number>().as('size')])
    .where('scale_set_key', '=', key)
    .executeTakeFirstOrThrow();
  // Of no rows the minimum is null, whatever its type says.
  return { nextDue: row.nextDue, size: row.size };
}

/** What the states of earlier releases do not have. */
const LATER_PARTS = { stops: [], hits: {} };

export type InstanceRow = Selectable<Tables['instances']>;

/** An instance in memory: its row, and the state that is written back when it has changed. */
export interface LoadedInstance {
  row: InstanceFrame;
  state: InstanceState;
  /** As it was loaded. */
  readonly loaded: { row: InstanceFrame; state: InstanceState };
}

/** Instances of a set in the order of their ids: all, or those named, or those named and those due. */
export async function loadInstances(
  db: Queries,
  { key, tag, known, cache }: Pick<LoadedSet, 'key' | 'tag' | 'known' | 'cache'>,
  only?: InstanceFilter,
): Promise<LoadedInstance[]> {
  if (known !== null) return knownInstances(known, only);
  const instances = await readInstanceRows(db, key, only);
  if (only === undefined && tag !== '')
    cache?.put(
      key,
      tag,
      instances.map(({ loaded }) => loaded),
    );
  return instances;
}

interface InstanceFilter {
  ids: readonly string[];
  /** And those of which something is due by then. */
  dueUntil?: Instant;
}

function knownInstances({ instances }: KnownInstances, only?: InstanceFilter): LoadedInstance[] {
  const ids = new Set(only?.ids);
  const until = only?.dueUntil ?? -Infinity;
  return instances
    .filter(
      ({ row, state }) =>
        only === undefined || ids.has(row.instance_id) || (dueAt(state) ?? Infinity) <= until,
    )
    .map((known) => ({ row: known.row, state: known.state, loaded: known }));
}

async function readInstanceRows(db: Queries, key: string, only?: InstanceFilter): Promise<LoadedInstance[]> {
  let query = db.selectFrom('instances').selectAll().where('scale_set_key', '=', key);
  if (only !== undefined) {
    const { ids, dueUntil } = only;
    query = query.where((eb) => {
      const named = ids.length === 0 ? sql<boolean>`1 = 0` : eb('instance_id', 'in', ids);
      return dueUntil === undefined ? named : eb.or([named, eb('due_at', '<=', dueUntil)]);
    });
  }
  const rows = await query.orderBy('position').orderBy('instance_id').execute();
  return rows.map(({ state: text, version: _version, due_at: _dueAt, ...row }) => {
    const state = { ...LATER_PARTS, ...(JSON.parse(text) as InstanceState) };
    return { row, state, loaded: { row, state } };
  });
}

export function placeOf(row: InstanceFrame): InstancePlace {
  return {
    instanceId: row.instance_id,
    zone: row.zone,
    updateDomain: row.update_domain,
    faultDomain: row.fault_domain,
  };
}

/** Lets what is planned happen up to `now`, in memory; the lines for the journal are in order of time. */
export function settleAll(spec: ScaleSet, instances: LoadedInstance[], now: Instant): JournalEntry[] {
  const lines = instances.flatMap((instance) => {
    if (instance.state.planned.length === 0) return [];
    const settled = settle(instance.state, now);
    instance.state = settled.state;
    const place = {
      scaleSetId: spec.id,
      instanceId: instance.row.instance_id,
      region: spec.region,
      zone: instance.row.zone,
      updateDomain: instance.row.update_domain,
    };
    return settled.happened.map((line) => ({ ...place, ...line }));
  });
  return lines.toSorted((a, b) => a.at - b.at);
}

/** Makes everything of a set happen that is planned up to `at`, and tells the journal: in the set's transaction. */
export async function settleDue(tx: Transaction<Tables>, set: LoadedSet, at: Instant): Promise<void> {
  const now = Math.max(at, set.simTime);
  const due = await loadInstances(tx, set, { ids: [], dueUntil: now });
  const lines = settleAll(set.spec, due, now);
  await saveSet(tx, { ...set, simTime: now }, due, lines);
}

/** Writes a set's instances and its time, with the journal lines of what happened to them. */
export async function saveSet(
  tx: Transaction<Tables>,
  set: Pick<LoadedSet, 'key' | 'fence' | 'simTime' | 'tag' | 'known' | 'cache'>,
  instances: readonly LoadedInstance[],
  lines: readonly JournalEntry[],
): Promise<void> {
  const changed = instances.filter(({ row, state, loaded }) => row !== loaded.row || state !== loaded.state);
  const tag = changed.length > 0 ? newTag() : set.tag;
  remember(set, tag, changed);
  await insertRows(
    tx,
    'instances',
    changed.map(({ row, state }) => instanceRow(row, state)),
    WRITTEN_OVER,
  );
  await appendJournal(tx, lines);
  await tx
    .updateTable('scale_sets')
    .set({ fence: set.fence, sim_time: set.simTime, instances_tag: tag })
    .where('key', '=', set.key)
    .execute();
}

/** Before it is written for good: should it not come to that, nobody asks for this tag. */
function remember(
  { key, known, cache }: Pick<LoadedSet, 'key' | 'known' | 'cache'>,
  tag: string,
  changed: readonly LoadedInstance[],
): void {
  if (known === null || cache === undefined || changed.length === 0) return;
  const byId = new Map(changed.map(({ row, state }) => [row.instance_id, { row, state }]));
  cache.put(
    key,
    tag,
    known.instances.map((one) => byId.get(one.row.instance_id) ?? one),
  );
}

/** Says that instances of a set have come or gone. */
export async function renewTag(tx: Transaction<Tables>, key: string): Promise<void> {
  await tx.updateTable('scale_sets').set({ instances_tag: newTag() }).where('key', '=', key).execute();
}

/** A row with what of it follows from the state. */
export function instanceRow(row: InstanceFrame, state: InstanceState): InstanceRow {
  return {
    ...row,
    version: state.osDisk?.source.version ?? null,
    due_at: dueAt(state),
    state: JSON.stringify(state),
  };
}

/** The name of the lock under which a set is changed. */
export function setLock(key: string): string {
  return `scale-set:${key}`;
}
