import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { encryptionCodec } from '../../src/temporal/codec/encryption-codec.ts';
import { loadKeyRing } from '../../src/temporal/codec/key-ring.ts';
import { createCodecServer, type CodecServerParts } from '../../src/temporal/codec/server.ts';

const UI = 'http://localhost:8233';
const TOKEN = 'a-token-of-this-test';
const codec = encryptionCodec(loadKeyRing({ PAYLOAD_KEYS: `k:${Buffer.alloc(32, 5).toString('base64')}` }));

const logged: string[] = [];
const servers: ReturnType<typeof createCodecServer>[] = [];
afterEach(async () => {
  logged.length = 0;
  for (const server of servers.splice(0)) await server.close();
});

function serverOf(more: Partial<CodecServerParts> = {}): ReturnType<typeof createCodecServer> {
  const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
  const server = createCodecServer({ codec, namespace: 'default', uiOrigins: [UI], log, ...more });
  servers.push(server);
  return server;
}

/** As the Web UI and the CLI write it. */
function jsonOf({ metadata, data }: Payload) {
  const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('base64');
  const entries = Object.entries(metadata ?? {}).map(([name, bytes]) => [name, text(bytes)]);
  return { metadata: Object.fromEntries(entries) as Record<string, string>, data: text(data) };
}

const plain = jsonOf(defaultPayloadConverter.toPayload('hush'));

function post(server: ReturnType<typeof serverOf>, url: string, payload: unknown, headers = {}) {
  return server.inject({ method: 'POST', url, payload: payload as object, headers });
}

describe('the codec server', () => {
  it('decodes what it encoded, and leaves alone what is not encrypted', async () => {
    const server = serverOf();
    const encoded = (await post(server, '/encode', { payloads: [plain] })).json<{ payloads: object[] }>();
    expect(JSON.stringify(encoded)).not.toContain(plain.data);
    const decoded = await post(server, '/decode?preserveStorageRefs=true', {
      payloads: [...encoded.payloads, plain],
    });
    expect(decoded.json()).toEqual({ payloads: [plain, plain] });
    expect((await post(server, '/decode', { payloads: [] })).json()).toEqual({ payloads: [] });
  });

  it('answers pages of the Web UI, and tells browsers so beforehand', async () => {
    const server = serverOf();
    const preflight = await server.inject({
      method: 'OPTIONS',
      url: '/decode',
      headers: { origin: UI, 'access-control-request-headers': 'content-type,x-namespace' },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': UI,
      'access-control-allow-headers': 'content-type,x-namespace',
      'access-control-allow-methods': 'POST, OPTIONS',
    });
    const answer = await post(server, '/decode', { payloads: [] }, { origin: UI, 'x-namespace': 'default' });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe(UI);
  });

  it.each([
    ['a page of another origin', { origin: 'http://evil.example' }, 403],
    ['a page without an origin', { origin: 'null' }, 403],
    ['whoever asks for another namespace', { 'x-namespace': 'production' }, 403],
    ['a form', { 'content-type': 'text/plain' }, 415],
  ])('refuses %s', async (_, headers, status) => {
    const answer = await serverOf().inject({
      method: 'POST',
      url: '/decode',
      payload: '{"payloads":[]}',
      headers: { 'content-type': 'application/json', ...headers },
    });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('asks for its token, if it has one, but not of a browser that only asks whether it may', async () => {
    const server = serverOf({ token: TOKEN });
    const status = async (headers: object) =>
      (await post(server, '/decode', { payloads: [] }, headers)).statusCode;
    expect(await status({})).toBe(401);
    expect(await status({ authorization: 'Bearer wrong' })).toBe(401);
    expect(await status({ authorization: TOKEN })).toBe(401);
    expect(await status({ authorization: `Bearer ${TOKEN}` })).toBe(200);
    const preflight = await server.inject({ method: 'OPTIONS', url: '/decode', headers: { origin: UI } });
    expect(preflight.statusCode).toBe(204);
    expect((await server.inject('/healthz')).statusCode).toBe(200);
  });

  it.each([
    ['no JSON', '/decode', '{"payloads":["hush', 400],
    ['something else', '/decode', '{"payloads":"hush"}', 400],
    ['data that is no base64', '/decode', '{"payloads":[{"data":"hush!"}]}', 400],
    ['a payload of a key that is not here', '/decode', keyed('other'), 400],
    ['a payload that was changed', '/decode', keyed('k'), 400],
    ['what it does not serve', '/keys', '{}', 404],
  ])('says what is wrong with %s, and repeats nothing of it', async (_, url, payload, status) => {
    const answer = await serverOf().inject({
      method: 'POST',
      url,
      payload,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.statusCode).toBe(status);
    expect(Object.keys(answer.json<object>())).toEqual(['message']);
    expect(answer.body + logged.join('')).not.toMatch(/hush|aHVzaCBodXNo|node_modules/);
  });
});

function keyed(id: string): string {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const metadata = { encoding: base64('binary/encrypted'), 'encryption-key-id': base64(id) };
  return JSON.stringify({
    payloads: [{ metadata, data: base64('hush hush hush hush hush hush hush hush') }],
  });
}
