import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALONE, grantable, type Claim } from '../../src/domain/claims.ts';
import { simulateRegion, type SimulatedSet } from '../../src/domain/estimate-region.ts';

const set = (dueAt: number, ...runs: [string | null, number][]): SimulatedSet => ({
  dueAt,
  runs: runs.map(([zone, duration]) => ({ zone, duration })),
});
const MANY = 1_000;

describe('simulateRegion (rule D4)', () => {
  it.each([
    ['no sets', [], MANY, null],
    ['sets with nothing to do', [set(5)], MANY, null],
    ['one set, zone after zone', [set(5, ['1', 10], ['2', 20])], MANY, [5, 35]],
    ['sets in the same zone, in parallel', [set(5, ['1', 10]), set(7, ['1', 10])], MANY, [5, 17]],
    ['sets in different zones, in turns', [set(5, ['1', 10]), set(7, ['2', 10])], MANY, [5, 25]],
    ['regional sets, next to any zone', [set(5, ['1', 10]), set(7, [null, 10])], MANY, [5, 17]],
    [
      'a set that spans zones, alone',
      [set(0, [ALONE, 10]), set(0, [ALONE, 10]), set(0, ['1', 10])],
      MANY,
      [0, 30],
    ],
    [
      'a set that takes the zone that is open',
      [set(0, ['2', 10]), set(1, ['1', 9], ['2', 9])],
      MANY,
      [0, 19],
    ],
    [
      'a door that closes once another zone waits',
      [set(0, ['1', 10]), set(1, ['2', 10]), set(2, ['1', 10])],
      MANY,
      [0, 30],
    ],
    ['one set at a time', [set(0, ['1', 10]), set(1, ['1', 10]), set(50, ['1', 10])], 1, [0, 60]],
    ['sets due long after the first ended', [set(0, ['1', 10]), set(100, ['2', 10])], MANY, [0, 110]],
  ] as const)('of %s', (_, sets, window, expected) => {
    const span = simulateRegion(sets, window);
    expect(span && [span.start, span.end]).toEqual(expected);
  });

  it('changes nothing in its input', () => {
    const sets = [set(5, ['1', 10], ['2', 20])];
    simulateRegion(sets, MANY);
    expect(sets).toEqual([set(5, ['1', 10], ['2', 20])]);
  });

  it('takes turns exactly as claims are granted', () => {
    const run = fc.tuple(fc.constantFrom('1', '2', '3'), fc.integer({ min: 1, max: 9 }));
    const runs = fc.oneof(
      fc.uniqueArray(run, { minLength: 1, maxLength: 3, selector: ([zone]) => zone }),
      fc.constant([[ALONE, 4] as [string, number]]),
    );
    const sets = fc.array(
      fc.tuple(fc.nat(30), runs).map(([dueAt, zones]) => set(dueAt, ...zones)),
      { minLength: 1, maxLength: 8 },
    );
    fc.assert(
      fc.property(sets, (all) => {
        expect(simulateRegion(all, MANY)?.end).toBe(endByClaims(all));
      }),
      { numRuns: 2_000 },
    );
  });
});

/** The same region moment by moment, each zone asked for by a claim: slow, and without a thought of its own. */
function endByClaims(sets: readonly SimulatedSet[]): number {
  const ordered = sets.toSorted((a, b) => a.dueAt - b.dueAt).map((each) => ({ ...each, until: -1 }));
  let claims: Claim[] = [];
  let seq = 0;
  const ask = (holder: number, accepts: string[]) =>
    claims.push({
      group: 'zones',
      rule: 'sameValueShares',
      holder: String(holder),
      workflowId: '',
      accepts,
      value: null,
      requestedAt: 0,
      grantedAt: null,
      seq: seq++,
    });
  const step = (now: number) => {
    const leaving = claims
      .map((claim) => Number(claim.holder))
      .filter((index) => ordered[index]?.until === now);
    claims = claims.filter((claim) => !leaving.includes(Number(claim.holder)));
    for (const index of leaving) {
      const left = ordered[index]?.runs.map((each) => each.zone as string) ?? [];
      if (left.length > 0) ask(index, left);
    }
    for (const [index, each] of ordered.entries())
      if (each.dueAt === now)
        ask(
          index,
          each.runs.map((one) => one.zone as string),
        );
    for (const claim of claims.filter((each) => each.value === null)) {
      claim.value = grantable(claims, claim);
      const each = ordered[Number(claim.holder)];
      const run = each?.runs.find(({ zone }) => zone === claim.value);
      if (!each || !run) continue;
      each.until = now + run.duration;
      each.runs = each.runs.filter((other) => other !== run);
    }
  };
  let now = 0;
  for (; claims.length > 0 || ordered.some((each) => each.dueAt >= now); now++) step(now);
  return now - 1;
}
