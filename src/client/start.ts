import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { supersedeOlder } from '../activities/supersede.ts';
import { humanDuration } from '../domain/clock.ts';
import type { AttemptKind } from '../domain/attempt-kinds.ts';
import { imageLabel, sameImageVersion, type ImageVersion } from '../domain/image.ts';
import { AlreadyRecordedError } from '../ledger/errors.ts';
import type { HeldVersion, NewRollout, Reason, Rollout } from '../ledger/port.ts';
import { registerSearchAttributes } from '../temporal/register-search-attributes.ts';
import { attributesOf } from '../temporal/search-attributes.ts';
import { workflowDirectory } from '../temporal/workflow-directory.ts';
import { TASK_QUEUE, type ImageRolloutInput, type ImageRolloutResult } from '../workflows/messages.ts';
import { currentInstant, currentUser, type ClientContext } from './context.ts';
import { ClientError, conflict } from './errors.ts';
import { gateWords } from './gates.ts';
import { planRollout, rolloutsOf } from './plan.ts';
import type { PlanRequest, RolloutPlan } from './plan-types.ts';
import { liftHeld } from './revert/lift.ts';
import { refuseWhileCancelled } from './standing-orders.ts';
import { unservedNotes } from './unserved.ts';
import { workflowState } from './workflow-state.ts';

export interface StartRequest extends PlanRequest {
  /** Who starts it; the user at the terminal if absent. */
  who?: string | undefined;
  why?: string | undefined;
}

export interface StartedRollout {
  rolloutId: string;
  /** The top workflow's. */
  workflowId: string;
  /** The run that was started. */
  runId: string;
  rollout: Rollout;
  /** True when it had been recorded before and its workflow was never started: it goes by what was recorded then. */
  mended: boolean;
  warnings: string[];
}

/** How a rollout is marked whose workflow was terminated by hand: nobody acts for it any more. */
export const INTERRUPTED: Reason = {
  code: 'Interrupted',
  message: 'Its workflow was closed from outside; what was half done is taken over by the next rollout.',
};

/**
 * Starts a rollout over the fleet: it is recorded in the ledger first, then its workflow begins. Should this process
 * die between the two, starting again goes on where it stopped.
 * @throws ClientError `Conflict` while a rollout of the same version runs, `NotEligible` when there is nothing to do
 * @throws UsageError for a plan that cannot be
 * @throws TemporalUnreachableError, and then nothing has been recorded
 */
export async function startRollout(context: ClientContext, request: StartRequest): Promise<StartedRollout> {
  const { client, connection } = await context.temporal();
  await refuseWhileCancelled(context, null);
  const plan = await planRollout(context, request);
  const unstarted = await unstartedRollout(context, client, plan.target, 'osUpgrade');
  if (unstarted === null && plan.phases.length === 0) throw nothingToDo(plan);
  // A server that does not know them yet would refuse the start.
  await registerSearchAttributes(connection, client.options.namespace);
  const rollout = unstarted ?? (await record(context, plan, request));
  await makeWay(context, client, rollout);
  const runId = await startImageWorkflow(context, client, rollout);
  const mended = unstarted !== null;
  const regions = rollout.phases.flatMap((phase) => phase.regions);
  const warnings = [...plan.warnings, ...(await unservedNotes(client, rollout, regions))];
  return { rolloutId: rollout.id, workflowId: rollout.id, runId, rollout, mended, warnings };
}

/** Whoever starts a version by hand wants it: it is held back from nothing any more, and older ones of its image end (rule D7). */
async function makeWay(context: ClientContext, client: Client, rollout: Rollout): Promise<void> {
  const only = (held: HeldVersion) => sameImageVersion(held.version, rollout.target);
  await liftHeld(context, null, { by: `${rollout.startedBy}: started by hand`, only });
  const { ledger } = context;
  const workflows = workflowDirectory(client);
  await supersedeOlder({ ledger, workflows }, rollout, await currentInstant(context));
}

/**
 * The last rollout of the version, if it was to do the same, was recorded and never begun. Marks one that was closed from
 * outside, and one that was to do something else and never began.
 * @throws ClientError `Conflict` while it runs
 */
