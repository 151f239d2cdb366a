import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, type Database } from '../../src/database/database.ts';

/** A database on a file of its own, removed by `remove`. A file, not memory: that is what users run. */
export async function temporaryDatabase(): Promise<Database & { url: string; remove(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'rollouts-'));
  const url = `file:${join(folder, 'fleet.db')}`;
  const database = await openDatabase(url);
  const remove = async () => {
    await database.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...database, url, remove };
}
