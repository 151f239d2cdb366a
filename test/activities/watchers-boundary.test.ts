import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { post } from '../../src/watchers/post.ts';
import { problemOfReference, readSecrets, WatcherSecretError } from '../../src/watchers/secrets.ts';
import { eventSource } from '../../src/watchers/settings.ts';
import { isRefusedAddress, problemOfSinkUrl, shownUrl } from '../../src/watchers/sink-url.ts';
import { openSink, SECRET } from '../support/sink.ts';

const problemOf = (url: string, allowHttp = false) => problemOfSinkUrl(url, { allowHttp });

describe('a URL to send events to', () => {
  it.each([
    'https://hooks.example/rollouts?token=1',
    'https://10.1.2.3:8443/x',
    'http://localhost:8080',
    'http://127.0.0.1/x',
    'http://127.1/x',
    'http://[::1]:9000/x',
  ])('may be %s', (url) => {
    expect(problemOf(url)).toBeNull();
  });

  it.each([
    ['hooks.example', /is no URL/],
    ['ftp://hooks.example/x', /is not of https/],
    ['file:///etc/passwd', /is not of https/],
    ['javascript:alert(1)', /is not of https/],
    ['http://hooks.example/x', /is not encrypted: give https, or --allow-http/],
    ['http://10.1.2.3/x', /is not encrypted/],
    ['http://127.0.0.1.example/x', /is not encrypted/],
    ['https://bot:secret@hooks.example/x', /holds a user or a password/],
    ['https://hooks.example/x#part', /has a fragment/],
    ['https://hooks.example/\u202e', /has the sign \\u202e/],
    [`https://hooks.example/${'x'.repeat(3_000)}`, /has 3022 characters/],
    ['https://169.254.169.254/metadata/identity', /is of an address of the cloud's own/],
    ['https://2852039166/latest/meta-data', /is of an address of the cloud's own/],
    ['https://0xa9.0xfe.0xa9.0xfe/', /is of an address of the cloud's own/],
    ['https://[::ffff:169.254.169.254]/', /is of an address of the cloud's own/],
    ['https://[fe80::1]/', /is of an address of the cloud's own/],
    ['https://168.63.129.16/', /is of an address of the cloud's own/],
  ])('is none of these: case %#', (url, problem) => {
    expect(problemOf(url)).toMatch(problem);
  });

  it('may be plain http where somebody says so, but still not of any address', () => {
    expect(problemOf('http://hooks.example/x', true)).toBeNull();
    expect(problemOf('http://169.254.169.254/x', true)).not.toBeNull();
  });

  it('is shown without what may be a token in it', () => {
    expect(shownUrl('https://hooks.example/x?token=SECRET')).toMatch(
      /^https:\/\/hooks\.example\/x\?\(token [0-9a-f]{8}\)$/,
    );
    expect(shownUrl('https://hooks.example/x')).toBe('https://hooks.example/x');
  });

  it('is looked at once more when something is sent: its name may stand for another address by then', async () => {
    const sink = await openSink();
    /** As if the name of a receiver stood for these addresses by now. */
    const send = (url: string, ...addresses: string[]) =>
      post(url, {}, '', new AbortController().signal, (_name, { all }, callback) => {
        const found = addresses.map((address) => ({ address, family: isIP(address) }));
        if (all === true) callback(null, found);
        else callback(null, found[0]?.address ?? '', found[0]?.family);
      });
    const url = sink.url.replace('127.0.0.1', 'hooks.example');
    expect(await send(url, '127.0.0.1')).toEqual({ status: 204, retryAfter: undefined });
    const own = "an address of the cloud's own";
    await expect(send(url, '169.254.169.254')).rejects.toThrow(`hooks.example (169.254.169.254) is ${own}`);
    await expect(send(url, '127.0.0.1', '::ffff:169.254.169.254')).rejects.toThrow(own);
    await expect(send('http://169.254.169.254/x')).rejects.toThrow(own);
    expect(sink.calls).toHaveLength(1);
    await sink.close();
    expect([isRefusedAddress('::ffff:a9fe:a9fe'), isRefusedAddress('10.0.0.1')]).toEqual([true, false]);
  });
});

describe('where a secret is', () => {
  it.each(['env:WATCHER_SECRET', 'env:WATCHER_SECRET_PAGER_2', 'file:/run/secrets/pager'])(
    'may be %s',
    (reference) => {
      expect(problemOfReference(reference)).toBeNull();
    },
  );

  it.each([
    SECRET,
    'env:PAYLOAD_KEYS',
    'env:WATCHER_SECRETS',
    'env:WATCHER_SECRET_x',
    'file:secrets/pager',
    'file:relative',
    '',
    'file:/a\u001b[2J',
  ])('is none of these, which the message does not repeat: case %#', (reference) => {
    const problem = problemOfReference(reference);
    expect(problem).not.toBeNull();
    if (reference !== '') expect(problem).not.toContain(reference);
  });
});

describe('secrets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rollouts-watcher-secrets-'));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const fromEnv = (text: string) => readSecrets('env:WATCHER_SECRET', { WATCHER_SECRET: text });
  const bytesOf = (secrets: ReturnType<typeof readSecrets>) =>
    secrets.map((secret) => secret.export().toString('base64'));

  it('are one or more, while one takes the place of the other, from a variable or from a file that is read anew', () => {
    const two = [SECRET, other].map((secret) => secret.replace('whsec_', ''));
    expect(bytesOf(fromEnv(SECRET))).toEqual(two.slice(0, 1));
    expect(bytesOf(fromEnv(` ${SECRET}, ${other}\n`))).toEqual(two);
    const path = join(folder, 'pager');
    writeFileSync(path, `${SECRET}\n`);
    expect(bytesOf(readSecrets(`file:${path}`))).toEqual(two.slice(0, 1));
    writeFileSync(path, `${other}\n${SECRET}\n`);
    expect(bytesOf(readSecrets(`file:${path}`))).toEqual(two.toReversed());
  });

  it.each([
    ['', /This worker has no secret at env:WATCHER_SECRET\. Make one by/],
    ['MY-SECRET-TEXT', /The secret 1 at env:WATCHER_SECRET is not of the form whsec_<base64>/],
    ['whsec_TVktU0VDUkVU', /has 9 bytes, and must have 24 to 64/],
    [`${SECRET} MY-SECRET-TEXT`, /The secret 2 at/],
    [Array(5).fill(SECRET).join(' '), /There are 5 secrets at env:WATCHER_SECRET: give at most 4/],
  ])('that are none are refused without being told: case %#', (text, message) => {
    expect(() => fromEnv(text)).toThrow(message);
    expect(() => fromEnv(text)).toThrow(WatcherSecretError);
    expect(() => fromEnv(text)).not.toThrow(/MY-SECRET|TVktU0VD|YSB0ZXN0/);
  });

  it('are not looked for in what is no file of theirs', () => {
    const large = join(folder, 'large');
    writeFileSync(large, 'x'.repeat(5_000));
    expect(() => readSecrets(`file:${join(folder, 'none')}`)).toThrow(/none does not exist for this worker/);
    expect(() => readSecrets('file:/dev/zero')).toThrow(/is no file of at most 4096 bytes/);
    expect(() => readSecrets(`file:${large}`)).toThrow(/is no file of at most 4096 bytes/);
    expect(() => readSecrets('env:DATABASE_URL', { DATABASE_URL: SECRET })).toThrow(WatcherSecretError);
  });
});

describe('the source of events', () => {
  it('is what the environment says, if that is a URI', () => {
    expect(eventSource({})).toBe('/os-image-rollouts');
    expect(eventSource({ WATCHERS_SOURCE: 'urn:rollouts:production' })).toBe('urn:rollouts:production');
    expect(() => eventSource({ WATCHERS_SOURCE: 'two words' })).toThrow('WATCHERS_SOURCE "two words"');
  });
});
