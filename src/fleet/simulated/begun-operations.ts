import type { Transaction } from 'kysely';
import type { Tables } from '../../database/tables.ts';
import type { Instant } from '../../domain/clock.ts';
import type { FleetOperation } from '../../domain/operation.ts';
import type { OperationError } from '../../domain/scale-set.ts';
import type { OperationRequest, OperationState } from '../port.ts';
import { operationError } from './plan.ts';

/** An operation that was begun, now or before. */
export interface Begun {
  startedAt: Instant;
  endsAt: Instant;
  error: OperationError | null;
}

/** Which of these operations the attempt has begun on the instances, by `operationKey`. */
export async function begunBefore(
  tx: Transaction<Tables>,
  setKey: string,
  request: OperationRequest,
  operations: readonly FleetOperation[],
  ids: readonly string[],
): Promise<Map<string, Begun>> {
  if (ids.length === 0) return new Map();
  const keys = operations.flatMap((operation) =>
    ids.map((id) => operationKey({ ...request, operation }, id)),
  );
  const rows = await tx
    .selectFrom('instance_operations')
    .select(['key', 'started_at', 'ends_at', 'error'])
    .where('scale_set_key', '=', setKey)
    .where('key', 'in', keys)
    .execute();
  return new Map(
    rows.map((row) => [
      row.key,
      {
        startedAt: row.started_at,
        endsAt: row.ends_at,
        error: row.error === null ? null : (JSON.parse(row.error) as OperationError),
      },
    ]),
  );
}

export function operationRow(setKey: string, request: OperationRequest, id: string, begun: Begun) {
  return {
    scale_set_key: setKey,
    key: operationKey(request, id),
    started_at: begun.startedAt,
    ends_at: begun.endsAt,
    error: begun.error === null ? null : JSON.stringify(begun.error),
  };
}

/** What an operation of an attempt on an instance is known by, for good. */
export function operationKey(
  { attemptId, operation, ordinal }: OperationRequest,
  instanceId: string,
): string {
  return `${attemptId}:${instanceId}:${operation}:${ordinal}`;
}

/** How it stands follows from the time: its end was fixed when it began. */
export function stateOf(
  instanceId: string,
  { startedAt, endsAt, error }: Begun,
  now: Instant,
): OperationState {
  const times = { instanceId, startedAt, endsAt };
  if (now < endsAt) return { ...times, status: 'running' };
  return error === null ? { ...times, status: 'succeeded' } : { ...times, status: 'failed', error };
}

export function refused(instanceId: string, error: OperationError, now: Instant): OperationState {
  return { instanceId, status: 'refused', startedAt: now, endsAt: now, error };
}

export function notFound(instanceId: string, now: Instant): OperationState {
  const error = operationError('InstanceNotFound', `There is no instance ${instanceId} in the scale set.`);
  return { instanceId, status: 'failed', startedAt: now, endsAt: now, error };
}
