import { setTimeout as delay } from 'node:timers/promises';
import LibsqlDatabase from 'libsql';
import { Client } from 'pg';
import { until, type SurvivalWorld } from './world.ts';

/** Somebody else who has the database. */
export interface Locked {
  release(): Promise<void>;
}

/** Takes SQLite's write lock, as any other process may: waits for its turn. */
export async function lockFile({ databaseUrl }: SurvivalWorld): Promise<Locked> {
  const other = new LibsqlDatabase(databaseUrl.replace(/^file:/, ''));
  await until('the file can be locked', async () => {
    try {
      other.exec('begin immediate');
      return true;
    } catch {
      return false;
    }
  });
  return {
    release: async () => {
      other.exec('rollback');
      other.close();
    },
  };
}

/** Locks a table that every step writes, and counts who waits for it. */
export async function lockTable(
  { databaseUrl }: SurvivalWorld,
  table: string,
): Promise<Locked & { longestWaitMs(): Promise<number> }> {
  const other = new Client({ connectionString: databaseUrl });
  await other.connect();
  await other.query('begin');
  await other.query(`lock table ${table} in access exclusive mode`);
  return {
    longestWaitMs: async () => {
      const { rows } = await other.query<{ ms: string | null }>(
        `select extract(epoch from max(clock_timestamp() - query_start)) * 1000 as ms
         from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
      );
      return Number(rows[0]?.ms ?? 0);
    },
    release: async () => {
      await other.query('rollback');
      await other.end();
    },
  };
}

/** Has the file's write lock most of the time until something has happened: a disk that is slow, a neighbour that is busy. */
export async function slowDown(
  world: SurvivalWorld,
  happened: Promise<unknown>,
  heldMs: number,
): Promise<number> {
  const end = happened.then(
    () => true,
    () => true,
  );
  for (let times = 1; ; times++) {
    const lock = await lockFile(world);
    // The time that it is held is what is done to the system here.
    await delay(heldMs);
    await lock.release();
    if (await Promise.race([end, delay(heldMs / 4, false)])) return times;
  }
}
