import type { AttemptKind } from '../../domain/attempt-kinds.ts';
import type { ScaleSet, UpgradePolicy } from '../../domain/scale-set.ts';
import {
  mergeModels,
  ModelError,
  parseScaleSetModel,
  reachesInstances,
  redactModel,
  toWireShape,
  type Json,
  type SimulatedFleet,
} from '../../fleet/index.ts';
import { scaleSetRolloutId } from '../../workflows/ids.ts';
import { currentInstant, type ClientContext } from '../context.ts';
import { ClientError, conflict, UsageError } from '../errors.ts';
import { findScaleSet } from '../find.ts';
import { leftAlone, leftAloneNotes } from '../reach.ts';
import { alreadyRuns, startAttempt, type Initiative } from '../start-attempt.ts';
import type { StartedRollout } from '../start.ts';
import { modelReach } from '../update-instances.ts';
import { assign, parseAssignment } from './assignments.ts';

/** Models can be written on a simulated fleet: a real one has an API for that. */
export interface ModelContext extends ClientContext {
  fleet: SimulatedFleet;
}

/** The newest Compute API that clients write models with, and we with them (rules C6, C7). */
export const MODEL_API_VERSION = '2024-11-01';

export interface ShownModel {
  scaleSetId: string;
  modelVersion: number;
  /** With which it was last written. */
  apiVersion: string;
  /** In wire shape, without secrets. */
  model: Json;
}

/** A set's model as it may be shown. @throws UsageError when there is no such set */
export async function showModel(context: ModelContext, id: string): Promise<ShownModel> {
  const scaleSet = await findScaleSet(context, id);
  const model = redactModel((await context.fleet.model(scaleSet.id)) ?? {});
  return {
    scaleSetId: scaleSet.id,
    modelVersion: scaleSet.modelVersion,
    apiVersion: scaleSet.modelApiVersion,
    model,
  };
}

type UpgradeMode = UpgradePolicy['mode'];

export interface SetModelRequest extends Initiative {
  /** ARM id, or a name that only one set has. */
  scaleSet: string;
  /** `<path>=<value>`, as `az vmss update --set` takes them. */
  assignments?: readonly string[] | undefined;
  /** A JSON merge patch, in wire shape or flattened. Assignments come on top of it. */
  patch?: Json | undefined;
  apiVersion?: string | undefined;
}

export interface ModelChange {
  scaleSetId: string;
  name: string;
  region: string;
  mode: UpgradeMode;
  modelVersion: number;
  /** False when the change is none that leaves instances behind, such as of tags: see `reachesInstances`. */
  changed: boolean;
  /** How many instances are behind the model, or failed while it was applied. */
  behind: number;
  /** What brings them to it now, if anything does (rule B14). */
  started: StartedRollout | null;
  /** Why that was not started although it should have been: the model is written all the same. */
  notStarted: { code: string; message: string } | null;
  notes: string[];
}

/**
 * Changes a set's model, which takes effect by its upgrade mode (rule B14): Automatic brings all instances to it at once,
 * Rolling batch by batch, Manual leaves them to `updateInstances`.
 * @throws UsageError with everything that is wrong with the model, and then nothing has been written
 * @throws ClientError `Conflict` while the set is being upgraded, where instances would have to follow; nothing has been written
 */
export async function setModel(context: ModelContext, request: SetModelRequest): Promise<ModelChange> {
  const before = await findScaleSet(context, request.scaleSet);
  const { apiVersion = MODEL_API_VERSION } = request;
  const at = await currentInstant(context);
  const old = (await context.fleet.model(before.id)) ?? {};
  const model = changedModel(old, request);
  const after = await asUsage(async () => {
    const { mode } = parseScaleSetModel(model, {
      id: before.id,
      apiVersion,
      at,
      previous: before,
    }).upgradePolicy;
    const busy = mode !== 'Manual' && (await context.ledger.attempts.openOf(before.id)) !== null;
    if (busy && reachesInstances(toWireShape(old), toWireShape(model), mode)) throw busyWith(before);
    return context.fleet.writeModel({ model, id: before.id, apiVersion, at });
  });
  return effectOf(context, before, after, request);
}

function changedModel(old: Json, { assignments = [], patch }: SetModelRequest): Json {
  if (assignments.length === 0 && patch === undefined) {
    throw new UsageError('Say what to change: <path>=<value>, or --file with a JSON merge patch.');
  }
  const patched = patch === undefined ? old : mergeModels(old, toWireShape(patch));
  return assignments.map(parseAssignment).reduce(assign, patched);
}

/** Opting out, scaling and tags wait for nobody (rule C1); what its instances would have to follow waits (rule B12). */
function busyWith(scaleSet: ScaleSet): ClientError {
  const workflowId = scaleSetRolloutId(scaleSet.id);
  const { message } = alreadyRuns(scaleSet, workflowId);
  return conflict(`${message} The model has not been changed: set it again then.`, workflowId);
}

/** @throws UsageError with each issue of a model on a line of its own */
async function asUsage<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const lines = error.issues.map(({ code, target, message }) => `\n  ${target}: ${message} (${code})`);
    throw new UsageError(`The model can't be written, and nothing has changed:${lines.join('')}`);
  }
}

/** What an upgrade mode has begun when the model changes (rule B14). */
const STARTS: Record<UpgradeMode, AttemptKind | null> = {
  Automatic: 'modelUpdate',
  Rolling: 'modelUpgrade',
  Manual: null,
};

async function effectOf(
  context: ModelContext,
  before: ScaleSet,
  after: ScaleSet,
  { who, why }: SetModelRequest,
): Promise<ModelChange> {
  const { target, reach } = await modelReach(context, after);
  const { mode } = after.upgradePolicy;
  const change: ModelChange = {
    scaleSetId: after.id,
    name: after.name,
    region: after.region,
    mode,
    modelVersion: after.modelVersion,
    changed: after.modelVersion !== before.modelVersion,
    behind: reach.acts.length + leftAlone(reach).length,
    started: null,
    notStarted: null,
    notes: leftAloneNotes(reach),
  };
  const action = STARTS[mode];
  if (!change.changed || action === null || reach.acts.length === 0) return change;
  try {
    return { ...change, started: await startAttempt(context, { scaleSet: after, action, target, who, why }) };
  } catch (error) {
    // The model stands: whoever wrote it has to know that, and how to go on.
    const code = error instanceof ClientError ? error.code : 'NotStarted';
    return { ...change, notStarted: { code, message: (error as Error).message } };
  }
}
