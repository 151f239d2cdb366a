import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encryptionCodec } from '../../src/temporal/codec/encryption-codec.ts';
import { loadKeyRing } from '../../src/temporal/codec/key-ring.ts';

const key = (id: string, byte: number) => `${id}:${Buffer.alloc(32, byte).toString('base64')}`;
const codecOf = (...keys: string[]) => encryptionCodec(loadKeyRing({ PAYLOAD_KEYS: keys.join(',') }));
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload | undefined) =>
  defaultPayloadConverter.fromPayload<unknown>(payload as Payload);

async function encryptedBy(codec: ReturnType<typeof codecOf>, value: unknown): Promise<Payload> {
  return (await codec.encode([payloadOf(value)]))[0] as Payload;
}

const old = codecOf(key('old', 1));
const rotated = codecOf(key('new', 2), key('old', 1));
const none = codecOf();

describe('the encrypting codec', () => {
  it('gives back whatever it was given', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.json(), fc.uint8Array(), fc.constant(undefined))),
        async (values) => {
          const encrypted = await rotated.encode(values.map(payloadOf));
          expect((await rotated.decode(encrypted)).map(valueOf)).toEqual(values);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('leaves nothing to be read but the id of the key, and never writes the same twice', async () => {
    const [one, two] = [await encryptedBy(rotated, 'hush'), await encryptedBy(rotated, 'hush')];
    expect(Object.keys(one.metadata ?? {})).toEqual(['encoding', 'encryption-key-id']);
    expect(Buffer.from(one.metadata?.['encryption-key-id'] ?? []).toString()).toBe('new');
    expect(Buffer.from(one.data ?? []).toString('latin1')).not.toMatch(/hush|json/);
    expect(one.data).not.toEqual(two.data);
  });

  it('reads what an old key wrote, and what was written before there was one', async () => {
    expect(valueOf((await rotated.decode([await encryptedBy(old, 'before')]))[0])).toBe('before');
    expect(valueOf((await rotated.decode([payloadOf('plain')]))[0])).toBe('plain');
  });

  it('writes plainly without a key', async () => {
    expect(await none.encode([payloadOf('plain')])).toEqual([payloadOf('plain')]);
  });

  it('says which key it lacks', async () => {
    const encrypted = await encryptedBy(rotated, 'x');
    await expect(old.decode([encrypted])).rejects.toThrow(
      'encrypted with the key "new", and the keys here are "old". Give this process the same PAYLOAD_KEYS',
    );
    await expect(none.decode([encrypted])).rejects.toThrow('the key "new", and no keys are set.');
    const odd = {
      ...encrypted,
      metadata: { ...encrypted.metadata, 'encryption-key-id': Buffer.from('\u001b[31m') },
    };
    await expect(none.decode([odd])).rejects.toThrow('the key "??31m"');
  });

  it.each<[string, (payload: Payload) => Payload]>([
    [
      'changed',
      ({ metadata, data }) => ({
        metadata,
        data: data?.map((byte, i) => (i === 20 ? byte ^ 1 : byte)) ?? null,
      }),
    ],
    ['cut short', ({ metadata, data }) => ({ metadata, data: data?.subarray(0, 20) ?? null })],
    ['empty', ({ metadata }) => ({ metadata })],
    [
      'of another key by its word',
      ({ metadata, data }) => ({
        metadata: { ...metadata, 'encryption-key-id': Buffer.from('twin') },
        data: data ?? null,
      }),
    ],
  ])('refuses a payload that is %s', async (_, change) => {
    const twins = codecOf(key('old', 1), key('twin', 1));
    const changed = change(await encryptedBy(old, 'x'));
    await expect(twins.decode([changed])).rejects.toThrow("can't be decrypted with the key");
  });
});
