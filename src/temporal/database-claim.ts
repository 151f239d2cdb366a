import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isFree } from './ports.ts';

/** Who has a dev server's database open: the server, or before there is one whoever starts it. */
export interface DatabaseOwner {
  readonly pid: number;
  readonly ip?: string;
  readonly port?: number;
}

/** A dev server runs on the file already. A second one would start without complaint and then tear at its shards. */
export class DatabaseInUseError extends Error {
  override readonly name = 'DatabaseInUseError';

  constructor(dbFile: string, { pid, ip, port }: DatabaseOwner) {
    const where = port === undefined ? '' : ` at ${ip}:${port}`;
    super(
      `${dbFile} is in use by the Temporal dev server of process ${pid}${where}. ` +
        `Stop that one or choose another file; if there is no such server, delete ${claimFile(dbFile)}.`,
    );
  }
}

/** A server whose starter was killed ends on its own in two or three seconds. */
const WAIT_FOR_ORPHAN_MS = 5_000;
const LOOK_EVERY_MS = 100;

/**
 * Makes this process the only one to start a server on the file; `recordOwner` hands it to the server.
 * @throws DatabaseInUseError when it is in use still after the time in which an orphaned server would have ended
 */
export async function claimDatabase(dbFile: string, patienceMs = WAIT_FOR_ORPHAN_MS): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await createClaim(dbFile))) {
    const owner = await readOwner(dbFile);
    if (!owner || !(await isAlive(owner))) await rm(claimFile(dbFile), { force: true });
    else if (Date.now() >= deadline) throw new DatabaseInUseError(dbFile, owner);
    else await delay(LOOK_EVERY_MS);
  }
}

/** Notes that this server has the file now. */
export async function recordOwner(dbFile: string, owner: DatabaseOwner): Promise<void> {
  await writeFile(claimFile(dbFile), JSON.stringify(owner));
}

/** Gives the file back, once its server has ended. */
export async function releaseDatabase(dbFile: string): Promise<void> {
  await rm(claimFile(dbFile), { force: true });
}

const claimFile = (dbFile: string) => `${dbFile}.owner`;

async function createClaim(dbFile: string): Promise<boolean> {
  const owner: DatabaseOwner = { pid: process.pid };
  try {
    await writeFile(claimFile(dbFile), JSON.stringify(owner), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** A claim that can't be read was cut short by a crash: it counts for nothing. */
async function readOwner(dbFile: string): Promise<DatabaseOwner | undefined> {
  try {
    return JSON.parse(await readFile(claimFile(dbFile), 'utf8')) as DatabaseOwner;
  } catch {
    return undefined;
  }
}

/** Process ids are used again, above all in containers: a server also has its port. */
async function isAlive({ pid, ip, port }: DatabaseOwner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return port === undefined || ip === undefined || !(await isFree(port, ip));
}
