import { readdir, rename, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { installFolder } from './cache.ts';
import { isExecutable, type RunCommand } from './commands.ts';
import type { ServerSource, SourceOutcome } from './source.ts';

export interface SdkSourceOptions {
  readonly kind: 'dev-server' | 'time-skipping';
  /** What a download is to become, in our cache: its folder is made for it. */
  readonly target: string;
  readonly run: RunCommand;
  /** Where the SDK keeps what it downloaded itself. */
  readonly sdkFolder?: string;
}

/** How the SDK begins the names of its downloads, and which environment makes it download. */
const SDK_NAMES = {
  'dev-server': { prefix: 'temporal', factory: 'createLocal' },
  'time-skipping': { prefix: 'temporal-test-server', factory: 'createTimeSkipping' },
} as const;

const DOWNLOAD_TIMEOUT_MS = 5 * 60 * 1000;

/**
 * Starts and ends the server by way of the SDK, which downloads it first. In a process of its own, because the SDK's
 * runtime is a singleton that our process may want to configure otherwise, and because a network that swallows
 * packets would keep the SDK (it has no time-out) waiting for minutes: no file after 15 s means no network.
 */
const DOWNLOAD_SCRIPT = `
  const [testing, factory, downloadDir] = process.argv.slice(1);
  const { TestWorkflowEnvironment } = require(testing);
  const { readdirSync } = require('node:fs');
  const fail = (reason) => { console.error(reason); process.exit(1); };
  setTimeout(() => readdirSync(downloadDir).length > 0 || fail('no answer within 15 s'), 15_000).unref();
  TestWorkflowEnvironment[factory]({ server: { executable: { type: 'cached-download', downloadDir } } })
    .then((environment) => environment.teardown())
    .catch((error) => fail(error.message));
`;

/** The download that the Temporal SDK keeps in the temporary folder, or else one made by the SDK into our cache. */
export function sdkSource({ kind, target, run, sdkFolder = tmpdir() }: SdkSourceOptions): ServerSource {
  const { prefix, factory } = SDK_NAMES[kind];
  const find = async (report: (line: string) => void): Promise<SourceOutcome> => {
    const require = createRequire(import.meta.url);
    const testing = resolveTesting(require);
    if (!testing) return { kind: 'absent', reason: 'the package @temporalio/testing is not installed' };
    const kept = join(sdkFolder, `${prefix}-sdk-typescript-${testing.version}`);
    if (await isOwnExecutable(kept)) return { kind: 'found', path: kept };
    report(`trying the Temporal SDK's download of ${prefix} ...`);
    await installFolder(dirname(target), async (folder) => {
      const args = ['-e', DOWNLOAD_SCRIPT, testing.path, factory, folder];
      await run(process.execPath, args, { timeoutMs: DOWNLOAD_TIMEOUT_MS });
      const [downloaded] = (await readdir(folder)).filter((name) => name.startsWith(prefix));
      if (!downloaded) throw new Error('the SDK left no file');
      await rename(join(folder, downloaded), join(folder, basename(target)));
    });
    return { kind: 'found', path: target };
  };
  return { name: "the Temporal SDK's download", find };
}

function resolveTesting(require: NodeJS.Require): { path: string; version: string } | undefined {
  try {
    const { version } = require('@temporalio/testing/package.json') as { version: string };
    return { path: require.resolve('@temporalio/testing'), version };
  } catch {
    return undefined;
  }
}

/** Anyone may write to the temporary folder: run only what this user put there. */
async function isOwnExecutable(path: string): Promise<boolean> {
  return (await isExecutable(path)) && (await stat(path)).uid === process.getuid?.();
}
