import {
  CancellationScope,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { RegionLook } from '../activities/types.ts';
import { isoTime } from '../domain/clock.ts';
import { attributesOf, searchAttributes } from '../temporal/search-attributes.ts';
import { looks } from './activities.ts';
import { wasTerminated } from './children.ts';
import { turnOf } from './dispatch.ts';
import { scaleSetRolloutId } from './ids.ts';
import type { RegionRolloutInput, RegionRolloutResult, RegionState } from './messages.ts';
import { scaleSetRollout } from './scale-set-rollout.ts';
import { Watch, historyIsLong } from './watch.ts';

/** A scale set whose workflow failed this often is given up: it must not hold up its region. */
const MAX_FAILURES = 3;

/**
 * Upgrades the scale sets of one region: a reconciler. It reads from the ledger what is due, running and done, starts due
 * sets up to a window, and waits for the next trigger or a wake-up. Its children are abandoned when it ends or continues as
 * new, and found again in the ledger.
 */
export async function regionRollout(input: RegionRolloutInput): Promise<RegionRolloutResult> {
  const watch = new Watch(input.clock, 'region', 'starting', input.cancelled);
  return CancellationScope.nonCancellable(() => new RegionRun(input, watch).reconcile());
}

class RegionRun {
  readonly #input: RegionRolloutInput;
  readonly #watch: Watch;
  readonly #state: RegionState;
  /** Scale sets whose workflow this run has started and has not seen end. */
  readonly #mine = new Set<string>();
  /** Scale sets to which a cancel was sent on. */
  readonly #cancelSent = new Set<string>();

  constructor(input: RegionRolloutInput, watch: Watch) {
    this.#input = input;
    this.#watch = watch;
    this.#state = input.state ?? { v: 1, lastScanAt: null, failures: {} };
  }

  async reconcile(): Promise<RegionRolloutResult> {
    for (;;) {
      const look = await this.#look();
      if (look.done) return this.#finish(look);
      for (const set of look.start) await this.#start(set.scaleSetId, set.name);
      await this.#forwardCancel(look);
      // A cancel is known to this run alone: it ends by itself soon, and is not handed over.
      const isLong = historyIsLong(this.#input.settings.maxHistoryEvents);
      if (isLong && !this.#watch.cancelRequested) await this.#continueAsNew();
      await this.#waitFor(look);
    }
  }

  async #look(): Promise<RegionLook> {
    const { rolloutId, phase, round, region, settings } = this.#input;
    const now = this.#watch.now;
    const scan = this.#state.lastScanAt === null || now - this.#state.lastScanAt >= settings.fallbackPoll;
    const look = await looks.lookAtRegion({
      rolloutId,
      phase,
      round,
      region,
      workflowId: workflowInfo().workflowId,
      mine: [...this.#mine],
      giveUp: Object.keys(this.#state.failures).filter(
        (id) => (this.#state.failures[id] ?? 0) >= MAX_FAILURES,
      ),
      scan,
      cancelRequested: this.#watch.cancelRequested,
      at: now,
    });
    if (scan) this.#state.lastScanAt = now;
    return look;
  }

  async #start(scaleSetId: string, name: string): Promise<void> {
    const { rolloutId, clock, target, phase, region, settings } = this.#input;
    this.#mine.add(scaleSetId);
    try {
      const child = await startChild(scaleSetRollout, {
        workflowId: scaleSetRolloutId(scaleSetId),
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `${name} in ${region} to ${target.version}`,
        memo: { scaleSetId, rolloutId },
        priority: turnOf(region),
        typedSearchAttributes: [
          ...attributesOf(target),
          { key: searchAttributes.scaleSet, value: scaleSetId },
          { key: searchAttributes.region, value: region },
          { key: searchAttributes.phase, value: phase },
        ],
        args: [
          {
            v: 1,
            rolloutId,
            scaleSetId,
            clock,
            target,
            phase,
            region,
            settings,
            // After a cancel only what was half done is started again, or what was chosen a moment before it.
            ...(this.#watch.cancelRequested ? { windDown: true } : {}),
          },
        ],
      });
      child.result().then(
        () => this.#ended(scaleSetId, null),
        (error: unknown) => this.#ended(scaleSetId, error),
      );
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      // A person's manual upgrade, or one that a former run of this workflow started: the looks watch it from now on.
      this.#mine.delete(scaleSetId);
    }
  }

  #ended(scaleSetId: string, error: unknown): void {
    this.#mine.delete(scaleSetId);
    if (error !== null && !wasTerminated(error)) {
      this.#state.failures[scaleSetId] = (this.#state.failures[scaleSetId] ?? 0) + 1;
    }
    this.#watch.wake();
  }

  /** Temporal's Cancel goes on to the scale sets; they stop at the end of their batches. */
  async #forwardCancel(look: RegionLook): Promise<void> {
    if (!this.#watch.cancelRequested) return;
    const running = [...this.#mine, ...look.own].filter((id) => !this.#cancelSent.has(id));
    await Promise.all(
      running.map((id) => {
        this.#cancelSent.add(id);
        return getExternalWorkflowHandle(scaleSetRolloutId(id))
          .cancel()
          .catch(() => undefined);
      }),
    );
  }

  async #waitFor(look: RegionLook): Promise<void> {
    const { counts } = look;
    const note = `${counts.upgraded} upgraded, ${counts.upgrading} upgrading, ${counts.waiting} waiting, ${counts.stopped} stopped, ${counts.skipped} skipped`;
    const fallback =
      this.#watch.now + this.#input.settings.fallbackPoll / (look.strangers.length > 0 ? 3 : 1);
    this.#watch.doing(note);
    const next = look.nextAt ?? fallback;
    await this.#watch.waitFor(look.waitingFor, next, note, Math.min(next, fallback));
  }

  async #continueAsNew(): Promise<never> {
    await condition(allHandlersFinished);
    return continueAsNew<typeof regionRollout>({ ...this.#input, state: this.#state });
  }

  #finish(look: RegionLook): RegionRolloutResult {
    const status = look.cancelled ? 'Cancelled' : 'Completed';
    upsertSearchAttributes([{ key: searchAttributes.status, value: status }]);
    this.#watch.doing(`${status} at ${isoTime(this.#watch.now)}`);
    return { kind: look.cancelled ? 'cancelled' : 'done', reason: look.cancelled, counts: look.counts };
  }
}
