import { isDeepStrictEqual } from 'node:util';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { ATTEMPT_KINDS, type AttemptKind } from '../domain/attempt-kinds.ts';
import { sameImageVersion, type ImageVersion } from '../domain/image.ts';
import type { RolloutSettings } from '../domain/policy.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import { AlreadyRecordedError } from '../ledger/errors.ts';
import type { Rollout, RolloutParameters } from '../ledger/port.ts';
import { registerSearchAttributes } from '../temporal/register-search-attributes.ts';
import { attributesOf, searchAttributes } from '../temporal/search-attributes.ts';
import { turnOf } from '../workflows/dispatch.ts';
import { manualRolloutId, scaleSetRolloutId } from '../workflows/ids.ts';
import { TASK_QUEUE, type ScaleSetRolloutInput, type ScaleSetRolloutResult } from '../workflows/messages.ts';
import { currentInstant, currentUser, type ClientContext } from './context.ts';
import { conflict, type ClientError } from './errors.ts';
import { rolloutSettings, type SettingsOverrides } from './settings.ts';
import { orderNotes, refuseWhileCancelled } from './standing-orders.ts';
import { INTERRUPTED, type StartedRollout } from './start.ts';
import { unservedNotes } from './unserved.ts';
import { runOf, workflowState } from './workflow-state.ts';

/** Who does something and why, of whatever a person starts. */
export interface Initiative {
  /** The user at the terminal if absent. */
  who?: string | undefined;
  why?: string | undefined;
}

/** What a person has done to one scale set, at once. */
export interface SetAction extends Initiative {
  scaleSet: ScaleSet;
  action: AttemptKind;
  /** The version to bring; of a revert the one that is undone. */
  target: ImageVersion;
  parameters?: RolloutParameters | undefined;
  settings?: SettingsOverrides | undefined;
}

/**
 * Starts a rollout of one scale set: it is recorded first, then the set's workflow begins. Asked for again after it was
 * recorded and never began, it goes on with what was recorded. Of several at once one begins: the ledger records one of
 * each number, and Temporal runs one workflow of the set's id.
 * @throws ClientError `Conflict` while anything of the set runs, whoever began it (rule B12), and while it is cancelled
 * @throws TemporalUnreachableError, and then nothing has been recorded
 */
export async function startAttempt(context: ClientContext, wanted: SetAction): Promise<StartedRollout> {
  const { scaleSet } = wanted;
  const settings = rolloutSettings(wanted.settings);
  const { client, connection } = await context.temporal();
  await refuseWhileCancelled(context, scaleSet);
  const workflowId = scaleSetRolloutId(scaleSet.id);
  const { last, generation } = await lastManual(context, scaleSet);
  if ((await workflowState(client, workflowId)) === 'open') throw alreadyRuns(scaleSet, workflowId);
  await registerSearchAttributes(connection, client.options.namespace);
  const unstarted = last !== null && (await isUnstarted(context, last, wanted)) ? last : null;
  const rollout = unstarted ?? (await record(context, wanted, settings, generation));
  const runId = await startWorkflow(context, client, rollout, scaleSet, unstarted === null);
  if (last !== null && unstarted === null) await closeAbandoned(context, last.id);
  const warnings = [
    ...(await orderNotes(context, null)),
    ...(await orderNotes(context, scaleSet)),
    ...(await unservedNotes(client, rollout, [scaleSet.region])),
  ];
  return { rolloutId: rollout.id, workflowId, runId, rollout, mended: unstarted !== null, warnings };
}

/** Somebody else's upgrade of the set is in the way (rule B12). */
export function alreadyRuns({ name, region }: ScaleSet, workflowId: string): ClientError {
  return conflict(
    `409 Conflict: OperationNotAllowed, an upgrade of this scale set is running (${name} in ${region}: ${workflowId}). ` +
      'Wait for its end, or end it by `rollouts cancel`.',
    workflowId,
  );
}

/** The set's last manual rollout, if there was any, and the number for the next one. */
async function lastManual(
  { ledger }: ClientContext,
  { id }: ScaleSet,
): Promise<{ last: Rollout | null; generation: number }> {
  // One by one: a person starts a set by hand a few times in its life.
  for (let last: Rollout | null = null, generation = 1; ; generation++) {
    const next = await ledger.rollouts.get(manualRolloutId(id, generation));
    if (next === null) return { last, generation };
    last = next;
  }
}

