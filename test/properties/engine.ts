import type { WorkflowDirectory } from '../../src/activities/index.ts';
import type { Instant } from '../../src/domain/clock.ts';
import type { SimulatedFleet } from '../../src/fleet/index.ts';
import type { Decision, DecisionKind, Ledger, Rollout } from '../../src/ledger/port.ts';
import type { RehearsalEnd } from '../../src/rehearsal/rehearsal.ts';
import type { Disturbance, Step } from '../../src/rehearsal/runtime.ts';
import type { Case } from './case.ts';

/** What carries the rollouts of a case out: the interpreter, or the workflows themselves on a Temporal server. */
export interface Engine {
  /** Virtual time. */
  readonly now: Instant;
  /** The fleet of the case, whose clock shows the engine's time. */
  readonly fleet: SimulatedFleet;
  readonly ledger: Ledger;
  readonly workflows: WorkflowDirectory;
  /** Does something at a moment: an order, a change of the fleet. */
  at(moment: Instant, action: () => Promise<void> | void): void;
  /** Starts what was recorded: a rollout over the fleet, or the upgrade of one set. */
  start(rollout: Rollout, scaleSet?: { id: string; region: string }): Promise<void>;
  /** Everybody looks again, as after an order. */
  wakeAll(): Promise<void>;
  /** Temporal's Cancel. */
  cancel(isMeant: (workflowId: string) => boolean): Promise<void>;
  /** Temporal's Terminate; absent where nobody is told of it and could go on. @returns how many */
  terminate?(isMeant: (workflowId: string) => boolean): number;
  /** A person's decision about whatever a rollout is halted in, and what is recorded then; null when it was refused. */
  decide(rolloutId: string, decision: DecisionKind, who: string, why: string): Promise<Decision | null>;
  /** Lets everything happen, until all has ended or only a person could go on. */
  run(): Promise<RehearsalEnd>;
  /** Who waits for what, when it goes on for ever. */
  waits(): Promise<string[]>;
  /** Ends everything, and removes the fleet and the ledger. */
  close(): Promise<void>;
}

export interface EngineOptions {
  given: Case;
  /** Virtual time after which something must have gone wrong. */
  limit: number;
  /** Called after every activity, before the world changes. */
  onStep: (step: Step) => Promise<void>;
  /** Called right before each call of an activity; not of an engine whose calls have no order. @param call from 0 */
  onCall?: (call: number) => void;
  /** Called when a workflow is terminated by one of the kills of a case. */
  onTermination: () => void;
}

export type OpenEngine = (options: EngineOptions) => Promise<Engine>;

/** What happens at each call of something, in the order of the calls. */
export function inOrder<How extends Disturbance | 'before' | 'after'>(
  losses: readonly { call: number; how: How }[],
): () => How | 'none' {
  const byCall = new Map(losses.map(({ call, how }) => [call, how]));
  let calls = 0;
  return () => byCall.get(calls++) ?? 'none';
}
