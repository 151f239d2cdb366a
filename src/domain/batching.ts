import { ALONE } from './claims.ts';
import type { RollingUpgradePolicy } from './scale-set.ts';

/** What the choice of a batch needs to know of an instance. */
export interface InstanceView {
  instanceId: string;
  /** Null in a set without zones. */
  zone: string | null;
  /** Null in Flexible orchestration, which has none. */
  updateDomain: number | null;
  healthy: boolean;
}

/** Instances that are upgraded together. */
export interface BatchPlan {
  /** The zone that bounds it; null in a set without zones; `*` when it may span zones. */
  zone: string | null;
  updateDomain: number | null;
  instanceIds: string[];
}

export interface NextBatchInput {
  /** Instances that are still to be upgraded: running, not protected, not on the target yet. */
  candidates: readonly InstanceView[];
  /** The zone that the set holds (rule D4); null in a set without zones; `*` (`ALONE`) when it holds all of them. */
  zone: string | null;
  /** The most instances a batch may have: `batchSize` of all current instances. */
  size: number;
  policy: Pick<RollingUpgradePolicy, 'enableCrossZoneUpgrade' | 'prioritizeUnhealthyInstances'>;
  /** The update domain that the last batch was in: it is finished first, even if a lower one has got work since. */
  openUpdateDomain?: number | null;
}

/**
 * How many instances a batch may have (rule B2): the policy's share rounded down, at least one.
 * @param instanceCount all current instances of the set, protected ones too
 */
export function batchSize(
  instanceCount: number,
  policy: Pick<RollingUpgradePolicy, 'maxBatchInstancePercent'>,
): number {
  // Multiplied before it is divided: 0.07 x 100 is 7.000000000000001, whereas 7 x 100 / 100 is exact.
  return Math.max(1, Math.floor((instanceCount * policy.maxBatchInstancePercent) / 100));
}

/**
 * The next batch inside the zone held (rule B3): within one zone (unless the policy lets a batch span zones and all
 * are held) and one update domain, the lowest with work; an update domain is finished before the next. Unhealthy
 * instances come first inside those bounds where the policy says so, otherwise the order is that of the ids.
 * @returns null when no candidate is left in the zone
 */
export function nextBatch(input: NextBatchInput): BatchPlan | null {
  const { policy, size } = input;
  const zone = boundingZone(input);
  if (zone === undefined) return null;
  const inZone = input.candidates.filter((instance) => zone === ALONE || instance.zone === zone);
  const updateDomain = pickUpdateDomain(inZone, input.openUpdateDomain ?? null);
  if (updateDomain === undefined) return null;
  const instanceIds = inZone
    .filter((instance) => instance.updateDomain === updateDomain)
    .toSorted(
      (a, b) =>
        (policy.prioritizeUnhealthyInstances ? Number(a.healthy) - Number(b.healthy) : 0) ||
        compareInstanceIds(a.instanceId, b.instanceId),
    )
    .slice(0, Math.max(1, size))
    .map((instance) => instance.instanceId);
  return { zone, updateDomain, instanceIds };
}

/** Holding all zones is not yet leave to span them: without the policy's word one zone is finished before the next. */
function boundingZone({ candidates, zone, policy }: NextBatchInput): string | null | undefined {
  if (zone !== ALONE || policy.enableCrossZoneUpgrade) return zone;
  return zonesOf(candidates)[0];
}

function pickUpdateDomain(
  instances: readonly InstanceView[],
  open: number | null,
): number | null | undefined {
  const present = instances.map((instance) => instance.updateDomain);
  if (open !== null && present.includes(open)) return open;
  // None (Flexible) counts as the lowest, so that a mixed list still has one order.
  return present.toSorted((a, b) => (a ?? -1) - (b ?? -1))[0];
}

/** The zones that instances are in, in ascending order; null (no zone) first. */
export function zonesOf(instances: readonly Pick<InstanceView, 'zone'>[]): (string | null)[] {
  return [...new Set(instances.map((instance) => instance.zone))].toSorted((a, b) =>
    compareText(a ?? '', b ?? ''),
  );
}

/** Orders instance ids: numbers by value, before other texts, which go by code unit. */
export function compareInstanceIds(a: string, b: string): number {
  const left = numericId(a);
  const right = numericId(b);
  if (left !== null && right !== null) return left - right || compareText(a, b);
  if (left !== null || right !== null) return left !== null ? -1 : 1;
  return compareText(a, b);
}

function numericId(id: string): number | null {
  return /^\d{1,15}$/.test(id) ? Number(id) : null;
}

/** By code unit, not by locale: a workflow's order may not depend on the machine that it runs on. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export interface PlanBatchesInput {
  /** Instances that are to be upgraded. */
  candidates: readonly InstanceView[];
  /** All current instances of the set, which the batch size is a share of (rule B2). */
  instanceCount: number;
  policy: Pick<
    RollingUpgradePolicy,
    'maxBatchInstancePercent' | 'enableCrossZoneUpgrade' | 'prioritizeUnhealthyInstances'
  >;
  /** The order in which the zones come to be held; ascending if not given. */
  zones?: readonly (string | null)[];
  /** The update domain that is finished first in the first zone; the lowest if not given. */
  openUpdateDomain?: number | null;
}

/** All batches of a set, as `nextBatch` would choose them if every instance succeeded (rules B2, B3). */
export function planBatches(input: PlanBatchesInput): BatchPlan[] {
  const { candidates, instanceCount, policy } = input;
  const size = batchSize(instanceCount, policy);
  const batches: BatchPlan[] = [];
  let { openUpdateDomain = null } = input;
  for (const zone of policy.enableCrossZoneUpgrade ? [ALONE] : (input.zones ?? zonesOf(candidates))) {
    let left = candidates.filter((instance) => zone === ALONE || instance.zone === zone);
    for (;;) {
      const batch = nextBatch({ candidates: left, zone, size, policy, openUpdateDomain });
      if (batch === null) break;
      batches.push(batch);
      openUpdateDomain = batch.updateDomain;
      const taken = new Set(batch.instanceIds);
      left = left.filter((instance) => !taken.has(instance.instanceId));
    }
    openUpdateDomain = null;
  }
  return batches;
}

/** How many batches a whole set takes if every instance succeeds (rules B2, B3). */
export function batchCount(input: PlanBatchesInput): number {
  return planBatches(input).length;
}
