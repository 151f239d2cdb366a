import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALONE,
  blockers,
  type Claim,
  type ClaimRule,
  conflicts,
  grantable,
} from '../../src/domain/claims.ts';

/** A claim group in memory: what the ledger keeps in rows. */
class Group {
  claims: Claim[] = [];
  readonly rule: ClaimRule;
  readonly excludes: Record<string, string[]>;
  #seq = 0;

  constructor(rule: ClaimRule, excludes: Record<string, string[]> = {}) {
    this.rule = rule;
    this.excludes = excludes;
  }

  /** Asks, or asks again; answers with the value held. */
  ask(holder: string, accepts?: string[]): string | null {
    const known = this.claims.find((claim) => claim.holder === holder);
    const claim = known ?? this.#add(holder, accepts ?? []);
    claim.value ??= grantable(this.claims, claim);
    return claim.value;
  }

  /** Gives up, without waking anybody. */
  release(holder: string): void {
    this.claims = this.claims.filter((claim) => claim.holder !== holder);
  }

  holders(): Claim[] {
    return this.claims.filter((claim) => claim.value !== null);
  }

  waiters(): Claim[] {
    return this.claims.filter((claim) => claim.value === null);
  }

  find(holder: string): Claim {
    return this.claims.find((claim) => claim.holder === holder) as Claim;
  }

  #add(holder: string, accepts: string[]): Claim {
    const claim: Claim = {
      group: 'g',
      rule: this.rule,
      holder,
      workflowId: holder,
      accepts,
      excludes: this.excludes,
      value: null,
      requestedAt: 0,
      grantedAt: null,
      seq: ++this.#seq,
    };
    this.claims.push(claim);
    return claim;
  }
}

/** Regions in a chain and a ring, as Azure's one-way pairs make them: some have two partners. */
const CHAIN = { a: ['b'], b: ['a', 'c'], c: ['b', 'd'], d: ['c'], e: ['f'], f: ['e'], g: [] };

interface World {
  rule: ClaimRule;
  values: string[];
  excludes: Record<string, string[]>;
  /** Values that one may accept. A region asks for itself alone, and of regions no order of fairness over choices is promised. */
  choices: number;
}

const WORLDS: World[] = [
  { rule: 'exclusive', values: ['attempt'], excludes: {}, choices: 1 },
  { rule: 'sameValueShares', values: ['1', '2', '3', ALONE], excludes: {}, choices: 3 },
  { rule: 'listed', values: Object.keys(CHAIN), excludes: CHAIN, choices: 1 },
];

/** The values that a holder accepts. */
function choicesOf({ values, choices }: World): fc.Arbitrary<string[]> {
  return fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: choices });
}

type Step = { kind: 'arrive'; accepts: string[] } | { kind: 'leave'; who: number; order: number };

/** Arrivals of holders that accept one to three values, and departures of anybody, after which all waiters ask again. */
function steps(world: World): fc.Arbitrary<Step[]> {
  const accepts = choicesOf(world);
  return fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('arrive' as const), accepts }),
      fc.record({ kind: fc.constant('leave' as const), who: fc.nat(1000), order: fc.nat() }),
    ),
    { maxLength: 40 },
  );
}

/** Plays steps; `check` runs after every ask and every departure. */
function play(world: World, script: readonly Step[], check: (group: Group) => void = () => {}): Group {
  const group = new Group(world.rule, world.excludes);
  script.forEach((step, i) => {
    if (step.kind === 'arrive') {
      group.ask(`h${i}`, step.accepts);
      check(group);
    } else if (group.claims.length > 0) {
      group.release((group.claims[step.who % group.claims.length] as Claim).holder);
      wakeAll(group, step.order, check);
    }
  });
  return group;
}

/** Everybody who waits asks once, in an order of chance: messages arrive as they like. */
function wakeAll(group: Group, order: number, check: (group: Group) => void = () => {}): void {
  const scattered = (claim: Claim) => (claim.seq * 7919 + order) % 101;
  for (const claim of group.waiters().toSorted((a, b) => scattered(a) - scattered(b))) {
    group.ask(claim.holder);
    check(group);
  }
}

/** Pairs of holders that hold what may not be held together. */
function conflictsOf(group: Group): string[] {
  const held = group.holders();
  return held.flatMap((a) =>
    held
      .filter((b) => a !== b && conflicts(a, a.value as string, b, b.value as string))
      .map((b) => `${a.holder}:${a.value} ${b.holder}:${b.value}`),
  );
}

