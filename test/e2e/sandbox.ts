import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync } from 'node:fs';

/*
 * Runs a command as a container does: as a user without any rights, on a file system of which one folder alone can be written to. It takes a
 * mount namespace of its own for that, which only root can have.
 */

const NOBODY = 65_534;

/** Stricter than a container: not even /tmp is there to be written to. */
const READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind / && shift && exec "$@"';
const UNPRIVILEGED = [
  ...['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
  ...['--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--'],
];

/** The command that runs a command so. @param writable a folder, which is given away for that */
function sandboxed(writable: string, command: readonly string[]): string[] {
  return ['unshare', '--mount', '--', 'sh', '-c', READ_ONLY, 'sh', writable, ...UNPRIVILEGED, ...command];
}

/**
 * How commands are run so in a folder.
 * @param folder holds the image and the writable folder: whoever has no rights has to get there
 * @returns null where that is not possible
 */
export function openSandbox(
  folder: string,
  writable: string,
): ((command: readonly string[]) => string[]) | null {
  try {
    chmodSync(folder, 0o755);
    chownSync(writable, NOBODY, NOBODY);
    const [program = '', ...args] = sandboxed(writable, [
      'sh',
      '-c',
      `test ! -w "$1" && test -w "$2"`,
      'sh',
      folder,
      writable,
    ]);
    execFileSync(program, args, { stdio: 'ignore' });
  } catch {
    return null;
  }
  return (command) => sandboxed(writable, command);
}
