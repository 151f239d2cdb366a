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
  if (left.rule === 'exclusive') return true;
  if (left.rule === 'sameValueShares') return a !== b || a === ALONE;
  return (left.excludes?.[a] ?? []).includes(b) || (right.excludes?.[b] ?? []).includes(a);
}

/**
 * The value that can be granted to a waiting claim now, or null: the first in the order of preference. Where zones are shared
 * (rule D4) that is the one that is open, since it conflicts with all others. Granting it never frees a waiter: only a release
 * can.
 * @param claims all claims of its group, the waiting one among them
 */
export function grantable(claims: readonly Claim[], waiting: Claim): string | null {
  return freeValues(claims, waiting)[0] ?? null;
}

/** Who stands in the way of a waiting claim: the holders of conflicting values, then earlier waiters that want one. */
export function blockers(claims: readonly Claim[], waiting: Claim): Claim[] {
  const stands = (claim: Claim, wanted: readonly string[]) =>
    waiting.accepts.some((value) => wanted.some((other) => conflicts(waiting, value, claim, other)));
  const others = claims.filter((claim) => claim.holder !== waiting.holder);
  return [
    ...others.filter((claim) => claim.value !== null && stands(claim, [claim.value])),
    ...others.filter(
      (claim) => claim.value === null && claim.seq < waiting.seq && stands(claim, claim.accepts),
    ),
  ];
}

/** A claim that waits, with the accepted values that it could be granted now. */
interface Place {
  claim: Claim;
  free: string[];
}

/** The accepted values that conflict with no holder and overtake no earlier waiter. */
function freeValues(claims: readonly Claim[], waiting: Claim): string[] {
  const unheld = (claim: Claim) =>
    claim.accepts.filter((value) =>
      claims.every(
        (other) =>
          other.holder === claim.holder ||
          other.value === null ||
          !conflicts(claim, value, other, other.value),
      ),
    );
  if (unheld(waiting).length === 0) return [];
  const earlier = claims.filter(
    (claim) => claim.holder !== waiting.holder && claim.value === null && claim.seq < waiting.seq,
  );
  const line: Place[] = [];
  for (const claim of earlier.toSorted((a, b) => a.seq - b.seq)) {
    line.push({ claim, free: withinLine(line, claim, unheld(claim)) });
  }
  return withinLine(line, waiting, unheld(waiting));
}

function withinLine(line: readonly Place[], claim: Claim, values: readonly string[]): string[] {
  return values.filter((value) => line.every((place) => overtakesNot(claim, value, place)));
}

/**
 * An earlier waiter is not overtaken when it loses none of its choices, or keeps one that it can have at once. A choice
 * that it still waits for is not enough: of two choices, each kept busy by a stream of its own, it would get neither.
 */
function overtakesNot(claim: Claim, value: string, place: Place): boolean {
  const leaves = (wanted: string) => !conflicts(claim, value, place.claim, wanted);
  return place.claim.accepts.every(leaves) || place.free.some(leaves);
}
