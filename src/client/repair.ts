import { windDownAttempt, type WindDown } from '../activities/wind-down.ts';
import type { Instance, ScaleSet } from '../domain/scale-set.ts';
import type { Attempt, QuarantinedInstance } from '../ledger/port.ts';
import { workflowDirectory } from '../temporal/workflow-directory.ts';
import { currentInstant, currentUser, type ClientContext } from './context.ts';
import { findInstance } from './find.ts';
import { requireInstances } from './fleet-changes.ts';
import { leftAloneNotes, reachOf, type Reach } from './reach.ts';
import { refuseWhileCancelled } from './standing-orders.ts';
import { alreadyRuns, startAttempt } from './start-attempt.ts';
import type { StartedRollout } from './start.ts';
import { modelTarget } from './update-instances.ts';

export interface RepairRequest {
  /** A scale set as `findScaleSet` takes it, or `<scale set>/<instance id>`. */
  id: string;
  /** New OS disks, instead of the kept ones. */
  reimage?: boolean | undefined;
  why: string;
  /** The user at the terminal if absent. */
  who?: string | undefined;
}

/** Something that was wrong, and what is done about it. */
export interface Finding {
  kind: 'stuckAttempt' | 'quarantined' | 'failed' | 'reimage' | 'strayClaim' | 'goneFromQuarantine';
  what: string;
  done: string;
}

export interface Repair {
  scaleSetId: string;
  /** Empty when nothing is wrong. */
  findings: Finding[];
  /** The rollout that mends instances, if any are to be mended. */
  started: StartedRollout | null;
  notes: string[];
}

/**
 * Mends what is wrong with a set: an attempt that nobody acts for, instances whose restore failed, claims without an owner.
 * Of a set that is named with an instance, that one instance.
 * @throws ClientError `Conflict` while a workflow acts on the set, or instances are to be mended of one that is cancelled;
 *   and then nothing has been changed
 */
export async function repair(context: ClientContext, request: RepairRequest): Promise<Repair> {
  const deleted = await attemptOfDeleted(context, request.id);
  if (deleted !== null) {
    const findings = [await windDown(context, deleted, false)];
    return { scaleSetId: deleted.scaleSetId, findings, started: null, notes: [] };
  }
  const { scaleSet, instanceId } = await findInstance(context, request.id);
  const { client } = await context.temporal();
  const workflows = workflowDirectory(client);
  const attempt = await context.ledger.attempts.openOf(scaleSet.id);
  if (attempt !== null && (await workflows.isOpen(attempt.workflowId))) {
    throw alreadyRuns(scaleSet, attempt.workflowId);
  }
  const plan = await planMending(context, scaleSet, instanceId, request);
  if (plan.instanceIds !== null) await refuseWhileCancelled(context, scaleSet);
  const claims = await releaseStrayClaims(context, scaleSet);
  const gone = await releaseGone(context, scaleSet, plan.instances, request);
  const started = await mend(context, scaleSet, plan, request);
  const stuck = attempt === null ? [] : [await windDown(context, attempt, started !== null)];
  return {
    scaleSetId: scaleSet.id,
    findings: [...stuck, ...plan.findings, ...claims, ...gone],
    started,
    notes: plan.notes,
  };
}

/** A set that was deleted may have left an attempt behind, and with it a claim. */
async function attemptOfDeleted({ fleet, ledger }: ClientContext, id: string): Promise<Attempt | null> {
  return (await fleet.scaleSet(id)) === null ? ledger.attempts.openOf(id) : null;
}

interface MendingPlan {
  instances: Instance[];
  /** Null when no instance is to be mended. */
  instanceIds: string[] | null;
  reimage: boolean;
  findings: Finding[];
  notes: string[];
}

async function planMending(
  context: ClientContext,
  scaleSet: ScaleSet,
  instanceId: string | null,
  request: RepairRequest,
): Promise<MendingPlan> {
  const quarantined = await context.ledger.quarantine.list({ scaleSetId: scaleSet.id });
  const wanted = instanceId === null ? quarantined.map((one) => one.instanceId) : [instanceId];
  const isQuarantined = quarantined.some((one) => one.instanceId === instanceId);
  // Only a restore that failed has left a disk to try again.
  const reimage = request.reimage === true || (instanceId !== null && !isQuarantined);
  const parameters = { instanceIds: wanted, ...(reimage ? { reimage } : {}) };
  const target = await modelTarget(context, scaleSet);
  const reach = await reachOf(context, scaleSet, { action: 'repair', target, parameters });
  if (instanceId !== null) requireInstances(scaleSet, reach.instances, [instanceId]);
  const { instances } = reach;
  const isHurt = (instance: Instance) =>
    isMarked(quarantined, instance.instanceId) || instance.provisioningState === 'Failed';
  const named = instances.filter((one) => wanted.includes(one.instanceId));
  // A healthy instance gets a new disk only when that was asked for.
  const subjects = instanceId !== null && request.reimage === true ? named : named.filter(isHurt);
  const acts = reach.acts.filter((act) => subjects.some((one) => one.instanceId === act.instanceId));
  return {
    instances,
    instanceIds: acts.length === 0 ? null : acts.map((one) => one.instanceId),
    reimage,
    findings: subjects.map((one) => findingOf(one, quarantined, acts)),
    notes: subjects.length === 0 ? [] : leftAloneNotes(reach),
  };
}