/** The same was recorded, and nobody has begun it: whoever recorded it died, or is about to. */
async function isUnstarted({ ledger }: ClientContext, last: Rollout, wanted: SetAction): Promise<boolean> {
  if (last.endedAt !== null || !isSame(last, wanted)) return false;
  return (await ledger.attempts.listOf({ rolloutId: last.id, limit: 1 })).length === 0;
}

/** @throws ClientError `Conflict` when somebody recorded one at the same moment */
async function record(
  context: ClientContext,
  { scaleSet, action, target, parameters = {}, who, why }: SetAction,
  settings: RolloutSettings,
  generation: number,
): Promise<Rollout> {
  const rollout = {
    id: manualRolloutId(scaleSet.id, generation),
    kind: 'manual' as const,
    action,
    target,
    parameters,
    generation,
    phases: [],
    settings,
    startedBy: who ?? currentUser(),
    why: why ?? null,
    startedAt: await currentInstant(context),
  };
  try {
    return await context.ledger.rollouts.create(rollout);
  } catch (error) {
    if (error instanceof AlreadyRecordedError) throw alreadyRuns(scaleSet, scaleSetRolloutId(scaleSet.id));
    throw error;
  }
}

/**
 * An earlier rollout that has not ended, now that the set's workflow acts for another: it was closed from outside, or never
 * began. Not before that: until then somebody might still have begun it.
 */
async function closeAbandoned({ ledger, fleet }: ClientContext, id: string): Promise<void> {
  const now = await ledger.rollouts.get(id);
  if (now === null || now.endedAt !== null) return;
  await ledger.rollouts.setStatus(id, 'Cancelled', await currentInstant({ fleet }), INTERRUPTED);
}

function isSame({ action, target, parameters }: Rollout, wanted: SetAction): boolean {
  return (
    action === wanted.action &&
    sameImageVersion(target, wanted.target) &&
    isDeepStrictEqual(parameters, wanted.parameters ?? {})
  );
}

/** @param isOurs it was recorded just now, by us: nobody else answers for what becomes of it */
async function startWorkflow(
  context: ClientContext,
  client: Client,
  rollout: Rollout,
  scaleSet: ScaleSet,
  isOurs: boolean,
): Promise<string> {
  const workflowId = scaleSetRolloutId(scaleSet.id);
  try {
    const handle = await client.workflow.start<
      (input: ScaleSetRolloutInput) => Promise<ScaleSetRolloutResult>
    >('scaleSetRollout', {
      workflowId,
      taskQueue: TASK_QUEUE,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      ...(await describeWorkflow(context, rollout, scaleSet)),
    });
    return handle.firstExecutionRunId;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const refused = alreadyRuns(scaleSet, workflowId);
    if (!isOurs) throw refused;
    const running = await runOf(client, workflowId);
    // Somebody found it recorded, wanted the same, and began it.
    if (running.rolloutId === rollout.id) return running.runId;
    // Another upgrade of the set began a moment before: this one has not, and its record says so.
    const reason = { code: 'OperationNotAllowed', message: refused.message };
    await context.ledger.rollouts.setStatus(rollout.id, 'Cancelled', rollout.startedAt, reason);
    throw refused;
  }
}

/** What the workflow is given, and what people find it by. */
async function describeWorkflow({ fleet }: ClientContext, rollout: Rollout, scaleSet: ScaleSet) {
  const { id: rolloutId, action, target, settings, startedBy } = rollout;
  const { id: scaleSetId, name, region } = scaleSet;
  const input: ScaleSetRolloutInput = {
    v: 1,
    rolloutId,
    scaleSetId,
    clock: await fleet.clock(),
    target,
    phase: null,
    region,
    settings,
  };
  const what = `${ATTEMPT_KINDS[action].name}, ${target.version}`;
  return {
    staticSummary: `${name} in ${region}: ${what}, started by ${startedBy}`.slice(0, 190),
    priority: turnOf(region),
    memo: { scaleSetId, rolloutId },
    typedSearchAttributes: [
      ...attributesOf(target),
      { key: searchAttributes.scaleSet, value: scaleSetId },
      { key: searchAttributes.region, value: region },
    ],
    args: [input] as [ScaleSetRolloutInput],
  };
}
