import { ApplicationFailure } from '@temporalio/common';
import type { Instant } from '../../domain/clock.ts';
import { FRESH, nextTry, type NoAnswer } from '../../domain/patience.ts';
import { failureTypes } from '../messages.ts';
import type { LoopWatch } from './host.ts';

/** Told of every wait, before it begins. */
export type OnWait = (error: unknown, until: Instant) => void;

/**
 * Calls an activity about one scale set until the cloud's API answers for it, with waits in virtual time between the tries that
 * people see.
 * @param key what the waits are spread by
 * @throws ApplicationFailure `ScaleSetUnreachable` when it is given up, see `nextTry`; whatever else the call fails with
 */
export async function patiently<I extends { at: Instant }, R>(
  watch: Pick<LoopWatch, 'now' | 'sleepUntil'>,
  key: string,
  input: I,
  call: (input: I) => Promise<R>,
  onWait?: OnWait,
): Promise<R> {
  let patience = FRESH;
  for (let given = input; ; given = { ...input, at: watch.now }) {
    try {
      return await call(given);
    } catch (error) {
      const answer = noAnswerOf(error);
      if (answer === null) throw error;
      const next = nextTry(patience, answer, watch.now, key);
      if (next.kind === 'giveUp') {
        throw ApplicationFailure.nonRetryable(answer.message, failureTypes.ScaleSetUnreachable);
      }
      patience = next.patience;
      onWait?.(error, next.at);
      await watch.sleepUntil(next.at, `the fleet's API: ${answer.message}`);
    }
  }
}

/** Why a set was given up; null for any other failure. */
export function unreachableReason(error: unknown): string | null {
  return causeOfType(error, failureTypes.ScaleSetUnreachable)?.message ?? null;
}

function noAnswerOf(error: unknown): NoAnswer | null {
  const failure = causeOfType(error, failureTypes.NoAnswer);
  return (failure?.details?.[0] as NoAnswer | undefined) ?? null;
}

/** A failure comes wrapped in those of the activity and the child workflow that it has passed through. */
function causeOfType(error: unknown, type: string): ApplicationFailure | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && cause.type === type) return cause;
  }
  return null;
}