function findingOf(
  { instanceId, provisioningState }: Instance,
  quarantined: readonly QuarantinedInstance[],
  acts: Reach['acts'],
): Finding {
  const done = doneTo(acts.find((act) => act.instanceId === instanceId));
  const name = `Instance ${instanceId}`;
  const record = quarantined.find((one) => one.instanceId === instanceId);
  if (record !== undefined) {
    return { kind: 'quarantined', what: `${name} is in quarantine: ${record.error}`, done };
  }
  return provisioningState === 'Failed'
    ? { kind: 'failed', what: `${name} has failed.`, done }
    : { kind: 'reimage', what: `${name} has not failed.`, done };
}

function doneTo(act: Reach['acts'][number] | undefined): string {
  if (act === undefined) return 'it is left as it is';
  const { action, version } = act.destination;
  return action === 'restore'
    ? `its kept OS disk (${version.version}) comes back`
    : `it gets a new OS disk of ${version.version}`;
}

const isMarked = (quarantined: readonly QuarantinedInstance[], id: string) =>
  quarantined.some((one) => one.instanceId === id);

async function mend(
  context: ClientContext,
  scaleSet: ScaleSet,
  { instanceIds, reimage }: MendingPlan,
  { who, why }: RepairRequest,
): Promise<StartedRollout | null> {
  if (instanceIds === null) return null;
  return startAttempt(context, {
    scaleSet,
    action: 'repair',
    target: await modelTarget(context, scaleSet),
    parameters: { instanceIds, ...(reimage ? { reimage } : {}) },
    who,
    why,
  });
}

/** Nobody acts for the attempt. A repair of instances takes it over and winds it down before it begins itself. */
async function windDown(context: ClientContext, attempt: Attempt, isTakenOver: boolean): Promise<Finding> {
  const { client } = await context.temporal();
  const how: WindDown | 'takenOver' = isTakenOver
    ? 'takenOver'
    : await windDownAttempt({ ...context, workflows: workflowDirectory(client) }, attempt);
  const finished = 'what is half done is finished, then the attempt and its zone are given up';
  const done = {
    started: finished,
    takenOver: finished,
    leftToRegion: "its region's workflow runs and starts it again: nothing to do",
    ended: 'it has ended meanwhile',
  }[how];
  const what = `Attempt ${attempt.number} is open and no workflow acts for it (${attempt.rolloutId}).`;
  return { kind: 'stuckAttempt', what, done };
}

/** Claims of attempts of the set that have ended: they would keep others out of a zone. */
async function releaseStrayClaims(context: ClientContext, scaleSet: ScaleSet): Promise<Finding[]> {
  const { ledger } = context;
  const { client } = await context.temporal();
  const at = await currentInstant(context);
  const findings: Finding[] = [];
  for (const { group, holder, value } of await ledger.claims.list()) {
    const owner = await ledger.attempts.get(holder);
    const isOurs = owner?.scaleSetId.toLowerCase() === scaleSet.id.toLowerCase();
    if (!isOurs || owner.status === 'RollingForward') continue;
    await workflowDirectory(client).wake(await ledger.claims.release(group, holder, at));
    const what = `Attempt ${owner.number} has ended and ${value === null ? 'still waits for' : `holds zone ${value} of`} ${group}.`;
    findings.push({ kind: 'strayClaim', what, done: 'given up' });
  }
  return findings;
}

/** An instance that was deleted needs no repair, and would be told of for ever. */
async function releaseGone(
  context: ClientContext,
  scaleSet: ScaleSet,
  instances: readonly Instance[],
  { who = currentUser(), why }: RepairRequest,
): Promise<Finding[]> {
  const { quarantine } = context.ledger;
  const there = new Set(instances.map((one) => one.instanceId));
  const gone = (await quarantine.list({ scaleSetId: scaleSet.id }))
    .map((one) => one.instanceId)
    .filter((id) => !there.has(id));
  await quarantine.release(scaleSet.id, gone, await currentInstant(context), `${who}: ${why}`);
  return gone.map((id) => ({
    kind: 'goneFromQuarantine',
    what: `Instance ${id} is in quarantine, and deleted.`,
    done: 'taken out of the quarantine',
  }));
}
