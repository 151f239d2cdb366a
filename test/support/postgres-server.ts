import { execFile, execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from '../../src/temporal/ports.ts';

const run = promisify(execFile);

export interface PostgresServer {
  /** Of its `postgres` database. */
  url: string;
  /** Ends it as a crash would, without a checkpoint or a word to its clients, and starts it again. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** The folder with `initdb` and `pg_ctl` (Debian keeps them off PATH), or null. */
export function findPostgres(): string | null {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  return (
    folders.find((folder) => ['initdb', 'pg_ctl'].every((file) => existsSync(join(folder, file)))) ?? null
  );
}

/**
 * Starts a cluster of its own in a temporary folder, on a free port of loopback; the system's clusters are left alone.
 * PostgreSQL refuses to run as root, so root runs it as the user `postgres`.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const bin = findPostgres();
  if (bin === null)
    throw new Error('PostgreSQL is not on this machine: install it, or set TEST_DATABASE_URL.');
  const folder = mkdtempSync(join(tmpdir(), 'rollouts-postgres-'));
  const asRoot = process.getuid?.() === 0;
  if (asRoot) chownSync(folder, idOf('-u'), idOf('-g'));
  const command = (name: string, args: string[]): [string, string[]] =>
    asRoot ? ['runuser', ['-u', 'postgres', '--', join(bin, name), ...args]] : [join(bin, name), args];
  const data = join(folder, 'data');
  const port = await freePort('127.0.0.1');
  const options = [`-p ${port}`, `-k ${folder}`, '-h 127.0.0.1', '-c fsync=off', '-c max_connections=300'];
  const stopping = command('pg_ctl', ['stop', '-D', data, '-m', 'immediate', '-w']);
  await run(...command('initdb', ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync', '-E', 'UTF8']), {
    cwd: folder,
  });
  const starting = command('pg_ctl', [
    ...['start', '-D', data, '-w', '-l', join(folder, 'log'), '-o', options.join(' ')],
  ]);
  await run(...starting, { cwd: folder });
  // A test run that dies must not leave a server behind.
  const atExit = () => {
    try {
      execFileSync(...stopping, { cwd: folder, stdio: 'ignore' });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  process.once('exit', atExit);
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    crash: async () => {
      await run(...stopping, { cwd: folder });
      await run(...starting, { cwd: folder });
    },
    stop: async () => {
      process.removeListener('exit', atExit);
      await run(...stopping, { cwd: folder });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Makes a database of a test's own.
 * @param admin URL of any database of the server
 */
export async function createDatabase(admin: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `rollouts_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  await administer(admin, `create database ${name}`);
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return { url: url.toString(), drop: () => administer(admin, `drop database ${name} with (force)`) };
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function idOf(option: '-u' | '-g'): number {
  return Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
}
