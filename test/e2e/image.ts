import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

/*
 * Makes what a container would hold, without Docker: carries out the Dockerfile's COPY lines, and the RUN lines of its
 * first stage, in folders. What the base image is and what its last stage installs is left out.
 */
export const ROOT = join(import.meta.dirname, '../..');
/** As docker-compose.yml calls it. */
export const OWN_IMAGE = 'os-image-rollouts:latest';
const WORKDIR = '/app';

interface Instruction {
  name: string;
  args: string;
}

interface Stage {
  name: string;
  instructions: Instruction[];
}

/** The image's working directory, made in `folder` by the Dockerfile's own instructions. */
export function buildImage(folder: string): string {
  const [build, final] = readStages();
  if (build === undefined || final === undefined) throw new Error('the Dockerfile has two stages no more');
  const folders: Record<string, string> = {};
  for (const stage of [build, final]) {
    const target = (folders[stage.name] = join(folder, stage.name));
    mkdirSync(target);
    for (const { name, args } of stage.instructions) {
      if (name === 'COPY') copy(args, target, folders);
      if (name === 'RUN' && stage === build) run(args, target);
    }
  }
  return folders[final.name] ?? '';
}

/** The stages of the Dockerfile; the last one needs no name. */
export function readStages(): Stage[] {
  const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n/g, ' ')
    .split('\n');
  const stages: Stage[] = [];
  for (const line of lines) {
    const [, name = '', args = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === 'FROM') stages.push({ name: / AS (\S+)$/.exec(args)?.[1] ?? 'final', instructions: [] });
    else if (name !== '') stages.at(-1)?.instructions.push({ name, args });
  }
  return stages;
}

/** A folder's content goes into the target, files go under their own names: as Docker does it. */
function copy(args: string, folder: string, stages: Record<string, string>): void {
  const words = args.split(/\s+/);
  const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const target = words.pop() ?? '';
  for (const source of words) {
    const to = target.endsWith('/') ? join(folder, target, basename(source)) : join(folder, target);
    if (from === undefined) cpSync(join(context(source), source), to, { recursive: true });
    else renameSync(join(stages[from] ?? '', relative(WORKDIR, source)), to);
  }
}

/** @throws Error when `.dockerignore` keeps the file from Docker */
function context(source: string): string {
  const kept = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n');
  if (!kept.includes(`!${source}`)) throw new Error(`.dockerignore leaves out ${source}, which is copied`);
  return ROOT;
}

function run(command: string, cwd: string): void {
  const env = { ...process.env, npm_config_prefer_offline: 'true', NODE_ENV: '' };
  try {
    execFileSync('/bin/sh', ['-c', command], { cwd, env, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`RUN ${command} fails:\n${stdout}\n${stderr}`, { cause: error });
  }
}
