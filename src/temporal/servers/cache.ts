import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const PARTIAL = '.partial-';
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

/** Where fetched servers are kept: below `XDG_CACHE_HOME`, or `~/.cache`. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'os-image-rollouts');
}

/**
 * Makes the folder `target` by filling a temporary one beside it and renaming that, so that `target` either is
 * complete or does not exist. Several processes may do so at once: the first to finish wins, the others' work is
 * thrown away. When `fill` throws, nothing is left behind.
 */
export async function installFolder(target: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const parent = dirname(target);
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent);
  const partial = await mkdtemp(join(parent, PARTIAL));
  try {
    await fill(partial);
    await renameUnlessThere(partial, target);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** The file's SHA-256, in hexadecimal. */
export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function renameUnlessThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}

/** A process killed while it fetched can't clean up: whoever fetches next does, once the folder is surely nobody's. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(PARTIAL)) continue;
    const folder = join(parent, name);
    const modified = await stat(folder).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    );
    if (Date.now() - modified > ABANDONED_AFTER_MS) await rm(folder, { recursive: true, force: true });
  }
}
