import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { imageLabel, sameImageVersion, type ImageVersion } from '../domain/image.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import type { Rollout } from '../ledger/port.ts';
import { registerSearchAttributes } from '../temporal/register-search-attributes.ts';
import { searchAttributes } from '../temporal/search-attributes.ts';
import { manualRolloutId, scaleSetRolloutId } from '../workflows/ids.ts';
import { TASK_QUEUE, type ScaleSetRolloutInput, type ScaleSetRolloutResult } from '../workflows/messages.ts';
import { currentInstant, currentUser, type ClientContext } from './context.ts';
import { ClientError, conflict } from './errors.ts';
import { findScaleSet } from './find.ts';
import { rolloutSettings, type SettingsOverrides } from './settings.ts';
import { INTERRUPTED, refuseWhileAllIsCancelled, type StartedRollout } from './start.ts';
import { judge } from './survey.ts';
import { chooseVersion, parseImage } from './target.ts';
import { workflowState } from './workflow-state.ts';

export interface StartScaleSetRequest {
  /** ARM id, or a name that only one set has. */
  scaleSet: string;
  /** The model's image if absent. */
  image?: string | undefined;
  /** The newest that the set's region offers if absent. */
  version?: string | undefined;
  settings?: SettingsOverrides | undefined;
  who?: string | undefined;
}

/**
 * Upgrades one scale set at once, by a person's wish: no phases, no delay, no restore (rule D8).
 * @throws ClientError `Conflict` while an upgrade of the set runs, whoever began it (rule B12); `NotEligible` with every
 *   reason why the set cannot be upgraded
 * @throws TemporalUnreachableError, and then nothing has been recorded
 */
export async function startScaleSet(
  context: ClientContext,
  request: StartScaleSetRequest,
): Promise<StartedRollout> {
  const scaleSet = await findScaleSet(context, request.scaleSet);
  const target = await targetOf(context, scaleSet, request);
  const settings = rolloutSettings(request.settings);
  const { client, connection } = await context.temporal();
  await refuseWhileAllIsCancelled(context);
  const workflowId = scaleSetRolloutId(scaleSet.id);
  if ((await workflowState(client, workflowId)) === 'open') throw alreadyRuns(scaleSet, workflowId);
  await registerSearchAttributes(connection, client.options.namespace);
  const { unstarted, generation } = await lastManual(context, scaleSet, target);
  const rollout =
    unstarted ??
    (await context.ledger.rollouts.create({
      id: manualRolloutId(scaleSet.id, generation),
      kind: 'manual',
      target,
      generation,
      phases: [],
      settings,
      startedBy: request.who ?? currentUser(),
      startedAt: await currentInstant(context),
    }));
  const runId = await startWorkflow(context, client, rollout, scaleSet);
  return { rolloutId: rollout.id, workflowId, runId, rollout, mended: unstarted !== null, warnings: [] };
}

async function targetOf(
  context: ClientContext,
  scaleSet: ScaleSet,
  request: StartScaleSetRequest,
): Promise<ImageVersion> {
  const { fleet } = context;
  const at = await currentInstant(context);
  const image = request.image === undefined ? scaleSet.imageReference.image : parseImage(request.image);
  const offers = await fleet.imageOffers(image, scaleSet.region, at);
  const inFleet = {
    image,
    scaleSets: [scaleSet],
    allRegions: [],
    offers: new Map([[scaleSet.region, offers]]),
  };
  const target = chooseVersion(inFleet, request.version);
  const { reasons } = judge(scaleSet, target, offers, false);
  if (reasons.length === 0) return target;
  const lines = reasons.map(({ message, fix, rule }) => `\n  ${message} ${fix} (rule ${rule})`);
  throw new ClientError(
    'NotEligible',
    `${scaleSet.name} in ${scaleSet.region} can't be upgraded to ${imageLabel(image)} ${target.version}:${lines.join('')}`,
  );
}

/**
 * The number for the set's next manual rollout; or the last one, if it was recorded and its workflow never began. The
 * set's workflow is not open: a last one that has not ended was closed from outside, and is marked so.
 */
async function lastManual(
  context: ClientContext,
  scaleSet: ScaleSet,
  target: ImageVersion,
): Promise<{ unstarted: Rollout | null; generation: number }> {
  const { ledger } = context;
  let last: Rollout | null = null;
  let generation = 1;
  // One by one: a person starts a set by hand a few times in its life.
  for (; ; generation++) {
    const next = await ledger.rollouts.get(manualRolloutId(scaleSet.id, generation));
    if (next === null) break;
    last = next;
  }
  if (last === null || last.endedAt !== null) return { unstarted: null, generation };
  const attempts = await ledger.attempts.listOf({ rolloutId: last.id, limit: 1 });
  if (attempts.length === 0 && sameImageVersion(last.target, target)) return { unstarted: last, generation };
  await ledger.rollouts.setStatus(last.id, 'Cancelled', await currentInstant(context), INTERRUPTED);
  return { unstarted: null, generation };
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
  const { id: rolloutId, target, settings, startedBy } = rollout;
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
  return {
    staticSummary: `${name} in ${region} to ${target.version}, started by ${startedBy}`.slice(0, 190),
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

function alreadyRuns({ name, region }: ScaleSet, workflowId: string): ClientError {
  return conflict(
    `409 Conflict: OperationNotAllowed, an upgrade of this scale set is running (${name} in ${region}: ${workflowId}). ` +
      'Wait for its end, or end it by `rollouts cancel`.',
    workflowId,
  );
}