/** Names of waiting claims for which `wrong` is true. */
function waitersWhere(group: Group, wrong: (claim: Claim) => boolean): string[] {
  return group
    .waiters()
    .filter(wrong)
    .map((claim) => claim.holder);
}

/** Waiters who lost by a newcomer's grant: their last choice if they could go at once, any choice if they couldn't. */
function overtakenBy(group: Group, newcomer: string, accepts: string[]): string[] {
  const ready = new Set(waitersWhere(group, (claim) => grantable(group.claims, claim) !== null));
  const value = group.ask(newcomer, accepts);
  if (value === null) return [];
  const granted = group.find(newcomer);
  return waitersWhere(group, (claim) =>
    ready.has(claim.holder)
      ? grantable(group.claims, claim) === null
      : claim.accepts.some((wanted) => conflicts(granted, value, claim, wanted)),
  );
}

describe.each(WORLDS)('claims of the rule $rule', (world) => {
  const accepts = choicesOf(world);

  it('never hold two values that conflict (rules B12, D1, D4)', () => {
    fc.assert(
      fc.property(steps(world), (script) => {
        const found: string[] = [];
        play(world, script, (group) => found.push(...conflictsOf(group)));
        expect(found).toEqual([]);
      }),
    );
  });

  it('are only ever given a value that was accepted', () => {
    fc.assert(
      fc.property(steps(world), (script) => {
        const held = play(world, script).holders();
        expect(held.filter((claim) => !claim.accepts.includes(claim.value as string))).toEqual([]);
      }),
    );
  });

  it('need no wake-up but those of departures: a grant frees nobody', () => {
    fc.assert(
      fc.property(steps(world), (script) => {
        const group = play(world, script);
        expect(waitersWhere(group, (claim) => grantable(group.claims, claim) !== null)).toEqual([]);
      }),
    );
  });

  it('name for every waiter somebody who stands in its way', () => {
    fc.assert(
      fc.property(steps(world), (script) => {
        const group = play(world, script);
        expect(waitersWhere(group, (claim) => blockers(group.claims, claim).length === 0)).toEqual([]);
      }),
    );
  });

  it('know no deadlock: where nobody holds anything, whoever came first can go', () => {
    fc.assert(
      fc.property(steps(world), (script) => {
        const group = play(world, script);
        for (const claim of group.holders()) group.release(claim.holder);
        const first = group.waiters().slice(0, 1);
        expect(first.filter((claim) => grantable(group.claims, claim) === null)).toEqual([]);
      }),
    );
  });

  it('are not overtaken by those who come later', () => {
    const newcomers = fc.array(accepts, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(steps(world), newcomers, fc.nat(4), (script, arriving, leaving) => {
        const group = play(world, script);
        // Some leave, and those who wait have not heard of it yet when the newcomers ask.
        for (const claim of group.holders()) if (claim.seq % 4 < leaving) group.release(claim.holder);
        expect(arriving.flatMap((wants, i) => overtakenBy(group, `new${i}`, wants))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it('starve nobody, however many arrive later', () => {
    const arrivals = fc.array(accepts, { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 4 }), fc.nat(), (wants, hold, order) => {
        expect(longestWait(world, { wants, hold, order })).toBeLessThanOrEqual(2);
      }),
    );
  });
});

/**
 * Rounds, counted in holding times, that anybody waited where the same wants arrive again and again, one a round, and
 * every holder stays for `hold` rounds.
 */
function longestWait(world: World, script: { wants: string[][]; hold: number; order: number }): number {
  const group = new Group(world.rule, world.excludes);
  const arrived = new Map<string, { round: number; ahead: number }>();
  const since = new Map<string, number>();
  let longest = 0;
  for (let round = 0; round < 60; round++) {
    for (const claim of group.holders()) {
      if (round - (since.get(claim.holder) as number) >= script.hold) group.release(claim.holder);
    }
    arrived.set(`h${round}`, { round, ahead: group.waiters().length });
    group.ask(`h${round}`, script.wants[round % script.wants.length]);
    wakeAll(group, script.order + round);
    for (const claim of group.holders()) if (!since.has(claim.holder)) since.set(claim.holder, round);
    for (const claim of group.waiters()) {
      const { round: start, ahead } = arrived.get(claim.holder) as { round: number; ahead: number };
      longest = Math.max(longest, (round - start) / script.hold - ahead);
    }
  }
  return longest;
}

describe('what is exclusive (rule B12)', () => {
  it('has one holder, whatever others ask for', () => {
    const group = new Group('exclusive');
    expect(group.ask('a', ['x'])).toBe('x');
    expect(group.ask('b', ['x', 'y'])).toBeNull();
    group.release('a');
    expect(group.ask('b')).toBe('x');
  });
});

describe('zones of a region and update (rule D4)', () => {
  it('are shared by those of the same zone and closed to others', () => {
    const group = new Group('sameValueShares');
    expect(group.ask('a', ['1'])).toBe('1');
    expect(group.ask('b', ['1'])).toBe('1');
    expect(group.ask('c', ['2'])).toBeNull();
    expect(blockers(group.claims, group.find('c')).map((c) => c.holder)).toEqual(['a', 'b']);
  });

  it('close their door once another zone waits', () => {
    const group = new Group('sameValueShares');
    group.ask('a', ['1']);
    group.ask('b', ['2']);
    expect(group.ask('c', ['1'])).toBeNull();
    expect(blockers(group.claims, group.find('c')).map((c) => c.holder)).toEqual(['b']);
    group.release('a');
    expect(group.ask('c')).toBeNull();
    expect(group.ask('b')).toBe('2');
    group.release('b');
    expect(group.ask('c')).toBe('1');
  });

  it('take whichever accepted zone is open, else the first choice', () => {
    const group = new Group('sameValueShares');
    expect(group.ask('a', ['3', '1'])).toBe('3');
    expect(group.ask('b', ['1', '2', '3'])).toBe('3');
  });

  it('let an open zone be shared past a waiter that would share it too', () => {
    const group = new Group('sameValueShares');
    group.ask('a', ['1']);
    group.ask('b', ['2', '3']);
    group.release('a');
    expect(group.ask('c', ['3'])).toBe('3');
    expect(group.ask('b')).toBe('3');
  });

  it('give * to one holder alone', () => {
    const group = new Group('sameValueShares');
    group.ask('a', ['1']);
    expect(group.ask('whole', [ALONE])).toBeNull();
    expect(group.ask('b', ['1'])).toBeNull();
    group.release('a');
    expect(group.ask('b')).toBeNull();
    expect(group.ask('whole')).toBe(ALONE);
    expect(group.ask('other', [ALONE])).toBeNull();
    expect(group.ask('b')).toBeNull();
    group.release('whole');
    expect(group.ask('b')).toBe('1');
  });
});

describe('regions of geo-pairs (rule D1)', () => {
  it('exclude their partners only, in either direction', () => {
    const oneWay = new Group('listed', { a: ['b'] });
    expect(oneWay.ask('x', ['b'])).toBe('b');
    expect(oneWay.ask('y', ['a'])).toBeNull();
    const otherWay = new Group('listed', { a: ['b'] });
    expect(otherWay.ask('y', ['a'])).toBe('a');
    expect(otherWay.ask('x', ['b'])).toBeNull();
    const chain = new Group('listed', CHAIN);
    expect(chain.ask('a', ['a'])).toBe('a');
    expect(chain.ask('c', ['c'])).toBe('c');
    expect(chain.ask('e', ['e'])).toBe('e');
    expect(chain.ask('b', ['b'])).toBeNull();
    chain.release('a');
    expect(chain.ask('b')).toBeNull();
    chain.release('c');
    expect(chain.ask('b')).toBe('b');
  });

  it('are shared by several rollouts', () => {
    const group = new Group('listed', CHAIN);
    expect(group.ask('r1', ['a'])).toBe('a');
    expect(group.ask('r2', ['a'])).toBe('a');
  });

  it('let those go that conflict with nobody, and name only those in the way', () => {
    const group = new Group('listed', CHAIN);
    group.ask('a', ['a']);
    group.ask('b', ['b']);
    expect(group.ask('e', ['e'])).toBe('e');
    expect(group.ask('f', ['f'])).toBeNull();
    expect(blockers(group.claims, group.find('f')).map((c) => c.holder)).toEqual(['e']);
  });

  it('do not starve a waiter with a choice, when each choice is kept busy by a stream of its own', () => {
    const group = new Group('listed', CHAIN);
    group.ask('a0', ['a']);
    group.ask('e0', ['e']);
    expect(group.ask('waiter', ['b', 'f'])).toBeNull();
    // Streams that overlap: the next one asks before the last one leaves.
    for (let i = 1; i < 5; i++) {
      group.ask(`a${i}`, ['a']);
      group.release(`a${i - 1}`);
      group.ask('waiter');
      group.ask(`e${i}`, ['e']);
      group.release(`e${i - 1}`);
      group.ask('waiter');
    }
    expect(group.find('waiter').value).not.toBeNull();
  });
});
