import type { Connection } from '@temporalio/client';
import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Probe } from './health.ts';

/** What every process of ours needs. */
export function storeProbes(
  database: Database,
  temporal: Connection,
  namespace: string,
): { database: Probe; temporal: Probe } {
  return {
    database: () => sql`select 1`.execute(database.db),
    temporal: () => temporal.workflowService.describeNamespace({ namespace }),
  };
}

/** A worker is ready while it takes tasks: not before, and not while it stops. */
export function workerProbe(worker: () => { getState(): string } | undefined): Probe {
  return async () => {
    const state = worker()?.getState() ?? 'STARTING';
    if (state !== 'RUNNING') throw new Error(`the worker is ${state.toLowerCase()}`);
  };
}
