import type { Attempt, AttemptInstance, Target } from '../../ledger/port.ts';
import type { InstanceCounts, ScaleSetCounts } from './types.ts';

export const NO_INSTANCES: InstanceCounts = {
  upgraded: 0,
  restored: 0,
  failed: 0,
  inProgress: 0,
  pending: 0,
};

/** How many targets are in each status. */
export function countSets(targets: readonly Pick<Target, 'status'>[]): ScaleSetCounts {
  const counts: ScaleSetCounts = { waiting: 0, upgrading: 0, upgraded: 0, stopped: 0, skipped: 0 };
  for (const { status } of targets) counts[status]++;
  return counts;
}

export function sumSets(all: readonly ScaleSetCounts[]): ScaleSetCounts {
  const sum = countSets([]);
  for (const counts of all) {
    for (const status of Object.keys(sum) as (keyof ScaleSetCounts)[]) sum[status] += counts[status];
  }
  return sum;
}

/** The sum of several counts. */
export function addInstances(all: readonly InstanceCounts[]): InstanceCounts {
  const sum = { ...NO_INSTANCES };
  for (const counts of all) {
    for (const name of Object.keys(sum) as (keyof InstanceCounts)[]) sum[name] += counts[name];
  }
  return sum;
}

/**
 * The instances of a set over its attempts in one rollout, the newest attempt last: what an earlier one upgraded stays
 * upgraded, what it failed at is the newest one's business.
 * @param taken the newest attempt's instances, or null where they were not read: its own counts tell then
 */
export function instancesOf(
  attempts: readonly Attempt[],
  taken: readonly AttemptInstance[] | null,
): InstanceCounts {
  const newest = attempts.at(-1);
  if (newest === undefined) return NO_INSTANCES;
  const before = attempts
    .slice(0, -1)
    .reduce((sum, { progress }) => sum + progress.successfulInstanceCount, 0);
  const { progress } = newest;
  const open = newest.status === 'RollingForward';
  if (taken === null) {
    return {
      upgraded: before + progress.successfulInstanceCount,
      restored: 0,
      failed: progress.failedInstanceCount,
      inProgress: open ? progress.inProgressInstanceCount : 0,
      pending: progress.pendingInstanceCount,
    };
  }
  // The attempt's own counts are those of its last batch's begin: the instances know more.
  const of = (outcome: AttemptInstance['outcome']) => taken.filter((one) => one.outcome === outcome).length;
  return {
    upgraded: before + of('upgraded'),
    restored: of('restored'),
    failed: taken.filter((one) => one.outcome !== null && one.outcome !== 'upgraded').length,
    inProgress: open ? of(null) : 0,
    pending: progress.pendingInstanceCount,
  };
}
