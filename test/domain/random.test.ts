import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hash32, shortHash, uniform, uniformInt } from '../../src/domain/random.ts';

describe('seeded randomness', () => {
  it('is the same on every machine and for ever: recorded runs depend on it', () => {
    expect(hash32('')).toBe(2_872_998_923);
    expect(hash32('rollout')).toBe(206_169_182);
    expect(uniform('a', 1)).toBe(uniform('a', '1'));
  });

  it('tells its parts apart', () => {
    expect(uniform('ab', 'c')).not.toBe(uniform('a', 'bc'));
  });

  it('lies in [0, 1)', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (parts) => {
        expect(uniform(...parts)).toBeGreaterThanOrEqual(0);
        expect(uniform(...parts)).toBeLessThan(1);
      }),
    );
  });

  it('is even: each tenth gets about a tenth, also of seeds that differ by one digit', () => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 10_000; i++) {
      const tenth = Math.floor(uniform('seed', i) * 10);
      counts[tenth] = (counts[tenth] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(880);
    expect(Math.max(...counts)).toBeLessThan(1_120);
  });

  it('reaches both ends of a range of whole numbers, and nothing beyond', () => {
    const drawn = new Set(Array.from({ length: 200 }, (_, i) => uniformInt(3, 6, 'die', i)));
    expect([...drawn].toSorted((a, b) => a - b)).toEqual([3, 4, 5, 6]);
    expect(uniformInt(7, 7, 'x')).toBe(7);
  });
});

describe('shortHash', () => {
  it('is twelve hexadecimal digits, different for different texts', () => {
    const hashes = Array.from({ length: 5_000 }, (_, i) => shortHash(`/subscriptions/s/sets/web-${i}`));
    expect(hashes.filter((hash) => !/^[0-9a-f]{12}$/.test(hash))).toEqual([]);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});
