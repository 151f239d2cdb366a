import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  type DatabaseConnection,
  type Driver,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
} from 'kysely';
import LibsqlDatabase from 'libsql';
import { RememberingDatabase } from './sqlite-statements.ts';

/** How long the engine itself waits for a lock. Short: it blocks the process, so the patience is in `withRetries`. */
const BUSY_TIMEOUT_MS = 20;

/** Takes the write lock when a transaction begins, not at its first write: a read that is built on cannot go stale. */
class ImmediateDriver extends SqliteDriver {
  readonly #begin: () => void;
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  constructor(database: SqliteDatabase, begin: () => void) {
    super({ database });
    this.#begin = begin;
  }

  /**
   * First come, first served. The driver's own lock wakes all who wait whenever it is free, and all but one wait again: of a
   * hundred activities at once that takes longer than what they wait for.
   */
  override async acquireConnection(): Promise<DatabaseConnection> {
    if (this.#isTaken) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#isTaken = true;
    return super.acquireConnection();
  }

  /** Hands it on to the next without letting go of it, so that nobody comes between. */
  override async releaseConnection(): Promise<void> {
    await super.releaseConnection();
    const next = this.#waiting.shift();
    if (next) next();
    else this.#isTaken = false;
  }

  /**
   * Not as a prepared statement: libsql 0.5 leaves one that found the file busy "in progress" until it is collected as
   * garbage, and no transaction of the connection can be committed until then.
   */
  override async beginTransaction(): Promise<void> {
    this.#begin();
  }
}

class ImmediateSqliteDialect extends SqliteDialect {
  readonly #createDriver: () => Driver;

  constructor(database: SqliteDatabase, begin: () => void) {
    super({ database });
    this.#createDriver = () => new ImmediateDriver(database, begin);
  }

  override createDriver(): Driver {
    return this.#createDriver();
  }
}

/** A dialect for a SQLite file (or `:memory:`) that several processes may share. */
export function sqliteDialect(path: string): SqliteDialect {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const database = new LibsqlDatabase(path);
  database.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
  database.exec('pragma journal_mode = wal');
  // In WAL mode NORMAL survives the death of any process; only a power cut can cost the last commits.
  database.exec('pragma synchronous = normal');
  // Pages that change often are copied back less often: half of the time that a commit takes. The journal file grows to 16 MB.
  database.exec('pragma wal_autocheckpoint = 4000');
  database.exec('pragma foreign_keys = on');
  const remembering = new RememberingDatabase(database);
  return new ImmediateSqliteDialect(remembering, () => database.exec('begin immediate'));
}
