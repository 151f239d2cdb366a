import type { Instant } from './clock.ts';

/**
 * Claims: the one mechanism for every exclusion. A holder asks for one of some values in a group; it is granted one
 * when nobody in the group holds a value that conflicts, first come first served: a request never overtakes an earlier
 * one that still waits and would conflict with it, so a steady stream of holders of one value starves nobody.
 */

/** How values of a group conflict. */
export type ClaimRule =
  /** Everything conflicts with everything: a scale set's one attempt (rule B12). */
  | 'exclusive'
  /** Different values conflict, and `*` conflicts with everything: zones of a region and update (rule D4). */
  | 'sameValueShares'
  /** A value conflicts with those that it lists in `excludes`, in either direction: regions of a geo-pair (rule D1). */
  | 'listed';

/** The value that can only be held alone under `sameValueShares`. */
export const ALONE = '*';

export interface ClaimRequest {
  group: string;
  rule: ClaimRule;
  /** Who asks; a holder has at most one claim in a group. */
  holder: string;
  /** The workflow that acts for the holder: it is woken when a wait may be over, and looked up when it seems gone. */
  workflowId: string;
  /** The values that would do, in order of preference. At least one. */
  accepts: string[];
  /** For `listed`: what each accepted value conflicts with. */
  excludes?: Record<string, string[]>;
}

/** A claim as the ledger keeps it. */
export interface Claim extends ClaimRequest {
  /** The value held, or null while it waits. */
  value: string | null;
  requestedAt: Instant;
  grantedAt: Instant | null;
  /** Rises with every request: who came first. */
  seq: number;
}

/** True when `a` (of claim `left`) and `b` (of claim `right`) may not be held at the same time. */
export function conflicts(left: Claim, a: string, right: Claim, b: string): boolean {
  switch (left.rule) {
    case 'exclusive':
      return true;
    case 'sameValueShares':
      return a !== b || a === ALONE;
    case 'listed':
      return (left.excludes?.[a] ?? []).includes(b) || (right.excludes?.[b] ?? []).includes(a);
  }
}

/**
 * The value that can be granted to a waiting claim now, or null.
 * @param claims all claims of its group, the waiting one among them
 */
export function grantable(claims: readonly Claim[], waiting: Claim): string | null {
  const others = claims.filter((claim) => claim.holder !== waiting.holder);
  const held = others.filter((claim) => claim.value !== null);
  const earlier = others.filter((claim) => claim.value === null && claim.seq < waiting.seq);
  const free = (value: string) =>
    held.every((claim) => !conflicts(waiting, value, claim, claim.value as string)) &&
    // An earlier waiter that would take the same value is not overtaken: it shares it.
    earlier.every((claim) => claim.accepts.some((wanted) => !conflicts(waiting, value, claim, wanted)));
  const candidates = waiting.accepts.filter(free);
  return candidates.find((value) => held.some((claim) => claim.value === value)) ?? candidates[0] ?? null;
}

/** Who stands in the way of a waiting claim: the holders of conflicting values, then earlier waiters. */
export function blockers(claims: readonly Claim[], waiting: Claim): Claim[] {
  const others = claims.filter((claim) => claim.holder !== waiting.holder);
  const held = others.filter(
    (claim) =>
      claim.value !== null &&
      waiting.accepts.some((v) => conflicts(waiting, v, claim, claim.value as string)),
  );
  const earlier = others.filter((claim) => claim.value === null && claim.seq < waiting.seq);
  return [...held, ...earlier];
}
