import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { CompiledQuery, type DatabaseConnection, type Driver, SqliteDialect, SqliteDriver } from 'kysely';
import type { SqliteDialectConfig } from 'kysely';
import LibsqlDatabase from 'libsql';

/** How long the engine itself waits for a lock. Short: it blocks the process, so the patience is in `withRetries`. */
const BUSY_TIMEOUT_MS = 20;

/** Takes the write lock when a transaction begins, not at its first write: a read that is built on cannot go stale. */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

class ImmediateSqliteDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;

  constructor(config: SqliteDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new ImmediateDriver(this.#config);
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
  database.exec('pragma foreign_keys = on');
  return new ImmediateSqliteDialect({ database });
}
