import { stopCodes } from '../domain/stop-codes.ts';
import type { Order, Reason } from '../ledger/port.ts';

/** Why an order has everything in its scope end, or null where it does not: a person's cancel, or a newer version (rule D7). */
export function endByOrder(order: Order | null): Reason | null {
  if (order?.state === 'cancelled')
    return { code: stopCodes.cancelled, message: `Cancelled by ${order.who}: ${order.why}` };
  if (order?.state === 'superseded') return { code: stopCodes.superseded, message: order.why };
  return null;
}
