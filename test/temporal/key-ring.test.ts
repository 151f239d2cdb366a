import { writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadKeyRing } from '../../src/temporal/codec/key-ring.ts';
import { inTemporaryFolder } from './fakes.ts';

const FIRST = Buffer.alloc(32, 1).toString('base64');
const SECOND = Buffer.alloc(32, 2).toString('base64');

describe('the keys of payloads', () => {
  it('are none when none are set', () => {
    expect(loadKeyRing({})).toMatchObject({ current: undefined, ids: [] });
    expect(loadKeyRing({ PAYLOAD_KEYS: '' }).current).toBeUndefined();
  });

  it('encrypt by the first one and decrypt by all', () => {
    const keys = loadKeyRing({ PAYLOAD_KEYS: `2026-11:${FIRST}, 2026-05:${SECOND}` });
    expect(keys.current?.id).toBe('2026-11');
    expect(keys.ids).toEqual(['2026-11', '2026-05']);
    expect(keys.find('2026-05')?.secret.export().toString('base64')).toBe(SECOND);
    expect(keys.find('2025-11')).toBeUndefined();
  });

  it('come from a file, one a line, with comments', () =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, 'keys');
      await writeFile(file, `# since November\nnew:${FIRST}\r\n\nold:${SECOND}  # until May\n`);
      expect(loadKeyRing({ PAYLOAD_KEYS_FILE: file }).ids).toEqual(['new', 'old']);
      await writeFile(file, '# nothing yet\n');
      expect(() => loadKeyRing({ PAYLOAD_KEYS_FILE: file })).toThrow(/keys holds no key\. Make one by:/);
      expect(() => loadKeyRing({ PAYLOAD_KEYS_FILE: folder })).toThrow("can't be read (EISDIR)");
      expect(() => loadKeyRing({ PAYLOAD_KEYS_FILE: join(folder, 'none') })).toThrow('does not exist');
    }));

  it('are not shown when they are printed', () => {
    const keys = loadKeyRing({ PAYLOAD_KEYS: `a:${FIRST}` });
    expect(inspect(keys.current, { depth: 9 }) + JSON.stringify(keys)).not.toContain(FIRST);
  });

  const short = Buffer.alloc(16, 7).toString('base64');
  it.each([
    [
      'too short',
      `a:${FIRST},b:${short}`,
      /^The key 2 of PAYLOAD_KEYS, "b", has 16 bytes, and must have 32\. Make/,
    ],
    [
      'no base64',
      `a:${FIRST.replace('=', '!')}`,
      /^The key 1 of PAYLOAD_KEYS, "a", is no base64\. Make one by: echo/,
    ],
    ['nothing behind the id', 'a:', /"a", is no base64/],
    ['without an id', FIRST, /^The key 1 of PAYLOAD_KEYS is not of the form <id>:<base64>/],
    ['of an id with a blank', `a b:${FIRST}`, /is not of the form/],
    ['left out between commas', `a:${FIRST},,b:${SECOND}`, /^The key 2 of PAYLOAD_KEYS is not of the form/],
    ['there twice', `a:${FIRST},a:${SECOND}`, /^PAYLOAD_KEYS has two keys with the id "a"/],
  ])('are refused when one is %s, without telling the secret', (_, text, message) => {
    const refusal = (() => {
      try {
        return String(loadKeyRing({ PAYLOAD_KEYS: text }).ids);
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(refusal).toMatch(message);
    for (const secret of [FIRST, SECOND, short, FIRST.slice(0, 20)]) expect(refusal).not.toContain(secret);
  });

  it('are refused when they are set in two ways', () => {
    const both = { PAYLOAD_KEYS: `a:${FIRST}`, PAYLOAD_KEYS_FILE: '/run/secrets/keys' };
    expect(() => loadKeyRing(both)).toThrow('both set');
  });
});
