import { Kysely, Migrator, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { migrations } from './migrations/index.ts';
import { withRetries } from './retry.ts';
import { sqliteDialect } from './sqlite.ts';
import type { Tables } from './tables.ts';

export type Engine = 'sqlite' | 'postgres';

/** Those who share a lock keep out only whoever wants it alone. */
export type Lock = string | { shared: string };

/** A connection for reading, or a transaction. */
export type Queries = Kysely<Tables> | Transaction<Tables>;

export interface Database {
  engine: Engine;
  /** Where it is, without a password: for messages. */
  location: string;
  /** For reads outside a transaction. */
  db: Kysely<Tables>;
  /**
   * Runs `work` in one transaction that holds the named locks until it ends, and again from the start when the engine
   * was busy or chose it as a deadlock's victim: `work` must have no effect but through its transaction.
   * On SQLite one writer at a time is the rule of the file; on PostgreSQL the locks are advisory and taken in order.
   */
  write<T>(locks: readonly Lock[], work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Used when neither an argument nor `DATABASE_URL` says otherwise. */
export const DEFAULT_DATABASE_URL = 'file:var/fleet.db';

/**
 * Opens the database and brings its schema up to date.
 * @param url `postgres://...`, `file:<path>` or `:memory:`
 * @throws Error that names the location, when it cannot be opened
 */
export async function openDatabase(
  url: string = process.env['DATABASE_URL'] ?? DEFAULT_DATABASE_URL,
): Promise<Database> {
  const engine: Engine = /^postgres(ql)?:/.test(url) ? 'postgres' : 'sqlite';
  const location = engine === 'postgres' ? withoutPassword(url) : url.replace(/^file:/, '');
  if (engine === 'sqlite' && /^[a-z]+:\/\//.test(location)) {
    throw new Error(
      `DATABASE_URL "${location}" is of no kind known here: give postgres://user@host/name or file:path.`,
    );
  }
  try {
    const db = new Kysely<Tables>({
      dialect: engine === 'postgres' ? postgresDialect(url) : sqliteDialect(location),
    });
    await migrate(db, engine);
    return {
      engine,
      location,
      db,
      write: (locks, work) => write(db, engine, locks, work),
      close: () => db.destroy(),
    };
  } catch (error) {
    throw new Error(`The database ${location} could not be opened: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function postgresDialect(url: string): PostgresDialect {
  // Instants and counters are 8-byte integers, which the driver hands over as text unless told; all fit a double.
  pg.types.setTypeParser(pg.types.builtins.INT8, Number);
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  // A connection that the server ends is replaced at the next use, and fails what uses it: without listeners it would end the
  // process as well. The pool's own hears of idle ones only, not of one between two statements of a transaction.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return new PostgresDialect({ pool });
}

async function migrate(db: Kysely<Tables>, engine: Engine): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations(engine) } });
  // Several processes may open a new file at once: the migrator takes a lock, and the file itself can be busy.
  await withRetries(async () => {
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
  });
}

async function write<T>(
  db: Kysely<Tables>,
  engine: Engine,
  locks: readonly Lock[],
  work: (tx: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  return withRetries(() =>
    db.transaction().execute(async (tx) => {
      if (engine === 'postgres') await takeLocks(tx, locks);
      return work(tx);
    }),
  );
}

/** Always in the order of their names: nobody waits for another in a circle. */
async function takeLocks(tx: Transaction<Tables>, locks: readonly Lock[]): Promise<void> {
  const isShared = new Map<string, boolean>();
  for (const lock of locks) {
    const name = typeof lock === 'string' ? lock : lock.shared;
    isShared.set(name, typeof lock !== 'string' && isShared.get(name) !== false);
  }
  for (const [name, shared] of [...isShared].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const take = sql.raw(shared ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock');
    await sql`select ${take}(hashtextextended(${name}, 0))`.execute(tx);
  }
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  if (parsed.password !== '') parsed.password = '***';
  return parsed.toString();
}
