import { SECOND, type Duration } from '../domain/clock.ts';
import { FleetApiError } from './api-error.ts';
import { aroundCalls } from './calls.ts';
import type { Fleet } from './port.ts';

/** Of wall time. Longer than the patience of the simulated fleet's store; four of them fit into the time that a look has. */
export const CALL_DEADLINE: Duration = 15 * SECOND;

/**
 * The same fleet, of which no call hangs: one that has not answered in time fails with `GatewayTimeout`, whatever becomes of it.
 * @param deadline wall time of one call
 */
export function withDeadline(fleet: Fleet, deadline: Duration = CALL_DEADLINE): Fleet {
  return aroundCalls(fleet, async (call, scaleSetId, work) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const message = `The fleet's API did not answer ${call} within ${deadline / SECOND} s.`;
        reject(new FleetApiError(message, { code: 'GatewayTimeout', scaleSetId }));
      }, deadline);
    });
    return Promise.race([work(), late]).finally(() => clearTimeout(timer));
  });
}
