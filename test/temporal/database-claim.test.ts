import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  claimDatabase,
  DatabaseInUseError,
  recordOwner,
  releaseDatabase,
} from '../../src/temporal/database-claim.ts';
import { freePort } from '../../src/temporal/ports.ts';
import { inTemporaryFolder } from './fakes.ts';

it('lets one server have a database, until it gives it back', () =>
  inTemporaryFolder(async (folder) => {
    const dbFile = join(folder, 'temporal.db');
    await claimDatabase(dbFile);
    await expect(claimDatabase(dbFile, 0)).rejects.toThrow(DatabaseInUseError);
    await releaseDatabase(dbFile);
    await expect(claimDatabase(dbFile, 0)).resolves.toBeUndefined();
    await releaseDatabase(dbFile);
    expect(await readdir(folder)).toEqual([]);
  }));

it('does not mistake a process that got the same id for the server: nothing listens on its port', () =>
  inTemporaryFolder(async (folder) => {
    const dbFile = join(folder, 'temporal.db');
    const ip = '127.0.0.1';
    await recordOwner(dbFile, { pid: process.pid, ip, port: await freePort(ip) });
    await expect(claimDatabase(dbFile, 0)).resolves.toBeUndefined();
  }));

it('takes over from a claim that a crash cut short', () =>
  inTemporaryFolder(async (folder) => {
    const dbFile = join(folder, 'temporal.db');
    await writeFile(`${dbFile}.owner`, '{"pi');
    await expect(claimDatabase(dbFile, 0)).resolves.toBeUndefined();
  }));
