import { CANCELLED_THROUGH_TEMPORAL } from '../../domain/cancel.ts';
import type { Decision, PhaseVerdict, Reason } from '../../ledger/port.ts';
import { phaseRolloutId } from '../../workflows/ids.ts';
import { haltReason } from '../../workflows/loops/halt.ts';
import type { DecideInput, ImageRolloutInput, PhaseRolloutResult } from '../../workflows/messages.ts';
import type { Process, ProcessEnd } from '../process.ts';
import type { Runtime } from '../runtime.ts';
import { startPhase } from './phase.ts';

/** How often a rollout that waits for people looks for what it may have missed, in fallback polls. */
const PAUSED_POLLS = 4;
const HALTED_POLLS = 24;

interface Halt {
  phase: number;
  round: number;
}

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

  /** A person's decision, and what is recorded then; null when it does not wait for one about that phase and round. */
  async decide({ phase, round, ...made }: DecideInput): Promise<Decision | null> {
    const { halt } = this;
    if (halt?.phase !== phase || halt.round !== round || this.#process === null) return null;
    const { rolloutId } = this.#input;
    const at = this.#process.now;
    const decision = await this.#runtime.ledger.phases.decide({ rolloutId, ...halt, ...made, at });
    this.#isDecided = true;
    this.#process.wake();
    return decision;
  }

  async #untilPassed(process: Process, phase: number): Promise<Reason | null> {
    for (let round = 1; ; round++) {
      const cancelled = await this.#waitWhilePaused(process);
      if (cancelled) return cancelled;
      const result = await this.#runPhase(process, phase, round);
      if (result.kind === 'cancelled') return result.reason;
      if (result.withinTolerance) return null;
      const gate = await this.#gate(process, { phase, round }, result.verdict);
      if (gate === 'proceed') return null;
      if (gate !== 'retry') return gate;
    }
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
    const { rolloutId, clock, target, phases, settings } = this.#input;
    const plan = phases[phase - 1] as ImageRolloutInput['phases'][number];
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

  async #gate(process: Process, halt: Halt, verdict: PhaseVerdict): Promise<'proceed' | 'retry' | Reason> {
    const { rolloutId, settings } = this.#input;
    const reason = haltReason(halt.phase, verdict, settings.failureTolerancePercent);
    await this.#runtime.call(process, 'setRolloutStatus', {
      ...{ rolloutId, status: 'Halted', reason, at: process.now },
    });
    this.#halt = halt;
    this.#isDecided = false;
    for (;;) {
      const decided = (await process.perform(() => this.#runtime.ledger.phases.decisions(rolloutId)))
        .filter((one) => one.phase === halt.phase && one.round === halt.round)
        .toSorted((a, b) => Number(b.decision === 'abort') - Number(a.decision === 'abort'))[0];
      if (decided?.decision === 'abort') {
        return this.#leave({ code: 'Aborted', message: `Aborted by ${decided.who}: ${decided.why}` });
      }
      if (decided) {
        await this.#runtime.call(process, 'setRolloutStatus', {
          ...{ rolloutId, status: 'Running', reason: null, at: process.now },
        });
        return this.#leave(decided.decision);
      }
      const cancelled = await this.#cancelled(process);
      if (cancelled) return this.#leave(cancelled);
      await process.waitFor(
        'a decision: proceed, retry or abort',
        process.now + HALTED_POLLS * settings.fallbackPoll,
      );
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
