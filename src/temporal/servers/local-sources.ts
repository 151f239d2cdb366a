import { findOnPath, isExecutable } from './commands.ts';
import type { ServerSource, SourceOutcome } from './source.ts';

/** Says why an executable can't be used, or nothing when it can. */
export type Check = (path: string) => Promise<string | undefined>;

export interface EnvironmentSourceOptions {
  readonly variable: string;
  readonly check: Check;
  readonly env?: NodeJS.ProcessEnv;
}

/** The path that an environment variable names. Set but unusable is an error, not a reason to look further. */
export function environmentSource({
  variable,
  check,
  env = process.env,
}: EnvironmentSourceOptions): ServerSource {
  const find = async (): Promise<SourceOutcome> => {
    const path = env[variable];
    if (!path) return { kind: 'absent', reason: 'not set' };
    const problem = (await isExecutable(path)) ? await check(path) : 'not an executable file';
    return problem ? { kind: 'misconfigured', reason: `${path}: ${problem}` } : { kind: 'found', path };
  };
  return { name: `environment variable ${variable}`, find };
}

export interface PathSourceOptions {
  readonly command: string;
  readonly variable: string;
  readonly check: Check;
  readonly path?: string;
}

/** A command on `PATH`. */
export function pathSource({ command, variable, check, path }: PathSourceOptions): ServerSource {
  const remedy = `put \`${command}\` on PATH, or set ${variable} to its path`;
  const find = async (): Promise<SourceOutcome> => {
    const found = await findOnPath(command, path);
    if (!found) return { kind: 'absent', reason: 'no such command', remedy };
    const problem = await check(found);
    return problem
      ? { kind: 'absent', reason: `${found}: ${problem}`, remedy }
      : { kind: 'found', path: found };
  };
  return { name: `\`${command}\` on PATH`, find };
}

export interface CacheSourceOptions {
  readonly root: string;
  /** Where earlier fetches left the executable, the preferred one first. */
  readonly paths: readonly string[];
  readonly check: Check;
}

/** What an earlier fetch left in our own cache. */
export function cacheSource({ root, paths, check }: CacheSourceOptions): ServerSource {
  const find = async (): Promise<SourceOutcome> => {
    const problems: string[] = [];
    for (const path of paths) {
      if (!(await isExecutable(path))) continue;
      const problem = await check(path);
      if (!problem) return { kind: 'found', path };
      problems.push(`${path}: ${problem}`);
    }
    return { kind: 'absent', reason: problems.join('\n') || 'nothing fetched yet' };
  };
  return { name: `cache ${root}`, find };
}
