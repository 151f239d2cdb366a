import type { Queries } from '../../database/database.ts';
import type { OperationRequest } from '../port.ts';
import { isNamed, type FaultOf, type Faults } from './faults.ts';

/** The cloud's API failed, by a scenario's `apiError`: asking again is right. */
export class FleetUnavailableError extends Error {
  override readonly name = 'FleetUnavailableError';
  readonly code = 'ServiceUnavailable';
}

/**
 * The error that the scenario has for this request, or null. How often it will still happen is kept with the fleet, so
 * that it is bounded over all workers.
 */
export async function takeApiError(
  tx: Queries,
  faults: Faults,
  { operation, scaleSetId }: OperationRequest,
): Promise<{ effect: FaultOf<'apiError'>['effect']; error: FleetUnavailableError } | null> {
  const concerning = faults
    .of('apiError')
    .filter(
      ({ fault }) =>
        fault.operation === operation &&
        (fault.scaleSet === undefined || isNamed(fault.scaleSet, scaleSetId)),
    );
  for (const { id, fault } of concerning) {
    const used = await tx
      .updateTable('faults')
      .set((eb) => ({ remaining: eb('remaining', '-', 1) }))
      .where('id', '=', id)
      .where('remaining', '>', 0)
      .executeTakeFirst();
    if (used.numUpdatedRows > 0n) {
      const when = fault.effect === 'before' ? 'before it did anything' : 'after it had done it';
      const error = new FleetUnavailableError(
        `The fleet's API failed on ${operation}, ${when} (fault ${id}).`,
      );
      return { effect: fault.effect, error };
    }
  }
  return null;
}
