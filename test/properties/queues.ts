import type { Claim } from '../../src/domain/claims.ts';
import type { Ledger } from '../../src/ledger/port.ts';

/**
 * Nobody starves (rules D1, D4): whoever holds something that keeps a waiter out had it, or had asked for it, before the waiter
 * asked, and has it once. Watched claim by claim, without the functions that grant them: who has left is behind.
 */
export class Queues {
  readonly #ledger: Ledger;
  /** Who may still be served before a waiter, by group, waiter and place in the queue. */
  readonly #ahead = new Map<string, Set<string>>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Looks at the claims as they are now. @returns a sentence for everybody who came before his turn */
  async look(): Promise<string[]> {
    const claims = await this.#ledger.claims.list();
    const waiting = claims.filter(({ value }) => value === null);
    const still = new Set(waiting.map(keyOf));
    for (const key of this.#ahead.keys()) if (!still.has(key)) this.#ahead.delete(key);
    return waiting.flatMap((waiter) => this.#overtakers(waiter, claims.filter(inGroupOf(waiter))));
  }

  #overtakers(waiter: Claim, group: readonly Claim[]): string[] {
    const isAhead = ({ value, seq }: Claim) => value !== null || seq < waiter.seq;
    const before = this.#ahead.get(keyOf(waiter)) ?? new Set(group.filter(isAhead).map(placeOf));
    const now = new Set(group.filter((one) => before.has(placeOf(one))).map(placeOf));
    this.#ahead.set(keyOf(waiter), now);
    return group
      .filter((one) => keepsOut(one, waiter) && !now.has(placeOf(one)))
      .map(({ holder, value, group: name }) => `${holder} got ${value} of ${name} before ${waiter.holder}`);
  }
}

function keyOf({ group, holder, seq }: Claim): string {
  return `${group} ${holder} ${seq}`;
}

/** One who leaves and asks again has another place. */
function placeOf({ holder, seq }: Claim): string {
  return `${holder} ${seq}`;
}

function inGroupOf({ group }: Claim): (other: Claim) => boolean {
  return (other) => other.group === group;
}

/** By the words of the rules: another zone, all of them, or a region that one of the two names as its partner. */
function keepsOut(holder: Claim, waiter: Claim): boolean {
  const { value } = holder;
  if (value === null || holder.holder === waiter.holder) return false;
  if (waiter.rule === 'sameValueShares') return value === '*' || !waiter.accepts.includes(value);
  const names = (claim: Claim, from: string, to: string) => claim.excludes?.[from]?.includes(to) ?? false;
  return waiter.accepts.some((wanted) => names(waiter, wanted, value) || names(holder, value, wanted));
}
