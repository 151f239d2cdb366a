import type { Transaction } from 'kysely';
import type { Tables } from '../../database/tables.ts';
import { insertRows } from '../../database/insert-rows.ts';
import type { Instant } from '../../domain/clock.ts';
import { OPERATION_ORDER, type FleetOperation, type JournalEntry } from '../../domain/operation.ts';
import { scaleSetKey, type OperationError } from '../../domain/scale-set.ts';
import { FleetApiError } from '../api-error.ts';
import type { OperationRequest, OperationState } from '../port.ts';
import { takeApiError } from './api-errors.ts';
import { externalResources } from './external-resources.ts';
import { operationError, planModelApply, type ExternalResources, type Plan, type PlanInput } from './plan.ts';
import { planRestore, planSwap } from './plan-disk.ts';
import { planExtensions } from './plan-extensions.ts';
import { busyUntil, settle } from './state.ts';
import {
  loadInstances,
  loadSet,
  saveSet,
  setLock,
  settleAll,
  type LoadedInstance,
  type LoadedSet,
} from './store.ts';
import {
  begunBefore,
  notFound,
  operationKey,
  operationRow,
  refused,
  stateOf,
  type Begun,
} from './begun-operations.ts';
import type { FleetStore } from './fleet-reads.ts';
import type { World } from './world.ts';

/**
 * Begins what was not begun yet, on all instances in one transaction, and answers how each stands.
 * @throws FleetApiError where the scenario has the API fail
 */
export async function operate(store: FleetStore, request: OperationRequest): Promise<OperationState[]> {
  if (request.operation === 'osDisk.swap' && request.target === undefined) {
    throw new TypeError('An osDisk.swap needs a target version.');
  }
  const lock = setLock(scaleSetKey(request.scaleSetId));
  const answer = await store.database.write([lock], (tx) => begin(tx, store, request));
  if (answer instanceof FleetApiError) throw answer;
  return answer;
}

/** What is begun in one transaction, on the instances of one set. */
interface Work {
  tx: Transaction<Tables>;
  set: LoadedSet;
  world: World;
  now: Instant;
  /** Settled up to `now`, before an operation is begun and after it. */
  instances: LoadedInstance[];
  byId: Map<string, LoadedInstance>;
  /** What was begun before, by `operationKey`. */
  known: ReadonlyMap<string, Begun>;
  /** For the journal. */
  lines: JournalEntry[];
  /** What is begun now. */
  rows: ReturnType<typeof operationRow>[];
}

/** The operations one after the other, each where the one before runs or has succeeded. */
async function begin(
  tx: Transaction<Tables>,
  { worldAt, cache }: FleetStore,
  request: OperationRequest,
): Promise<OperationState[] | FleetApiError> {
  const set = await loadSet(tx, request.scaleSetId, cache);
  if (set === null) return request.instanceIds.map((id) => notFound(id, request.at));
  const operations = [request.operation, ...(request.then ?? [])];
  const work = await openWork(tx, set, await worldAt(tx, set.revision), { ...request, operations });
  const states = new Map<string, OperationState>();
  let ids = [...new Set(request.instanceIds)];
  // An error is answered, not thrown, so that the transaction commits what has happened, and the fault's count.
  let failure: FleetApiError | null = null;
  for (const operation of operations) {
    const one = { ...request, operation, instanceIds: ids };
    const injected = await takeApiError(tx, work.world.faults, one);
    failure = injected?.error ?? null;
    if (injected?.effect === 'before' || injected?.effect === 'throttled') break;
    const answered = await beginOne(work, one);
    for (const state of answered) states.set(state.instanceId, state);
    ids = answered.filter(goesOn).map(({ instanceId }) => instanceId);
    if (failure !== null) break;
  }
  await insertRows(tx, 'instance_operations', work.rows);
  const hasBegun = work.rows.length > 0;
  if (hasBegun || work.lines.length > 0) {
    // Whoever begins an operation with a higher fence has taken the set over: the lower ones are fenced off from now on.
    const fence = hasBegun ? Math.max(set.fence, request.fence) : set.fence;
    await saveSet(tx, { ...set, fence, simTime: work.now }, work.instances, work.lines);
  }
  return failure ?? request.instanceIds.map((id) => states.get(id) as OperationState);
}

function goesOn({ status }: OperationState): boolean {
  return status === 'running' || status === 'succeeded';
}

async function openWork(
  tx: Transaction<Tables>,
  set: LoadedSet,
  world: World,
  request: OperationRequest & { operations: readonly FleetOperation[] },
): Promise<Work> {
  const now = Math.max(request.at, set.simTime);
  const instances = await loadInstances(tx, set, {
    ids: [...new Set(request.instanceIds)],
    ...(set.nextDue !== null && set.nextDue <= now ? { dueUntil: now } : {}),
  });
  const lines = settleAll(set.spec, instances, now);
  const byId = new Map(instances.map((instance) => [instance.row.instance_id, instance]));
  const known = await begunBefore(tx, set.key, request, request.operations, request.instanceIds);
  return { tx, set, world, now, instances, byId, known, lines, rows: [] };
}

async function beginOne(work: Work, request: OperationRequest): Promise<OperationState[]> {
  const { tx, set, byId, known, now } = work;
  const resources = await resourcesFor(tx, set, request);
  const spared = await sparedInstances(tx, set.key, request, work.instances);
  const fresh: [instanceId: string, begun: Begun][] = [];
  const states = request.instanceIds.map((id): OperationState => {
    const before = known.get(operationKey(request, id));
    if (before !== undefined) return stateOf(id, before, now);
    const instance = byId.get(id);
    if (instance === undefined) return notFound(id, now);
    const error = refusal(set, instance, request) ?? (spared.has(id) ? protection(id) : null);
    if (error !== null) return refused(id, error, now);
    const begun = plan(instance, work, resources, request);
    fresh.push([id, begun]);
    return stateOf(id, begun, now);
  });
  work.lines.push(...settleAll(set.spec, work.instances, now));
  work.rows.push(...fresh.map(([id, begun]) => operationRow(set.key, request, id, begun)));
  return states;
}

/** Fixes the course of an operation and begins it: now, or when what the instance is doing has ended. */
function plan(
  instance: LoadedInstance,
  { set, world, now }: Work,
  resources: ExternalResources,
  request: OperationRequest,
): Begun {
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
  const hasBegun = (id: string) =>
    OPERATION_ORDER.some((operation) => begun.has(operationKey({ ...request, operation }, id)));
  return new Set(ids.filter((id) => !hasBegun(id)));
}

function protection(instanceId: string): OperationError {
  return operationError(
    'InstanceProtected',
    `Instance ${instanceId} is protected from scale set actions: nothing was begun on it.`,
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
