import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe } from 'vitest';
import { openDatabase, type Database, type Engine } from '../../src/database/database.ts';
import { createDatabase, findPostgres, startPostgres, type PostgresServer } from './postgres-server.ts';

/** A database of a test's own. `openDatabase(url)` opens a second connection to it, as another process would. */
export interface TestDatabase extends Database {
  url: string;
}

export type OpenDatabase = () => Promise<TestDatabase>;

/** One server for all of a test file: vitest loads this module anew for each. */
let server: Promise<PostgresServer> | undefined;
let stopsAtEnd = false;

/**
 * Runs the same tests on SQLite, and on PostgreSQL where there is one: the server of `TEST_DATABASE_URL`, or a cluster
 * of this test file's own where the machine has PostgreSQL's binaries.
 * @param define gets `open`, which makes a fresh, migrated database each time; all are closed and removed at the end
 */
export function describeEngines(name: string, define: (open: OpenDatabase, engine: Engine) => void): void {
  // At the level of the file, so that it comes after the databases of every block have been dropped.
  if (!stopsAtEnd) afterAll(async () => (await server)?.stop());
  stopsAtEnd = true;
  describeEngine(name, 'sqlite', openSqlite, define);
  describeEngine(name, 'postgres', openPostgres, define);
}

type Opened = TestDatabase & { remove(): Promise<void> };

function describeEngine(
  name: string,
  engine: Engine,
  open: () => Promise<Opened>,
  define: (open: OpenDatabase, engine: Engine) => void,
): void {
  const missing =
    engine === 'postgres' && process.env['TEST_DATABASE_URL'] === undefined && findPostgres() === null;
  describe.skipIf(missing)(`${name} (${engine})`, () => {
    const opened: Opened[] = [];
    afterAll(async () => {
      for (const database of opened) await database.remove();
    });
    define(async () => {
      const database = await open();
      opened.push(database);
      return database;
    }, engine);
  });
}

async function openSqlite(): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'rollouts-'));
  const database = await opened(`file:${join(folder, 'fleet.db')}`);
  const remove = async () => {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...database, remove };
}

async function openPostgres(): Promise<Opened> {
  const admin = process.env['TEST_DATABASE_URL'] ?? (await (server ??= startPostgres())).url;
  const { url, drop } = await createDatabase(admin);
  const database = await opened(url);
  const remove = async () => {
    await database.close();
    await drop();
  };
  return { ...database, remove };
}

/** Opens a database whose `close` may be called twice: by the test, and by the clean-up after it. */
async function opened(url: string): Promise<TestDatabase> {
  const database = await openDatabase(url);
  let closing: Promise<void> | undefined;
  return { ...database, url, close: () => (closing ??= database.close()) };
}
