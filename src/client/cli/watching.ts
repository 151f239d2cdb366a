import type { AttemptKind } from '../../domain/attempt-kinds.ts';
import { humanDuration } from '../../domain/clock.ts';
import { EXIT } from '../index.ts';
import { watchRollout, type RolloutSnapshot, type WatchOutcome, type WatchResult } from '../view/index.ts';
import type { Cli, CommonOptions } from './cli.ts';
import type { OpenRollouts } from './open-rollouts.ts';
import { amount } from './text.ts';

/** What `watch` and `start --wait` end with. */
export const OUTCOME_EXIT: Record<WatchOutcome, number> = {
  completed: EXIT.ok,
  halted: EXIT.halted,
  faulted: EXIT.halted,
  cancelled: EXIT.cancelled,
  timedOut: EXIT.timedOut,
  interrupted: EXIT.interrupted,
};

/**
 * Shows a rollout until it ends, halts, or the time is over, and sets the exit code by that. Asked for JSON, standard
 * output is kept free for the one object at the end; what happens meanwhile goes to standard error.
 */
export async function watch(
  cli: Cli,
  rollouts: OpenRollouts,
  rolloutId: string,
  { output, timeout }: CommonOptions & { timeout?: number },
): Promise<WatchResult> {
  const { stdout, stderr } = cli.terminal;
  // Only to see that the workflow is still there: the ledger tells the rest.
  const client = await rollouts.temporal().then(
    (connected) => connected.client,
    () => undefined,
  );
  const { fleet, ledger } = rollouts;
  const result = await watchRollout(
    { fleet, ledger, ...(client === undefined ? {} : { client }) },
    rolloutId,
    {
      out: output === 'json' ? stderr : stdout,
      tty: output === 'text' && stdout.isTTY,
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
      signal: cli.terminal.untilInterrupted(),
      stopWhenHalted: true,
    },
  );
  cli.exitCode = OUTCOME_EXIT[result.outcome];
  return result;
}

/** What has become of an instance for which all went well. */
const DONE: Record<AttemptKind, string> = {
  osUpgrade: 'upgraded',
  modelUpgrade: 'brought to the model',
  modelUpdate: 'brought to the model',
  revert: 'reverted',
  repair: 'repaired',
};

/** The end of a watch, in a sentence or two, with what to do next. */
export function outcomeText({ outcome, snapshot }: WatchResult): string {
  const { rolloutId, action, reason, instances, elapsed, elapsedWallMs, speed, waits } = snapshot;
  const took =
    speed === 1
      ? humanDuration(elapsed)
      : `${humanDuration(elapsed)} of virtual time (${humanDuration(elapsedWallMs)})`;
  const why = reason === null ? '' : ` ${reason.message}`;
  switch (outcome) {
    case 'completed':
      return `Completed after ${took}: ${amount(instances.upgraded, 'VM')} ${DONE[action]}, ${instances.failed} failed.`;
    case 'halted': {
      const commands = waits.flatMap(({ command }) => (command === null ? [] : [`\nDecide: ${command}`]));
      return `Halted after ${took}.${why}${commands.join('')}`;
    }
    case 'faulted':
      return `${snapshot.status === 'Faulted' ? 'Faulted' : 'Nobody carries it on: its workflow is gone'}, after ${took}.${why}`;
    case 'cancelled':
      return `${snapshot.status} after ${took}.${why}`;
    case 'timedOut':
      return `The time is over; the rollout goes on (${snapshot.status}). Look again: rollouts watch ${rolloutId}`;
    case 'interrupted':
      return `You stopped watching; the rollout goes on (${snapshot.status}). Look again: rollouts watch ${rolloutId}\nEnd it: rollouts cancel ${rolloutId} --why TEXT`;
  }
}

/** The end of a watch for programs. */
export function outcomeJson({ outcome, snapshot }: WatchResult): Omit<RolloutSnapshot, 'phases'> & {
  outcome: WatchOutcome;
  exitCode: number;
  workflowId: string;
} {
  const { phases: _phases, ...rest } = snapshot;
  return { workflowId: snapshot.rolloutId, outcome, exitCode: OUTCOME_EXIT[outcome], ...rest };
}
