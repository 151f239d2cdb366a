import type { Transaction } from 'kysely';
import type { Tables } from '../../database/tables.ts';
import type { Instant } from '../../domain/clock.ts';
import { OPERATION_ORDER, type FleetOperation } from '../../domain/operation.ts';
import { scaleSetKey, type OperationError } from '../../domain/scale-set.ts';
import type { OperationRequest, OperationState } from '../port.ts';
import { FleetUnavailableError, takeApiError } from './api-errors.ts';
import { externalResources } from './external-resources.ts';
import { operationError, planModelApply, type ExternalResources, type Plan, type PlanInput } from './plan.ts';
import { planRestore, planSwap } from './plan-disk.ts';
import { planExtensions } from './plan-extensions.ts';
import { busyUntil, settle } from './state.ts';
import {
  insertRows,
  loadInstances,
  loadSet,
  saveSet,
  setLock,
  settleAll,
  type LoadedInstance,
  type LoadedSet,
} from './store.ts';
import type { FleetStore } from './fleet-reads.ts';
import type { World } from './world.ts';

/**
 * Begins what was not begun yet, on all instances in one transaction, and answers how each stands.
 * @throws FleetUnavailableError where the scenario has the API fail
 */
export async function operate(
  store: FleetStore,
  request: OperationRequest,
): Promise<OperationState[]> {
  if (request.operation === 'osDisk.swap' && request.target === undefined) {
    throw new TypeError('An osDisk.swap needs a target version.');
  }
  const lock = setLock(scaleSetKey(request.scaleSetId));
  const answer = await store.database.write([lock], (tx) => begin(tx, store, request));
  if (answer instanceof FleetUnavailableError) throw answer;
  return answer;
}

/** An operation that was begun, now or before. */
interface Begun {
  startedAt: Instant;
  endsAt: Instant;
  error: OperationError | null;
}

async function begin(
  tx: Transaction<Tables>,
  { worldAt, cache }: FleetStore,
  request: OperationRequest,
): Promise<OperationState[] | FleetUnavailableError> {
  const set = await loadSet(tx, request.scaleSetId, cache);
  if (set === null) return request.instanceIds.map((id) => notFound(id, request.at));
  const now = Math.max(request.at, set.simTime);
  const world = await worldAt(tx, set.revision);
  // An error is answered, not thrown, so that the transaction commits what has happened, and the fault's count.
  const injected = await takeApiError(tx, world.faults, request);
  if (injected?.effect === 'before') return injected.error;
  const ids = [...new Set(request.instanceIds)];
  const instances = await loadInstances(tx, set, {
    ids,
    ...(set.nextDue !== null && set.nextDue <= now ? { dueUntil: now } : {}),
  });
  const known = await begunBefore(tx, set.key, request, [request.operation], ids);
  const resources = await resourcesFor(tx, set, request);

  const lines = settleAll(set.spec, instances, now);
  const byId = new Map(instances.map((instance) => [instance.row.instance_id, instance]));
  const spared = await sparedInstances(tx, set.key, request, instances);
  const fresh = new Map<string, Begun>();
  const refusals = new Map<string, OperationError>();
  for (const id of ids) {
    const instance = byId.get(id);
    if (instance === undefined || known.has(id)) continue;
    const error = refusal(set, instance, request) ?? (spared.has(id) ? protection(id) : null);
    if (error === null) fresh.set(id, plan(instance, { set, world, resources, request, now }));
    else refusals.set(id, error);
  }
  lines.push(...settleAll(set.spec, instances, now));

  if (fresh.size > 0 || lines.length > 0) {
    // Whoever begins an operation with a higher fence has taken the set over: the lower ones are fenced off from now on.
    const fence = fresh.size > 0 ? Math.max(set.fence, request.fence) : set.fence;
    await insertRows(
      tx,
      'instance_operations',
      [...fresh].map(([id, begun]) => operationRow(set.key, request, id, begun)),
    );
    await saveSet(tx, { ...set, fence, simTime: now }, instances, lines);
  }

  if (injected !== null) return injected.error;
  return request.instanceIds.map((id) => {
    const begun = known.get(id) ?? fresh.get(id);
    if (begun !== undefined) return stateOf(id, begun, now);
    const error = refusals.get(id);
    return error === undefined ? notFound(id, now) : refused(id, error, now);
  });
}

/** Fixes the course of an operation and begins it: now, or when what the instance is doing has ended. */
function plan(
  instance: LoadedInstance,
  context: {
    set: LoadedSet;
    world: World;
    resources: ExternalResources;
    request: OperationRequest;
    now: Instant;
  },
): Begun {
  const { set, world, resources, request, now } = context;
  const { row, state } = instance;
  const start = Math.max(now, busyUntil(state) ?? now);
  const { operation, ordinal, attemptId, rolloutId, target } = request;
  const { steps, endsAt, error } = PLANS[operation]({
    world,
    resources,
    setSize: set.size,
    scaleSet: set.spec,
    subject: {
      scaleSetId: set.spec.id,
      region: set.spec.region,
      zone: row.zone,
      instanceId: row.instance_id,
    },
    before: settle(state, start).state,
    start,
    operation,
    ordinal,
    attemptId,
    ...(target === undefined ? {} : { target }),
  });
  if (steps.length > 0) {
    instance.state = {
      ...state,
      planned: [...state.planned, { operation, rolloutId, attemptId, steps }],
    };
  }
  instance.row = { ...row, fence: request.fence, operation_rank: OPERATION_ORDER.indexOf(operation) };
  return { startedAt: start, endsAt, error: error ?? null };
}

