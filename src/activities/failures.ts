import { ApplicationFailure } from '@temporalio/common';
import { FencedError, NotRecordedError } from '../ledger/errors.ts';
import type { Attempt, Ledger } from '../ledger/port.ts';
import { FleetApiError } from '../fleet/api-error.ts';
import type { Fleet } from '../fleet/port.ts';
import { failureTypes } from '../workflows/messages.ts';
import { fleetFailure } from './fleet-failures.ts';

/** For what an input names and the stores do not have: retrying cannot help. */
export function notFound(what: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(`${what} was not found.`, failureTypes.NotFound);
}

/** Turns the stores' errors, and those of the cloud's API, into failures of which everybody knows whether and when to retry them. */
export async function translated<T>(fleet: Fleet, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FleetApiError) throw await fleetFailure(fleet, error);
    if (error instanceof FencedError)
      throw ApplicationFailure.nonRetryable(error.message, failureTypes.Fenced);
    if (error instanceof NotRecordedError) {
      throw ApplicationFailure.nonRetryable(error.message, failureTypes.NotFound);
    }
    throw error;
  }
}

/**
 * Stops whoever acts for an attempt that has been taken over since: what it still sees of the instances is another's work,
 * and it would wait for its own for ever.
 * @throws FencedError
 */
export async function refuseOvertaken(
  ledger: Ledger,
  attempt: { id: string; fence: number },
): Promise<Attempt> {
  const current = await ledger.attempts.get(attempt.id);
  if (!current) throw notFound(`Attempt ${attempt.id}`);
  if (current.fence > attempt.fence) {
    throw new FencedError(
      `Attempt ${attempt.id} was taken over: its fence is ${current.fence}, not ${attempt.fence}.`,
    );
  }
  return current;
}
