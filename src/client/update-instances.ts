import { modelVersionOf } from '../activities/goal.ts';
import type { ImageVersion } from '../domain/image.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import { currentInstant, type ClientContext } from './context.ts';
import { findScaleSet } from './find.ts';
import { requireInstances } from './fleet-changes.ts';
import { leftAloneNotes, reachOf, type Reach } from './reach.ts';
import type { SettingsOverrides } from './settings.ts';
import { startAttempt, type Initiative } from './start-attempt.ts';
import type { StartedRollout } from './start.ts';

export interface UpdateInstancesRequest extends Initiative {
  /** ARM id, or a name that only one set has. */
  scaleSet: string;
  /** Of the instances; all that are behind if absent. */
  instanceIds?: readonly string[] | undefined;
  settings?: SettingsOverrides | undefined;
}

export interface UpdatedInstances {
  scaleSetId: string;
  /** Instances that are brought to the model now. */
  instanceIds: string[];
  /** Null when there was nothing to do. */
  started: StartedRollout | null;
  /** Which instances are left alone, and why. */
  notes: string[];
}

/**
 * Brings instances to their set's model at once, as Azure's `manualupgrade` does: those that are behind it, and those that
 * failed while it was applied (rules B11, B14, C9). In every upgrade mode.
 * @throws UsageError that lists the instances that are not there
 * @throws ClientError `Conflict` while an upgrade of the set runs (rule B12)
 */
export async function updateInstances(
  context: ClientContext,
  request: UpdateInstancesRequest,
): Promise<UpdatedInstances> {
  const scaleSet = await findScaleSet(context, request.scaleSet);
  const instanceIds = request.instanceIds === undefined ? undefined : [...new Set(request.instanceIds)];
  const { target, reach } = await modelReach(context, scaleSet, instanceIds);
  requireInstances(scaleSet, reach.instances, instanceIds ?? []);
  const notes = leftAloneNotes(reach);
  const acts = reach.acts.map((one) => one.instanceId);
  if (acts.length === 0) return { scaleSetId: scaleSet.id, instanceIds: [], started: null, notes };
  const { who, why, settings } = request;
  const started = await startAttempt(context, {
    scaleSet,
    action: 'modelUpdate',
    target,
    ...(instanceIds === undefined ? {} : { parameters: { instanceIds: acts } }),
    settings,
    who,
    why,
  });
  return { scaleSetId: scaleSet.id, instanceIds: acts, started, notes };
}

/** What bringing a set's instances to its model would do. @param instanceIds only these; all if absent */
export async function modelReach(
  context: ClientContext,
  scaleSet: ScaleSet,
  instanceIds?: string[],
): Promise<{ target: ImageVersion; reach: Reach }> {
  const target = await modelTarget(context, scaleSet);
  const parameters = instanceIds === undefined ? {} : { instanceIds };
  return { target, reach: await reachOf(context, scaleSet, { action: 'modelUpdate', target, parameters }) };
}

/** The version that the model asks for; where its region offers none, what the model says. */
export async function modelTarget(context: ClientContext, scaleSet: ScaleSet): Promise<ImageVersion> {
  const at = await currentInstant(context);
  return (await modelVersionOf(context.fleet, scaleSet, at)) ?? scaleSet.imageReference;
}
