import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cacheRoot } from './cache.ts';
import { isExecutable } from './commands.ts';

/**
 * Shell lines that end the shell's own process once its parent is gone, however it went: an exit handler does not run
 * when a process is killed, and a server orphaned that way would hold its port and memory for ever. The shell is
 * then to `exec` the server, which so keeps the watched process id. A dead parent shows in the server getting another
 * one; asking whether the old one exists would be fooled by a zombie, which containers without an init collect.
 */
const WATCH_PARENT = `server=$$ parent=$PPID
current_parent() {
  if [ -r /proc/self/status ]; then sed -n 's/^PPid:[^0-9]*//p' "/proc/$server/status"
  else ps -o ppid= -p "$server" | tr -d ' '; fi
}
(
  while [ "$(current_parent)" = "$parent" ]; do sleep 1; done
  kill -TERM "$server" && sleep 3 && kill -KILL "$server"
) </dev/null >/dev/null 2>&1 &`;

/** The command that runs a server as a guarded child of this process. The child's process id is the server's. */
export function guardedCommand(
  executable: string,
  args: readonly string[],
): [command: string, args: string[]] {
  return ['/bin/sh', ['-c', `${WATCH_PARENT}\nexec "$0" "$@"`, executable, ...args]];
}

/**
 * A script that starts the server guarded, for those who take a path only (the SDK does). It is kept in the cache
 * under the hash of its text, so that any number of processes can use the same one.
 */
export async function guardedScript(executable: string, env = process.env): Promise<string> {
  const quoted = `'${executable.replaceAll("'", String.raw`'\''`)}'`;
  const text = `#!/bin/sh\n${WATCH_PARENT}\nexec ${quoted} "$@"\n`;
  const folder = join(cacheRoot(env), 'guards', createHash('sha256').update(text).digest('hex').slice(0, 16));
  const script = join(folder, basename(executable));
  if (await isExecutable(script)) return script;
  await mkdir(folder, { recursive: true });
  const partial = join(folder, randomUUID());
  await writeFile(partial, text, { mode: 0o755 });
  await rename(partial, script);
  return script;
}
