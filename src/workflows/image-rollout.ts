import {
  CancellationScope,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  allHandlersFinished,
  condition,
  setHandler,
  startChild,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import { CANCELLED_THROUGH_TEMPORAL } from '../domain/cancel.ts';
import { APPROVAL_ROUND, gateOf, type PhaseGate } from '../domain/phase-gate.ts';
import type { Decision, Reason, RolloutStatus } from '../ledger/port.ts';
import { attributesOf, searchAttributes } from '../temporal/search-attributes.ts';
import { looks } from './activities.ts';
import { Children } from './children.ts';
import { phaseRolloutId } from './ids.ts';
import { approvalReason, awaitedOf, haltReason, refusalOf, type Halt } from './loops/halt.ts';
import {
  decideUpdate,
  failureTypes,
  type DecideInput,
  type ImageRolloutInput,
  type ImageRolloutResult,
  type PhaseRolloutResult,
} from './messages.ts';
import { phaseRollout } from './phase-rollout.ts';
import { Watch } from './watch.ts';

/** A rollout of one image version over the fleet: phase after phase, with a gate between them (rules D1 to D3). */
export async function imageRollout(input: ImageRolloutInput): Promise<ImageRolloutResult> {
  const watch = new Watch(input.clock, 'image', 'starting');
  return CancellationScope.nonCancellable(async () => {
    const result = await new ImageRun(input, watch).run();
    await condition(allHandlersFinished);
    return result;
  });
}

/** People take days: looking for a lost wake-up as often as elsewhere would fill the history. In fallback polls. */
const PAUSED_POLLS = 4;

/** A decision comes as an update, which needs no look: only an order to cancel could be missed. */
const HALTED_POLLS = 24;

/** A newer version has come (rule D7). */
const SUPERSEDED = 'Superseded';

type Gate = 'next' | 'retry' | Reason;

class ImageRun {
  readonly #input: ImageRolloutInput;
  readonly #watch: Watch;
  #halt: Halt | null = null;
  #decision: Decision | null = null;

  constructor(input: ImageRolloutInput, watch: Watch) {
    this.#input = input;
    this.#watch = watch;
    setHandler(decideUpdate, (decision) => this.#decide(decision), {
      validator: (decision) => this.#validate(decision),
    });
  }

  async run(): Promise<ImageRolloutResult> {
    const { phases } = this.#input;
    for (let phase = 1; phase <= phases.length; phase++) {
      const stop = await this.#runUntilPassed(phase);
      if (stop) return this.#finish('Cancelled', stop, phase - 1);
    }
    return this.#finish('Completed', null, phases.length);
  }

  /** Its approval, where it needs one, and rounds of one phase until it passes; the reason, when the rollout is to stop instead. */
  async #runUntilPassed(phase: number): Promise<Reason | null> {
    const refused = await this.#waitForApproval(phase);
    if (refused) return refused;
    for (let round = 1; ; round++) {
      const cancelled = await this.#waitWhilePaused();
      if (cancelled) return cancelled;
      const result = await this.#runPhase(phase, round);
      if (result.kind === 'cancelled') return result.reason;
      if (result.withinTolerance) return null;
      const { failed, eligible } = result.verdict;
      const gate = await this.#waitForDecision(
        { phase, round },
        haltReason(phase, result.verdict, this.#gateOf(phase).failureTolerancePercent),
        `**Halted**: ${failed} of ${eligible} eligible VMs failed`,
      );
      if (gate === 'next') return null;
      if (gate !== 'retry') return gate;
    }
  }

  /** A phase whose plan says so begins only once a person has approved it (rule D2); the reason, if the rollout ends instead. */
  async #waitForApproval(phase: number): Promise<Reason | null> {
    if (!this.#gateOf(phase).approval) return null;
    const reason = approvalReason(phase, this.#planOf(phase).name);
    const gate = await this.#waitForDecision({ phase, round: APPROVAL_ROUND }, reason, reason.message);
    return typeof gate === 'string' ? null : gate;
  }

  #planOf(phase: number): ImageRolloutInput['phases'][number] {
    return this.#input.phases[phase - 1] as ImageRolloutInput['phases'][number];
  }

  #gateOf(phase: number): PhaseGate {
    return gateOf(this.#planOf(phase), this.#input.settings);
  }

  /** Pauses stop the next phase from starting; a cancel ends the rollout. */
  async #waitWhilePaused(): Promise<Reason | null> {
    for (;;) {
      if (this.#watch.cancelRequested) return CANCELLED_THROUGH_TEMPORAL;
      const order = await looks.readOrder({ rolloutId: this.#input.rolloutId });
      if (order.state === 'cancelled') return order.reason;
      if (order.state === 'running') return null;
      await this.#watch.waitFor(
        `resume (${order.reason?.message})`,
        this.#watch.now + PAUSED_POLLS * this.#input.settings.fallbackPoll,
      );
    }
  }

  async #runPhase(phase: number, round: number): Promise<PhaseRolloutResult> {
    const { rolloutId, clock, target, phases, settings } = this.#input;
    const plan = this.#planOf(phase);
    const workflowId = phaseRolloutId(rolloutId, phase, round);
    this.#watch.doing(`Phase ${phase} of ${phases.length} (${plan.name}): ${plan.regions.join(', ')}`);
    for (;;) {
      let running = true;
      const children = new Children(this.#watch);
      const child = children
        .run(() =>
          startChild(phaseRollout, {
            workflowId,
            workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
            parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
            staticSummary: `phase ${phase} (${plan.name})${round > 1 ? `, round ${round}` : ''}`,
            typedSearchAttributes: [...attributesOf(target), { key: searchAttributes.phase, value: phase }],
            args: [
              {
                v: 1,
                rolloutId,
                clock,
                target,
                phase,
                round,
                plan,
                settings,
                cancelled: this.#watch.cancelRequested,
              },
            ],
          }),
        )
        .finally(() => {
          running = false;
          this.#watch.wake();
        });
      await this.#passCancelOnWhile(() => running, children, `phase ${phase} (${plan.name})`);
      const result = await child;
      if (result) return result;
    }
  }

  async #passCancelOnWhile(running: () => boolean, children: Children, what: string): Promise<void> {
    while (running()) {
      await children.passCancelOn();
      if (running()) await this.#watch.waitForWake(what);
    }
  }

  /** A halted rollout waits for a person (rule D2). Cancelling it is always possible. */
  async #waitForDecision(halt: Halt, reason: Reason, note: string): Promise<Gate> {
    await this.#setStatus('Halted', reason);
    this.#halt = halt;
    this.#decision = null;
    const gate = await this.#gate(awaitedOf(halt), note);
    this.#halt = null;
    // Two people may have decided at once: an abort that was recorded, and told to its author, wins.
    await condition(allHandlersFinished);
    const aborted = abortReason(this.#decision);
    if (aborted) return aborted;
    if (gate === 'next' || gate === 'retry') await this.#setStatus('Running', null);
    return gate;
  }

  async #gate(what: string, note: string): Promise<Gate> {
    for (;;) {
      const decision = this.#decision;
      if (decision?.decision === 'proceed') return 'next';
      if (decision?.decision === 'retry') return 'retry';
      const aborted = abortReason(decision);
      if (aborted) return aborted;
      if (this.#watch.cancelRequested) return CANCELLED_THROUGH_TEMPORAL;
      const order = await looks.readOrder({ rolloutId: this.#input.rolloutId });
      if (order.state === 'cancelled' && order.reason) return order.reason;
      const until = this.#watch.now + HALTED_POLLS * this.#input.settings.fallbackPoll;
      await this.#watch.waitFor(what, until, note);
    }
  }

  /** Synchronous and without side effects, as a validator must be. */
  #validate(decision: DecideInput): void {
    const refusal = refusalOf(this.#halt, decision);
    if (refusal !== null) throw ApplicationFailure.nonRetryable(refusal, failureTypes.NotHalted);
  }

  async #decide(input: DecideInput): Promise<Decision> {
    const decision = await looks.recordDecision({
      rolloutId: this.#input.rolloutId,
      ...input,
      at: this.#watch.now,
    });
    // Answers of two decisions may come in another order than that in which they were recorded.
    if (abortReason(this.#decision) === null) this.#decision = decision;
    this.#watch.wake();
    return decision;
  }

  async #setStatus(status: RolloutStatus, reason: Reason | null): Promise<void> {
    await looks.setRolloutStatus({ rolloutId: this.#input.rolloutId, status, reason, at: this.#watch.now });
    upsertSearchAttributes([{ key: searchAttributes.status, value: status }]);
  }

  async #finish(
    asked: 'Completed' | 'Cancelled',
    reason: Reason | null,
    phasesDone: number,
  ): Promise<ImageRolloutResult> {
    const status = reason?.code === SUPERSEDED ? SUPERSEDED : asked;
    await this.#setStatus(status, reason);
    this.#watch.doing(reason ? `${status}: ${reason.message}` : status);
    return { status, reason, phasesDone };
  }
}

function abortReason(decision: Decision | null): Reason | null {
  if (decision?.decision !== 'abort') return null;
  return { code: 'Aborted', message: `Aborted by ${decision.who}: ${decision.why}` };
}
