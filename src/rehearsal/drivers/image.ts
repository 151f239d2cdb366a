import { CANCELLED_THROUGH_TEMPORAL } from '../../domain/cancel.ts';
import { APPROVAL_ROUND, gateOf, type PhaseGate } from '../../domain/phase-gate.ts';
import type { Decision, Reason } from '../../ledger/port.ts';
import { phaseRolloutId } from '../../workflows/ids.ts';
import { approvalReason, awaitedOf, haltReason, refusalOf, type Halt } from '../../workflows/loops/halt.ts';
import type { DecideInput, ImageRolloutInput, PhaseRolloutResult } from '../../workflows/messages.ts';
import type { Process, ProcessEnd } from '../process.ts';
import type { Runtime } from '../runtime.ts';
import { startPhase } from './phase.ts';

/** How often a rollout that waits for people looks for what it may have missed, in fallback polls. */
const PAUSED_POLLS = 4;
const HALTED_POLLS = 24;

/** A rollout over the fleet, as `imageRollout` is: phase after phase, with a gate between them. */
export class ImageDriver {
  readonly #runtime: Runtime;
  readonly #input: ImageRolloutInput;
  #process: Process | null = null;
  #halt: Halt | null = null;
  #isDecided = false;

  constructor(runtime: Runtime, input: ImageRolloutInput) {
    this.#runtime = runtime;
    this.#input = input;
  }

  /** True while nothing but a person's decision can move it. */
  get waitsForDecision(): boolean {
    return this.#halt !== null && !this.#isDecided;
  }

