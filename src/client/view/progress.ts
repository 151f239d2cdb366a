import type { BarParts } from './spans.ts';
import type { InstanceCounts, RegionView, ScaleSetView } from './types.ts';

/**
 * How far things are, for bars. A set counts by the share of its VMs that are done, and every set counts the same: how
 * many VMs a set has is known only once its upgrade has begun.
 */

export function scaleSetParts(set: ScaleSetView): BarParts {
  if (set.status === 'upgraded') return withFailures(set.instances, 1);
  if (set.status === 'stopped') return { good: 0, bad: 1, busy: 0 };
  const total = totalOf(set.instances);
  if (total === 0) return { good: 0, bad: 0, busy: 0 };
  const done = (set.instances.upgraded + set.instances.failed) / total;
  return { ...withFailures(set.instances, done), busy: set.instances.inProgress / total };
}

export function regionParts(region: Pick<RegionView, 'sets'>): BarParts {
  return average(region.sets.filter((set) => set.status !== 'skipped').map(scaleSetParts));
}

/** @param parts of equal weight */
export function average(parts: readonly BarParts[]): BarParts {
  const mean = (of: (part: BarParts) => number) =>
    parts.length === 0 ? 0 : parts.reduce((sum, part) => sum + of(part), 0) / parts.length;
  return { good: mean((p) => p.good), bad: mean((p) => p.bad), busy: mean((p) => p.busy) };
}

/** Instances that an attempt is about. */
export function totalOf({ upgraded, failed, inProgress, pending }: InstanceCounts): number {
  return upgraded + failed + inProgress + pending;
}

function withFailures({ upgraded, failed }: InstanceCounts, done: number): BarParts {
  const share = upgraded + failed === 0 ? 0 : failed / (upgraded + failed);
  return { good: done * (1 - share), bad: done * share, busy: 0 };
}
