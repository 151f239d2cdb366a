import { isDeepStrictEqual } from 'node:util';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { ATTEMPT_KINDS, type AttemptKind } from '../domain/attempt-kinds.ts';
import { imageLabel, sameImageVersion, type ImageVersion } from '../domain/image.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import type { Rollout, RolloutParameters } from '../ledger/port.ts';
import { registerSearchAttributes } from '../temporal/register-search-attributes.ts';
import { searchAttributes } from '../temporal/search-attributes.ts';
import { manualRolloutId, scaleSetRolloutId } from '../workflows/ids.ts';
import { TASK_QUEUE, type ScaleSetRolloutInput, type ScaleSetRolloutResult } from '../workflows/messages.ts';
import { currentInstant, currentUser, type ClientContext } from './context.ts';
import { conflict, type ClientError } from './errors.ts';
import { rolloutSettings, type SettingsOverrides } from './settings.ts';
import { INTERRUPTED, refuseWhileAllIsCancelled, type StartedRollout } from './start.ts';
import { workflowState } from './workflow-state.ts';

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
 * recorded and never began, it goes on with what was recorded.
 * @throws ClientError `Conflict` while anything of the set runs, whoever began it (rule B12)
 * @throws TemporalUnreachableError, and then nothing has been recorded
 */
export async function startAttempt(context: ClientContext, wanted: SetAction): Promise<StartedRollout> {
  const { scaleSet, action, target, parameters = {} } = wanted;
  const settings = rolloutSettings(wanted.settings);
  const { client, connection } = await context.temporal();
  await refuseWhileAllIsCancelled(context);
  const workflowId = scaleSetRolloutId(scaleSet.id);
  if ((await workflowState(client, workflowId)) === 'open') throw alreadyRuns(scaleSet, workflowId);
  await registerSearchAttributes(connection, client.options.namespace);
  const { unstarted, generation } = await lastManual(context, wanted);
  const rollout =
    unstarted ??
    (await context.ledger.rollouts.create({
      id: manualRolloutId(scaleSet.id, generation),
      kind: 'manual',
      action,
      target,
      parameters,
      generation,
      phases: [],
      settings,
      startedBy: wanted.who ?? currentUser(),
      why: wanted.why ?? null,
      startedAt: await currentInstant(context),
    }));
  const runId = await startWorkflow(context, client, rollout, scaleSet);
  return { rolloutId: rollout.id, workflowId, runId, rollout, mended: unstarted !== null, warnings: [] };
}

/** Somebody else's upgrade of the set is in the way (rule B12). */
export function alreadyRuns({ name, region }: ScaleSet, workflowId: string): ClientError {
  return conflict(
    `409 Conflict: OperationNotAllowed, an upgrade of this scale set is running (${name} in ${region}: ${workflowId}). ` +
      'Wait for its end, or end it by `rollouts cancel`.',
    workflowId,
  );
}

/**
 * The number for the set's next manual rollout; or the last one, if the same was recorded and its workflow never began. The
 * set's workflow is not open: a last one that has not ended was closed from outside, and is marked so.
 */
async function lastManual(
  context: ClientContext,
  wanted: SetAction,
): Promise<{ unstarted: Rollout | null; generation: number }> {
  const { ledger } = context;
  let last: Rollout | null = null;
  let generation = 1;
  // One by one: a person starts a set by hand a few times in its life.
  for (; ; generation++) {
    const next = await ledger.rollouts.get(manualRolloutId(wanted.scaleSet.id, generation));
    if (next === null) break;
    last = next;
  }
  if (last === null || last.endedAt !== null) return { unstarted: null, generation };
  const attempts = await ledger.attempts.listOf({ rolloutId: last.id, limit: 1 });
  if (attempts.length === 0 && isSame(last, wanted)) return { unstarted: last, generation };
  await ledger.rollouts.setStatus(last.id, 'Cancelled', await currentInstant(context), INTERRUPTED);
  return { unstarted: null, generation };
}

function isSame({ action, target, parameters }: Rollout, wanted: SetAction): boolean {
  return (
    action === wanted.action &&
    sameImageVersion(target, wanted.target) &&
    isDeepStrictEqual(parameters, wanted.parameters ?? {})
  );
}

async function startWorkflow(
  context: ClientContext,
  client: Client,
  rollout: Rollout,
  scaleSet: ScaleSet,
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
    // Another upgrade of the set began a moment before: this one has not, and its record says so.
    const refused = alreadyRuns(scaleSet, workflowId);
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
    memo: { scaleSetId, rolloutId },
    typedSearchAttributes: [
      { key: searchAttributes.image, value: imageLabel(target.image) },
      { key: searchAttributes.imageVersion, value: target.version },
      { key: searchAttributes.scaleSet, value: scaleSetId },
      { key: searchAttributes.region, value: region },
      { key: searchAttributes.status, value: 'Running' },
    ],
    args: [input] as [ScaleSetRolloutInput],
  };
}
