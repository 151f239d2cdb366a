import { ApplicationFailure } from '@temporalio/common';
import { FencedError } from '../ledger/errors.ts';
import { failureTypes } from '../workflows/messages.ts';

/** For what an input names and the stores do not have: retrying cannot help. */
export function notFound(what: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`${what} was not found.`, failureTypes.NotFound);
}

/** Turns the stores' errors into failures that Temporal knows whether to retry. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FencedError)
      throw ApplicationFailure.nonRetryable(error.message, failureTypes.Fenced);
    throw error;
  }
}
