import type { Instant } from '../../domain/clock.ts';
import type { HealthyStretch } from '../../domain/scale-set.ts';
import type { HealthSource } from '../health-signal.ts';

/** From `from` up to, and without, `to`. */
export interface Span {
  from: Instant;
  to: Instant;
}

/**
 * When a health signal says healthy while a VM is up: its source reads the application at the start and at every interval
 * after it, and changes its state by so many equal readings one after the other. An answer between two readings is not
 * seen, nor is a silence.
 * @param up the time in which the VM runs; its readings begin with it
 * @param answering when the application answers well, in order and apart from each other; `to` may be Infinity
 * @returns what is known at `at`: nothing that begins later, and no end that comes later
 */
export function signalStretches(
  { interval, threshold }: Pick<HealthSource, 'interval' | 'threshold'>,
  up: Span,
  answering: readonly Span[],
  at: Instant,
): HealthyStretch[] {
  const timeOf = (reading: number) => up.from + reading * interval;
  const stretches: Span[] = [];
  let since: Instant | null = null;
  const runs = goodRuns(interval, up, answering);
  for (const [i, { first, last }] of runs.entries()) {
    if (since === null && last - first + 1 >= threshold) since = timeOf(first + threshold - 1);
    // So many readings without an answer follow, unless a good one comes before; after an endless run none does.
    const changesAt = last + threshold;
    const nextGood = runs[i + 1]?.first ?? Infinity;
    if (since === null || nextGood <= changesAt) continue;
    stretches.push({ from: since, to: Math.min(timeOf(changesAt), up.to) });
    since = null;
  }
  if (since !== null) stretches.push({ from: since, to: up.to });
  return stretches
    .filter(({ from }) => from <= at && from < up.to)
    .map(({ from, to }) => ({ from, to: to <= at ? to : null }));
}

/** Readings that are well, by number, as far as they follow each other. */
function goodRuns(interval: number, up: Span, answering: readonly Span[]): { first: number; last: number }[] {
  const runs: { first: number; last: number }[] = [];
  for (const { from, to } of answering) {
    const first = Math.max(0, Math.ceil((from - up.from) / interval));
    const last = Math.ceil((to - up.from) / interval) - 1;
    if (last < first) continue;
    const before = runs.at(-1);
    if (before !== undefined && before.last + 1 >= first) before.last = last;
    else runs.push({ first, last });
  }
  return runs;
}

/** Without those that are no longer than an earlier one: only a longer one can be the first that is long enough. The last stays. */
export function decisive(stretches: readonly HealthyStretch[]): HealthyStretch[] {
  let longest = -1;
  return stretches.filter(({ from, to }, i) => {
    const length = (to ?? Infinity) - from;
    const isLonger = length > longest;
    if (isLonger) longest = length;
    return isLonger || i === stretches.length - 1;
  });
}

/** `whole` without the holes, which are in order of `from`, and may overlap. */
export function without(whole: Span, holes: readonly Span[]): Span[] {
  const parts: Span[] = [];
  let from = whole.from;
  for (const hole of holes) {
    if (hole.from >= whole.to) break;
    if (hole.from > from) parts.push({ from, to: hole.from });
    from = Math.max(from, hole.to);
  }
  if (from < whole.to) parts.push({ from, to: whole.to });
  return parts;
}
