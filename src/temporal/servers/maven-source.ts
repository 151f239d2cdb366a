import { createHash } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { installFolder, sha256 } from './cache.ts';
import type { RunCommand } from './commands.ts';
import type { Report, ServerSource, SourceOutcome } from './source.ts';

export interface MavenPackage {
  readonly name: string;
  readonly version: string;
  /** `group:artifact:version` of what to fetch, with all that it depends on. */
  readonly artifacts: readonly string[];
  readonly mainClass: string;
  readonly copyGoal: string;
  readonly jarsSha256: string;
}

export interface MavenSourceOptions {
  readonly pinned: MavenPackage;
  /** The script that starts the server, in our cache: its folder is made, with the jars beside the script. */
  readonly target: string;
  readonly run: RunCommand;
}

const DOWNLOAD_TIMEOUT_MS = 10 * 60 * 1000;

/** The time-skipping server from its Java package, with a script that starts it. */
export function mavenSource({ pinned, target, run }: MavenSourceOptions): ServerSource {
  const label = `${pinned.name} ${pinned.version}`;
  const find = async (report: Report): Promise<SourceOutcome> => {
    const missing = await missingPrograms(run);
    if (missing.length > 0) {
      const reason = `${missing.join(' and ')} not installed`;
      return { kind: 'absent', reason, remedy: `install java (17 or later) and mvn, which fetch ${label}` };
    }
    report(`fetching Temporal test server ${pinned.version} from Maven Central ...`);
    await installFolder(dirname(target), async (folder) => {
      await fetchJars(pinned, run, folder);
      await writeFile(join(folder, basename(target)), launcher(pinned), { mode: 0o755 });
    });
    return { kind: 'found', path: target };
  };
  return { name: `Maven package ${label}`, find };
}

/** Says why a launcher can't run, or nothing when it can: without Java, jars in the cache are of no use. */
export async function checkJava(run: RunCommand): Promise<string | undefined> {
  return (await works(run, 'java', '-version')) ? undefined : 'needs java, which is not installed';
}

async function missingPrograms(run: RunCommand): Promise<string[]> {
  const java = await works(run, 'java', '-version');
  const mvn = await works(run, 'mvn', '--version');
  return [...(java ? [] : ['java']), ...(mvn ? [] : ['mvn'])];
}

const works = (run: RunCommand, command: string, flag: string) =>
  run(command, [flag]).then(
    () => true,
    () => false,
  );

async function fetchJars(pinned: MavenPackage, run: RunCommand, folder: string): Promise<void> {
  const project = join(folder, 'pom.xml');
  const jars = join(folder, 'jars');
  await writeFile(project, pom(pinned));
  const args = ['--batch-mode', '--quiet', '--file', project, pinned.copyGoal];
  const settings = [`-DoutputDirectory=${jars}`, '-DincludeScope=runtime'];
  await run('mvn', [...args, ...settings], { cwd: folder, timeoutMs: DOWNLOAD_TIMEOUT_MS });
  const actual = await manifestHash(jars);
  if (actual !== pinned.jarsSha256) {
    throw new Error(`the jars' manifest has SHA-256 ${actual} instead of ${pinned.jarsSha256}: refused`);
  }
  await rm(project);
}

/** One hash for all jars: SHA-256 of `sha256sum`'s lines in the order of the file names. */
async function manifestHash(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(folder)).toSorted()) {
    hash.update(`${await sha256(join(folder, name))}  ${name}\n`);
  }
  return hash.digest('hex');
}

const pom = ({ name, version, artifacts }: MavenPackage) => `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>fetch-${name}</artifactId>
  <version>${version}</version>
  <dependencies>${artifacts.map(dependency).join('')}
  </dependencies>
</project>
`;

function dependency(artifact: string): string {
  const [groupId, artifactId, version] = artifact.split(':');
  return `
    <dependency>
      <groupId>${groupId}</groupId>
      <artifactId>${artifactId}</artifactId>
      <version>${version}</version>
    </dependency>`;
}

/**
 * `exec`, so that the process the SDK started and will kill is Java itself; the flags halve the time to start, and
 * the jars are found from the script's own place, because its folder is renamed after it was written.
 */
const launcher = ({ mainClass }: MavenPackage) => `#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$here/jars/*" ${mainClass} "$1"
`;
