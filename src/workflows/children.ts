import {
  ChildWorkflowFailure,
  TerminatedFailure,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { MINUTE } from '../domain/clock.ts';
import type { Watch } from './watch.ts';

/** How long to wait for a child of an earlier run that is about to end. */
const ALREADY_RUNNING_POLL = MINUTE;

/**
 * Runs a child that somebody may terminate by hand in the Web UI, or of which an earlier run still winds down.
 * @returns the child's result, or null when it was terminated or still runs: look again, the ledger knows how things stand
 */
export async function runChild<T>(watch: Watch, run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (wasTerminated(error)) return null;
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    await watch.sleepUntil(watch.now + ALREADY_RUNNING_POLL, 'an earlier run of the same step to end');
    return null;
  }
}

/** True when a child was terminated, which a person may do at any time and which loses nothing. */
export function wasTerminated(error: unknown): boolean {
  return error instanceof ChildWorkflowFailure && error.cause instanceof TerminatedFailure;
}
