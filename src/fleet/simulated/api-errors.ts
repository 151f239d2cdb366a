import type { Queries } from '../../database/database.ts';
import type { OperationRequest } from '../port.ts';
import { isNamed, type FaultOf, type Faults } from './faults.ts';

/** The cloud's API failed, by a scenario's `apiError`: asking again is right. */
export class FleetUnavailableError extends Error {
  override readonly name = 'FleetUnavailableError';
  readonly code: 'ServiceUnavailable' | 'GatewayTimeout';

  constructor(message: string, code: FleetUnavailableError['code'] = 'ServiceUnavailable') {
    super(message);
    this.code = code;
  }
}

const ERRORS = {
  before: { code: 'ServiceUnavailable', when: 'before it did anything' },
  after: { code: 'ServiceUnavailable', when: 'after it had done it' },
  timeout: { code: 'GatewayTimeout', when: 'with no answer in time' },
} as const;

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
      const { code, when } = ERRORS[fault.effect];
      const error = new FleetUnavailableError(
        `The fleet's API failed on ${operation}, ${when} (fault ${id}).`,
        code,
      );
      return { effect: fault.effect, error };
    }
  }
  return null;
}
