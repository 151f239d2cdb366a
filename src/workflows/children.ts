import {
  ChildWorkflowFailure,
  TerminatedFailure,
  WorkflowExecutionAlreadyStartedError,
  type Workflow,
  type WorkflowResultType,
} from '@temporalio/common';
import { getExternalWorkflowHandle, type ChildWorkflowHandle } from '@temporalio/workflow';
import { MINUTE } from '../domain/clock.ts';
import type { Watch } from './watch.ts';

/** How long to wait for a child of an earlier run that is about to end. */
const ALREADY_RUNNING_POLL = MINUTE;

/**
 * Children that run, and the cancel that is passed on to them. A child is told once it has begun, not before: the server
 * refuses a task that both starts a child and cancels it, for ever. One that was terminated and began anew is told again.
 */
export class Children {
  readonly #watch: Watch;
  readonly #untold = new Set<string>();

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  /**
   * Runs a child that somebody may terminate by hand in the Web UI, or of which an earlier run still winds down.
   * @returns the child's result, or null when it was terminated or still runs: look again, the ledger knows how things stand
   */
  async run<W extends Workflow>(
    start: () => Promise<ChildWorkflowHandle<W>>,
  ): Promise<WorkflowResultType<W> | null> {
    let id: string | null = null;
    try {
      const child = await start();
      id = child.workflowId;
      this.#untold.add(id);
      if (this.#watch.cancelRequested) this.#watch.wake();
      return await child.result();
    } catch (error) {
      if (wasTerminated(error)) return null;
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await this.#watch.sleepUntil(
        this.#watch.now + ALREADY_RUNNING_POLL,
        'an earlier run of the same step to end',
      );
      return null;
    } finally {
      if (id !== null) this.#untold.delete(id);
    }
  }

  /** Passes Temporal's Cancel on, if there was one, to the children that have begun since. */
  async passCancelOn(): Promise<void> {
    if (!this.#watch.cancelRequested) return;
    const ids = [...this.#untold];
    this.#untold.clear();
    const cancel = (id: string) => getExternalWorkflowHandle(id).cancel();
    await Promise.all(ids.map((id) => cancel(id).catch(() => undefined)));
  }
}

/** True when a child was terminated, which a person may do at any time and which loses nothing. */
export function wasTerminated(error: unknown): boolean {
  return error instanceof ChildWorkflowFailure && error.cause instanceof TerminatedFailure;
}
