import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export interface CommandOptions {
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** Runs a program to its end and gives its stdout; rejects with a `CommandError` otherwise. A test passes a fake. */
export type RunCommand = (
  command: string,
  args: readonly string[],
  options?: CommandOptions,
) => Promise<string>;

/** A program that is missing, failed or took too long; the message ends with what it said last. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

const LAST_LINES = 6;

export const runCommand: RunCommand = (command, args, { cwd, timeoutMs = 30_000 } = {}) =>
  new Promise((resolve, reject) => {
    const options = { cwd, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 << 20 } as const;
    execFile(command, [...args], options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const why = error.killed ? `no result after ${timeoutMs / 1000} s` : exitOf(error);
      const said = lastLines(stderr.trim() || stdout.trim(), LAST_LINES);
      reject(new CommandError([`${command}: ${why}`, said].filter(Boolean).join('\n'), { cause: error }));
    });
  });

/** The last `count` lines of what a program wrote. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** The first executable file of that name in the folders of `PATH`. */
export async function findOnPath(
  name: string,
  path = process.env['PATH'] ?? '',
): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const candidate = join(folder, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

/** Whether the path is a file that this process may execute. */
export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function exitOf(error: { code?: string | number | null; signal?: NodeJS.Signals | null }): string {
  if (error.code === 'ENOENT') return 'not installed';
  return error.signal ? `ended by ${error.signal}` : `failed (${error.code ?? 'no exit code'})`;
}
