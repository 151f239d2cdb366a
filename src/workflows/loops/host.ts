import type { Activities } from '../../activities/index.ts';
import type { BatchInput, RollBackInput, StepResult } from '../../activities/types.ts';
import type { Instant } from '../../domain/clock.ts';

/** What a loop needs of whoever runs it: time, waits, and a place to say what it is doing. */
export interface LoopWatch {
  /** Virtual time. */
  readonly now: Instant;
  /** Temporal's own Cancel was asked for. */
  readonly cancelRequested: boolean;
  doing(text: string): void;
  /**
   * Waits for a wake-up, or until `until`.
   * @param lookAt ends it earlier, though what is waited for comes at `until`
   */
  waitFor(what: string, until: Instant, note?: string, lookAt?: Instant): Promise<void>;
  /** A wait that nothing ends early. */
  sleepUntil(until: Instant, what: string): Promise<void>;
}

/** Activities that change instances, a chunk at a time. */
export interface StepInputs {
  swapOsDisks: BatchInput;
  configureInstances: BatchInput;
  restoreOsDisks: RollBackInput;
}

export type StepName = keyof StepInputs;

/**
 * What every loop runs on: a workflow, or the rehearsal's interpreter. Looks and steps are called until the cloud's API answers for the
 * set, see `patiently`.
 */
export interface LoopHost {
  watch: LoopWatch;
  looks: Pick<
    Activities,
    'lookAtScaleSet' | 'checkHealth' | 'closeBatch' | 'closeRollBack' | 'giveUpScaleSet'
  >;
  /** @param summary for people, in the Web UI */
  step: <N extends StepName>(name: N, input: StepInputs[N], summary: string) => Promise<StepResult>;
}