const PLANS: Record<OperationRequest['operation'], (input: PlanInput) => Plan> = {
  'osDisk.swap': planSwap,
  'model.apply': planModelApply,
  'extension.run': planExtensions,
  'osDisk.restore': planRestore,
};

/**
 * Why a new operation may not begin, or null. The set's fence keeps out those of an attempt that was overtaken, the
 * instance's epoch a zombie of the same attempt: a swap, say, that arrives after the restore.
 */
function refusal(set: LoadedSet, { row }: LoadedInstance, request: OperationRequest): OperationError | null {
  const { fence, operation } = request;
  if (fence < set.fence || fence < row.fence) {
    return operationError(
      'Fenced',
      `Fence ${fence} has been overtaken by ${Math.max(set.fence, row.fence)}: another attempt or take-over works on the set.`,
    );
  }
  if (fence === row.fence && OPERATION_ORDER.indexOf(operation) < row.operation_rank) {
    return operationError(
      'Fenced',
      `${operation} comes too late: ${OPERATION_ORDER[row.operation_rank]} was begun under the same fence ${fence}.`,
    );
  }
  return null;
}

/** Protected instances on which the attempt has begun nothing, and may not: what it has begun it finishes, or puts back. */
async function sparedInstances(
  tx: Transaction<Tables>,
  setKey: string,
  request: OperationRequest,
  instances: readonly LoadedInstance[],
): Promise<Set<string>> {
  const ids = instances.filter(({ state }) => state.protected).map(({ row }) => row.instance_id);
  const begun = await begunBefore(tx, setKey, request, OPERATION_ORDER, ids);
  return new Set(ids.filter((id) => !begun.has(id)));
}

function protection(instanceId: string): OperationError {
  return operationError(
    'InstanceProtected',
    `Instance ${instanceId} is protected from scale set actions: nothing was begun on it.`,
  );
}

/** Which instances the attempt has begun any of these operations on, with one that it has. */
async function begunBefore(
  tx: Transaction<Tables>,
  setKey: string,
  request: OperationRequest,
  operations: readonly FleetOperation[],
  ids: readonly string[],
): Promise<Map<string, Begun>> {
  if (ids.length === 0) return new Map();
  const idOf = new Map(
    operations.flatMap((operation) => ids.map((id) => [operationKey({ ...request, operation }, id), id])),
  );
  const rows = await tx
    .selectFrom('instance_operations')
    .select(['key', 'started_at', 'ends_at', 'error'])
    .where('scale_set_key', '=', setKey)
    .where('key', 'in', [...idOf.keys()])
    .execute();
  return new Map(
    rows.map((row) => [
      idOf.get(row.key) as string,
      {
        startedAt: row.started_at,
        endsAt: row.ends_at,
        error: row.error === null ? null : (JSON.parse(row.error) as OperationError),
      },
    ]),
  );
}

async function resourcesFor(
  tx: Transaction<Tables>,
  set: LoadedSet,
  request: OperationRequest,
): Promise<ExternalResources> {
  if (request.operation !== 'extension.run') return new Map();
  return externalResources(
    tx,
    set.spec.extensions.flatMap((extension) => extension.externalResources),
  );
}

function operationRow(setKey: string, request: OperationRequest, id: string, begun: Begun) {
  return {
    scale_set_key: setKey,
    key: operationKey(request, id),
    started_at: begun.startedAt,
    ends_at: begun.endsAt,
    error: begun.error === null ? null : JSON.stringify(begun.error),
  };
}

function operationKey({ attemptId, operation, ordinal }: OperationRequest, instanceId: string): string {
  return `${attemptId}:${instanceId}:${operation}:${ordinal}`;
}

/** How it stands follows from the time: its end was fixed when it began. */
function stateOf(instanceId: string, { startedAt, endsAt, error }: Begun, now: Instant): OperationState {
  const times = { instanceId, startedAt, endsAt };
  if (now < endsAt) return { ...times, status: 'running' };
  return error === null ? { ...times, status: 'succeeded' } : { ...times, status: 'failed', error };
}

function refused(instanceId: string, error: OperationError, now: Instant): OperationState {
  return { instanceId, status: 'refused', startedAt: now, endsAt: now, error };
}

function notFound(instanceId: string, now: Instant): OperationState {
  const error = operationError('InstanceNotFound', `There is no instance ${instanceId} in the scale set.`);
  return { instanceId, status: 'failed', startedAt: now, endsAt: now, error };
}
