import { isoTime } from '../domain/clock.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import { ALL, scaleSetScope } from '../domain/scopes.ts';
import type { Order } from '../ledger/port.ts';
import type { ClientContext } from './context.ts';
import { conflict } from './errors.ts';
import { resumeCommand } from './give.ts';

/*
 * Orders for everything and for a scale set outlive what they were given for: whatever begins later meets them. That is
 * what one wants of them in an incident, and nobody may come upon it by surprise.
 */

type Place = Pick<ScaleSet, 'id' | 'name' | 'region'>;

/**
 * What began would end at its first step, and look like a fault.
 * @param scaleSet that is to be changed; null where it is more than one
 * @throws ClientError `Conflict` while everything is cancelled, or the set
 */
export async function refuseWhileCancelled({ ledger }: ClientContext, scaleSet: Place | null): Promise<void> {
  const order = await ledger.orders.inForce([
    ALL,
    ...(scaleSet === null ? [] : [scaleSetScope(scaleSet.id)]),
  ]);
  if (order?.state !== 'cancelled') return;
  throw conflict(
    `409 Conflict: OperationNotAllowed. ${orderText(order, scaleSet)} That stands until \`${resumeCommand(order.scope)}\`.`,
  );
}

/** An order that would hold up, or end, what begins on a set now, as a sentence. @param scaleSet null for everything */
export async function orderNotes({ ledger }: ClientContext, scaleSet: Place | null): Promise<string[]> {
  const order = await ledger.orders.inForce([scaleSet === null ? ALL : scaleSetScope(scaleSet.id)]);
  if (order === null || order.state === 'running') return [];
  const what = order.state === 'paused' ? 'moves' : 'begins';
  return [`${orderText(order, scaleSet)} Nothing ${what} before \`${resumeCommand(order.scope)}\`.`];
}

/** `ada cancelled web in eastus at 2026-01-05T10:00:00.000Z: disk tests.` */
function orderText({ scope, state, who, why, at }: Order, scaleSet: Place | null): string {
  const what = scope === ALL || scaleSet === null ? 'everything' : `${scaleSet.name} in ${scaleSet.region}`;
  return `${who} ${state} ${what} at ${isoTime(at)}: ${why.replace(/\.$/, '')}.`;
}
