import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { isoTime } from '../domain/clock.ts';
import type { Decision, DecisionKind, Rollout } from '../ledger/port.ts';
import { decideUpdate, failureTypes, type DecideInput } from '../workflows/messages.ts';
import { currentUser, type ClientContext } from './context.ts';
import { ClientError, conflict, UsageError } from './errors.ts';
import { awaitedBy, decidedOn } from './gates.ts';

/** A worker has to answer; without one nobody would. */
const ANSWER_TIMEOUT_MS = 15_000;

export interface DecideRequest {
  rolloutId: string;
  decision: DecisionKind;
  why: string;
  who?: string | undefined;
}

/**
 * Decides on a halted rollout (rule D2), about what the ledger says that it waits for: the phase and round that it is halted in,
 * or the approval of the phase that comes next.
 * @returns what is recorded now
 * @throws ClientError `NotHalted`, `Closed`, `NoAnswer`; `Conflict` when another decision stands already
 */
export async function decide(context: ClientContext, request: DecideRequest): Promise<Decision> {
  const { ledger } = context;
  const rollout = await ledger.rollouts.get(request.rolloutId);
  if (rollout === null) throw new UsageError(`No rollout "${request.rolloutId}" is recorded.`);
  if (request.why.trim() === '') throw new UsageError('Say why: the reason is recorded for good.');
  refuseUnlessHalted(rollout);
  const awaited = awaitedBy(rollout, await ledger.phases.list(rollout.id));
  if (awaited === null) throw notHalted(rollout);
  const { decision, why, who = currentUser() } = request;
  const { kind, phase, round } = awaited;
  if (kind === 'approval' && decision === 'retry') {
    throw new UsageError(
      `Phase ${phase} has not begun, so there is nothing to try again: proceed approves it, abort ends the rollout.`,
    );
  }
  const recorded = await send(context, rollout, { decision, why: why.trim(), who, phase, round });
  if (recorded.decision === decision) return recorded;
  throw conflict(
    `${recorded.who} decided on ${decidedOn(recorded)} before, at ${isoTime(recorded.at)}: ${recorded.decision} (${recorded.why}). That stands.`,
    rollout.id,
  );
}

function refuseUnlessHalted(rollout: Rollout): void {
  if (rollout.endedAt !== null) {
    throw new ClientError(
      'Closed',
      `${rollout.id} ended at ${isoTime(rollout.endedAt)} (${rollout.status}): there is nothing to decide.`,
      { rolloutId: rollout.id },
    );
  }
  if (rollout.status !== 'Halted') throw notHalted(rollout);
}

function notHalted({ id, status }: Rollout): ClientError {
  return new ClientError(
    'NotHalted',
    `${id} does not wait for a decision: it is ${status}. See \`rollouts status\`; end it by \`rollouts cancel\`.`,
    { rolloutId: id },
  );
}

async function send(context: ClientContext, rollout: Rollout, input: DecideInput): Promise<Decision> {
  const { client } = await context.temporal();
  try {
    const ask = () => client.workflow.getHandle(rollout.id).executeUpdate(decideUpdate, { args: [input] });
    return await client.withDeadline(Date.now() + ANSWER_TIMEOUT_MS, ask);
  } catch (error) {
    throw translated(error, rollout);
  }
}

function translated(error: unknown, rollout: Rollout): unknown {
  const { id: rolloutId } = rollout;
  if (error instanceof WorkflowNotFoundError) {
    return new ClientError(
      'Closed',
      `The workflow of ${rolloutId} is closed: it was ended from outside. Start the rollout again by \`rollouts start\`.`,
      { rolloutId },
    );
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return new ClientError(
      'NoAnswer',
      `No worker has answered within ${ANSWER_TIMEOUT_MS / 1000} s. Start one by \`npm run worker\`, look at \`rollouts status\`, and decide again.`,
      { rolloutId },
    );
  }
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  const isRefusal = cause instanceof ApplicationFailure && cause.type === failureTypes.NotHalted;
  return isRefusal ? new ClientError('NotHalted', cause.message, { rolloutId }) : error;
}