export async function unstartedRollout(
  context: ClientContext,
  client: Client,
  target: ImageVersion,
  action: AttemptKind,
): Promise<Rollout | null> {
  const [last] = await rolloutsOf(context, target);
  if (last === undefined || last.endedAt !== null) return null;
  const state = await workflowState(client, last.id);
  if (state === 'open') throw alreadyRuns(last);
  if (state === 'missing' && last.action === action) return last;
  // It may have ended well between the two looks.
  const now = await context.ledger.rollouts.get(last.id);
  if (now?.endedAt === null) {
    await context.ledger.rollouts.setStatus(last.id, 'Cancelled', await currentInstant(context), INTERRUPTED);
  }
  return null;
}

function alreadyRuns({ id, action, status, startedBy, target }: Rollout): ClientError {
  const advice =
    status === 'Halted'
      ? 'It is halted: decide by `rollouts decide`.'
      : 'See it by `rollouts status`; end it by `rollouts cancel`.';
  const doing = action === 'revert' ? 'being reverted' : 'being rolled out already';
  return conflict(
    `409 Conflict: version ${target.version} of ${imageLabel(target.image)} is ${doing}, by ${startedBy}: ${id}. ${advice}`,
    id,
  );
}

function nothingToDo({ target, skipped }: RolloutPlan): ClientError {
  const why = skipped.slice(0, 5).map(({ name, reasons: [first] }) => {
    return first === undefined ? '' : `\n  ${name}: ${first.message} ${first.fix}`;
  });
  const more = skipped.length > 5 ? `\n  and ${skipped.length - 5} more: see \`rollouts plan\`` : '';
  return new ClientError(
    'NotEligible',
    `No scale set with instances is eligible for ${imageLabel(target.image)} ${target.version}.${why.join('')}${more}`,
  );
}

/**
 * Records a rollout over the fleet.
 * @throws ClientError `Conflict` when somebody recorded one of its id at the same moment
 */
export async function recordNew({ ledger }: ClientContext, rollout: NewRollout): Promise<Rollout> {
  try {
    return await ledger.rollouts.create(rollout);
  } catch (error) {
    if (!(error instanceof AlreadyRecordedError)) throw error;
    throw alreadyRuns((await ledger.rollouts.get(rollout.id)) as Rollout);
  }
}

async function record(
  context: ClientContext,
  plan: RolloutPlan,
  { who, why }: StartRequest,
): Promise<Rollout> {
  return recordNew(context, {
    id: plan.rolloutId,
    kind: plan.kind,
    target: plan.target,
    generation: plan.generation,
    phases: plan.phases.map(({ name, regionPlans, own }) => ({
      name,
      regions: regionPlans.map((each) => each.name),
      ...own,
    })),
    settings: plan.settings,
    startedBy: who ?? currentUser(),
    why: why ?? null,
    // Planning took a moment, in which the one before may have been closed.
    startedAt: await currentInstant(context),
  });
}

/** Starts the workflow of a rollout that is recorded. @throws ClientError `Conflict` when somebody was faster */
export async function startImageWorkflow(
  { fleet }: ClientContext,
  client: Client,
  rollout: Rollout,
): Promise<string> {
  const { id, target, phases, settings } = rollout;
  const input: ImageRolloutInput = {
    v: 1,
    rolloutId: id,
    clock: await fleet.clock(),
    target,
    phases,
    settings,
  };
  try {
    const handle = await client.workflow.start<(input: ImageRolloutInput) => Promise<ImageRolloutResult>>(
      'imageRollout',
      {
        workflowId: id,
        taskQueue: TASK_QUEUE,
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        staticSummary: summary(rollout).slice(0, 190),
        staticDetails: details(rollout),
        memo: { rolloutId: id, kind: rollout.kind, target, startedBy: rollout.startedBy },
        typedSearchAttributes: attributesOf(target),
        args: [input],
      },
    );
    return handle.firstExecutionRunId;
  } catch (error) {
    // Somebody else's start was a moment faster.
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw alreadyRuns(rollout);
    throw error;
  }
}

function summary({ action, target }: Rollout): string {
  return `${action === 'revert' ? 'revert of ' : ''}${imageLabel(target.image)} ${target.version}`;
}

/** For the Web UI: Markdown. */
function details({ phases, settings, startedBy, why }: Rollout): string {
  const lines = phases.map(({ name, regions, ...own }, i) =>
    [`${i + 1}. **${name}**: ${regions.join(', ')}`, ...gateWords(own)].join('; '),
  );
  return [
    `Started by ${startedBy}${why === null ? '' : `: ${why}`}.`,
    lines.join('\n'),
    `Tolerance ${settings.failureTolerancePercent} %, bake time ${humanDuration(settings.bakeTime)}.`,
  ].join('\n\n');
}
