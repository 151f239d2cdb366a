import { setTimeout as delay } from 'node:timers/promises';

/** Codes with which an engine says "again, please": SQLite busy, PostgreSQL serialization failure and deadlock. */
const TRANSIENT = new Set(['SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_LOCKED', '40001', '40P01']);

const MAX_ATTEMPTS = 60;
const MAX_DELAY_MS = 250;

/** Repeats `work` while the database is busy, with a growing, spread-out delay: about 12 seconds in all. */
export async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !isTransient(error)) throw error;
      await delay(Math.min(MAX_DELAY_MS, 2 ** Math.min(attempt, 8)) * (0.5 + Math.random() / 2));
    }
  }
}

function isTransient(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return (
    (code !== undefined && TRANSIENT.has(code)) ||
    /database is locked|database table is locked/.test(message ?? '')
  );
}
