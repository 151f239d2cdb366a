import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A release, by the commit that recorded its histories: what ran then is what open workflows may be of. */
export interface Release {
  readonly version: string;
  readonly commit: string;
}

/** Add one before the next is made. */
export const FORMER_RELEASES: readonly Release[] = [
  { version: '0.1.0', commit: '000443dced5a4853067de20e7b816bf4bc6609fc' },
];

/** True when the repository has the release's sources: a shallow clone, or a copy without history, has not. */
export function hasSources({ commit }: Release): Promise<boolean> {
  return run('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: ROOT }).then(
    () => true,
    () => false,
  );
}

/** A release's sources in a folder of their own, with this checkout's packages, which are the same versions. */
export interface FormerSources {
  readonly folder: string;
  /** A file of it, to be run by Node. */
  args(file: string): string[];
  remove(): Promise<void>;
}

export async function formerSources({ version, commit }: Release): Promise<FormerSources> {
  const folder = await mkdtemp(join(tmpdir(), `rollouts-${version}-`));
  const sources = join(folder, 'sources');
  await mkdir(sources);
  const archive = join(folder, 'sources.tar');
  await run('git', ['archive', '--format=tar', '-o', archive, commit], { cwd: ROOT });
  await run('tar', ['-xf', archive, '-C', sources]);
  await symlink(join(ROOT, 'node_modules'), join(sources, 'node_modules'));
  return {
    folder,
    args: (file) => ['--import', 'tsx', join(sources, file)],
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The arguments by which Node runs a file of this checkout. */
export const presentArgs = (file: string) => ['--import', 'tsx', join(ROOT, file)];

/** Runs the `rollouts` command of a release, or of this checkout. @returns what it printed */
export async function rollouts(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  given: readonly string[],
): Promise<string> {
  const { stdout } = await run(process.execPath, [...args, ...given], { env, cwd: ROOT });
  return stdout;
}
