import type { Database, Queries } from '../../database/database.ts';
import { SECOND, humanDuration } from '../../domain/clock.ts';
import { FleetApiError, type FleetApiErrorCode } from '../api-error.ts';
import { aroundCalls } from '../calls.ts';
import type { Fleet } from '../port.ts';
import { isNamed, type FaultOf, type Faults } from './faults.ts';
import type { FleetHead } from './fleet-head.ts';
import type { World } from './world.ts';

type Effect = FaultOf<'apiError'>['effect'];

/** What an API call is known by, to a scenario. */
interface Call {
  /** An operation on instances, or another call of the port. */
  operation: string;
  scaleSetId: string | null;
}

const ERRORS: Record<Effect, { code: FleetApiErrorCode; when: string }> = {
  before: { code: 'ServiceUnavailable', when: 'before it did anything' },
  after: { code: 'ServiceUnavailable', when: 'after it had done it' },
  timeout: { code: 'GatewayTimeout', when: 'with no answer in time' },
  throttled: { code: 'TooManyRequests', when: 'as one call too many' },
};

/**
 * The error that the scenario has for this call, or null. How often it will still happen is kept with the fleet, so that it is
 * bounded over all workers.
 */
export async function takeApiError(
  tx: Queries,
  faults: Faults,
  call: Call,
): Promise<{ effect: Effect; error: FleetApiError } | null> {
  for (const { id, fault } of faults.of('apiError')) {
    if (!concerns(fault, call) || !(await useUp(tx, id, fault.times))) continue;
    return { effect: fault.effect, error: errorOf(id, fault, call) };
  }
  return null;
}

/** Whether a fault hits a call. One that names a scale set hits only what is asked about that set alone. */
function concerns({ operation, scaleSet }: FaultOf<'apiError'>, call: Call): boolean {
  const isMeant =
    operation === 'any' ||
    operation === call.operation ||
    (operation === 'reads' && READS.has(call.operation as keyof Fleet));
  if (!isMeant || scaleSet === undefined) return isMeant;
  return call.scaleSetId !== null && isNamed(scaleSet, call.scaleSetId);
}

/** @returns false when the fault has happened as often as it was to */
async function useUp(tx: Queries, id: number, times: number | undefined): Promise<boolean> {
  if (times === undefined) return true;
  const used = await tx
    .updateTable('faults')
    .set((eb) => ({ remaining: eb('remaining', '-', 1) }))
    .where('id', '=', id)
    .where('remaining', '>', 0)
    .executeTakeFirst();
  return used.numUpdatedRows > 0n;
}

function errorOf(id: number, fault: FaultOf<'apiError'>, { operation, scaleSetId }: Call): FleetApiError {
  const { code, when } = ERRORS[fault.effect];
  const { retryAfterSeconds } = fault;
  const retryAfter = retryAfterSeconds === undefined ? null : retryAfterSeconds * SECOND;
  const wish = retryAfter === null ? '' : `; it wants to be left alone for ${humanDuration(retryAfter)}`;
  const message = `The fleet's API failed on ${operation}, ${when} (fault ${id})${wish}.`;
  return new FleetApiError(message, { code, scaleSetId, retryAfter });
}

const READS: ReadonlySet<keyof Fleet> = new Set<keyof Fleet>([
  'regions',
  'timings',
  'scaleSets',
  'scaleSet',
  'instances',
  'surroundings',
  'imageOffers',
]);

/** `operate` has its errors inside of its own transaction; the clock is no call of a cloud. */
const UNTOUCHED: ReadonlySet<keyof Fleet> = new Set<keyof Fleet>(['operate', 'clock']);

/** A simulated fleet as the workers call it: by the scenario's faults every call can fail. */
export function withApiErrors(
  fleet: Fleet,
  database: Database,
  { head, worldAt }: { head: FleetHead; worldAt: (db: Queries, revision: number) => Promise<World> },
): Fleet {
  return aroundCalls(fleet, async (operation, scaleSetId, work) => {
    if (UNTOUCHED.has(operation)) return work();
    const { faults } = await worldAt(database.db, await head.revision());
    if (faults.of('apiError').length === 0) return work();
    const call = { operation, scaleSetId };
    const injected = await database.write(['fleet'], (tx) => takeApiError(tx, faults, call));
    if (injected === null) return work();
    if (injected.effect === 'after' || injected.effect === 'timeout') await work();
    throw injected.error;
  });
}