  start(): Process | null {
    this.#halt = null;
    return this.#runtime.start(this.#input.rolloutId, async (process) => {
      this.#process = process;
      for (let phase = 1; phase <= this.#input.phases.length; phase++) {
        const stop = await this.#untilPassed(process, phase);
        if (stop) return this.#finish(process, 'Cancelled', stop);
      }
      return this.#finish(process, 'Completed', null);
    });
  }

  /** What it waits for a decision about; null when it does not wait for one. */
  get halt(): Readonly<Halt> | null {
    return this.#process?.isOpen ? this.#halt : null;
  }

  /** A person's decision, and what is recorded then; or why it is refused. */
  async decide(input: DecideInput): Promise<Decision | string> {
    const refusal = refusalOf(this.halt, input);
    if (refusal !== null || this.#process === null) return refusal ?? 'It has not begun.';
    const { rolloutId } = this.#input;
    const at = this.#process.now;
    const decision = await this.#runtime.ledger.phases.decide({ rolloutId, ...input, at });
    this.#isDecided = true;
    this.#process.wake();
    return decision;
  }

  async #untilPassed(process: Process, phase: number): Promise<Reason | null> {
    const refused = await this.#approval(process, phase);
    if (refused) return refused;
    for (let round = 1; ; round++) {
      const cancelled = await this.#waitWhilePaused(process);
      if (cancelled) return cancelled;
      const result = await this.#runPhase(process, phase, round);
      if (result.kind === 'cancelled') return result.reason;
      if (result.withinTolerance) return null;
      const { failureTolerancePercent } = this.#gateOf(phase);
      const reason = haltReason(phase, result.verdict, failureTolerancePercent);
      const gate = await this.#gate(process, { phase, round }, reason);
      if (gate === 'proceed') return null;
      if (gate !== 'retry') return gate;
    }
  }

  async #approval(process: Process, phase: number): Promise<Reason | null> {
    if (!this.#gateOf(phase).approval) return null;
    const reason = approvalReason(phase, this.#planOf(phase).name);
    const gate = await this.#gate(process, { phase, round: APPROVAL_ROUND }, reason);
    return typeof gate === 'string' ? null : gate;
  }

  #planOf(phase: number): ImageRolloutInput['phases'][number] {
    return this.#input.phases[phase - 1] as ImageRolloutInput['phases'][number];
  }

  #gateOf(phase: number): PhaseGate {
    return gateOf(this.#planOf(phase), this.#input.settings);
  }

  async #waitWhilePaused(process: Process): Promise<Reason | null> {
    for (;;) {
      if (process.cancelRequested) return CANCELLED_THROUGH_TEMPORAL;
      const order = await this.#runtime.call(process, 'readOrder', { rolloutId: this.#input.rolloutId });
      if (order.state === 'cancelled') return order.reason;
      if (order.state === 'running') return null;
      await process.waitFor('resume', process.now + PAUSED_POLLS * this.#input.settings.fallbackPoll);
    }
  }

  async #runPhase(process: Process, phase: number, round: number): Promise<PhaseRolloutResult> {
    const { rolloutId, clock, target, settings } = this.#input;
    const plan = this.#planOf(phase);
    for (;;) {
      const cancelled = process.cancelRequested;
      const own = startPhase(this.#runtime, {
        ...{ v: 1, rolloutId, clock, target, phase, round, plan, settings, cancelled },
      });
      const child = own ?? (this.#runtime.find(phaseRolloutId(rolloutId, phase, round)) as Process);
      if (own !== null) process.adopt(own, 'cancel');
      let end: ProcessEnd<unknown> | null = null;
      child.onEnd((how) => {
        end = how;
        process.wake();
      });
      for (;;) {
        if (process.cancelRequested && child.isOpen && !child.cancelRequested) child.cancel();
        if (end !== null) break;
        await process.waitForWake(`phase ${phase} (${plan.name})`);
      }
      const how = end as ProcessEnd<PhaseRolloutResult>;
      if (how.kind === 'failed') throw how.error;
      if (own !== null && how.kind === 'ended') return how.result;
    }
  }

  async #gate(process: Process, halt: Halt, reason: Reason): Promise<'proceed' | 'retry' | Reason> {
    const { rolloutId, settings } = this.#input;
    await this.#runtime.call(process, 'setRolloutStatus', {
      ...{ rolloutId, status: 'Halted', reason, at: process.now },
    });
    this.#halt = halt;
    this.#isDecided = false;
    for (;;) {
      const cancelled = await this.#cancelled(process);
      // Read last: whoever decided while it looked for a cancel has decided.
      const decided = (await process.perform(() => this.#runtime.ledger.phases.decisions(rolloutId)))
        .filter((one) => one.phase === halt.phase && one.round === halt.round)
        .toSorted((a, b) => Number(b.decision === 'abort') - Number(a.decision === 'abort'))[0];
      if (decided?.decision === 'abort') {
        return this.#leave({ code: 'Aborted', message: `Aborted by ${decided.who}: ${decided.why}` });
      }
      if (decided) {
        // From here on no other decision is taken: one would be recorded, and nobody would act on it.
        this.#leave(decided);
        await this.#runtime.call(process, 'setRolloutStatus', {
          ...{ rolloutId, status: 'Running', reason: null, at: process.now },
        });
        return decided.decision;
      }
      if (cancelled) return this.#leave(cancelled);
      await process.waitFor(awaitedOf(halt), process.now + HALTED_POLLS * settings.fallbackPoll);
    }
  }

  #leave<T>(gate: T): T {
    this.#halt = null;
    return gate;
  }

  async #cancelled(process: Process): Promise<Reason | null> {
    if (process.cancelRequested) return CANCELLED_THROUGH_TEMPORAL;
    const order = await this.#runtime.call(process, 'readOrder', { rolloutId: this.#input.rolloutId });
    return order.state === 'cancelled' ? order.reason : null;
  }

  async #finish(process: Process, status: 'Completed' | 'Cancelled', reason: Reason | null) {
    const { rolloutId } = this.#input;
    await this.#runtime.call(process, 'setRolloutStatus', { rolloutId, status, reason, at: process.now });
    return { status, reason };
  }
}
