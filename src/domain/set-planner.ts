import { ATTEMPT_KINDS, type AttemptKind } from './attempt-kinds.ts';
import { batchSize, nextBatch, zonesOf, type BatchPlan, type InstanceView } from './batching.ts';
import { ALONE } from './claims.ts';
import type { Instant } from './clock.ts';
import { destinationKey, type Destination, type LeftAlone } from './goal.ts';
import { describeLeftAlone, type LeftAloneInstance } from './left-alone.ts';
import { exceedsPercent, percentOf } from './health.ts';
import { placeKey, type SetCounts } from './operation.ts';
import type { RollingUpgradePolicy } from './scale-set.ts';
import { hasLeftRollout, stopCodes, stopStatus, type StopReason } from './stop-codes.ts';

/**
 * The upgrade of one scale set, decided step by step (rules B1 to B10): what was observed goes in, the next step comes
 * out. Nothing here waits, asks or writes; `src/activities` observes and records, `src/workflows` carries out.
 */

/** An instance, reduced to what the decision needs. */
export interface ObservedInstance extends InstanceView {
  /** What the attempt wants of it; null when it has that already (rule B10). */
  destination: Destination | null;
  /** Why it is not touched all the same, or null. */
  leftAlone: LeftAlone | null;
  /** Its previous OS disk is kept, so that it can be restored. */
  hasPreviousDisk: boolean;
}

/** An instance that this attempt took into a batch: null while it is in progress. */
export interface TakenInstance {
  instanceId: string;
  batch: number;
  outcome: 'upgraded' | 'restored' | 'restoreFailed' | 'left' | null;
  /** Why it failed, and whether that is the model's fault, which ends the attempt (rule B11). */
  error: string | null;
  fatal: boolean;
}

export interface SetObservation {
  now: Instant;
  kind: AttemptKind;
  policy: RollingUpgradePolicy;
  instances: ObservedInstance[];
  taken: TakenInstance[];
  /** The batch that was begun and has not ended. */
  openBatch: { number: number; zone: string | null } | null;
  lastBatch: { number: number; zone: string | null; updateDomain: number | null; endedAt: Instant } | null;
  paused: boolean;
  /** Set while windows and freezes let no batch begin (rule D10): what is waited for, and until when if that is known. */
  closed: { what: string; until: Instant | null } | null;
  /** What the attempt is to end with once failed instances have been restored: recorded before the first of them was (rule B7). */
  breach: StopReason | null;
  /** Failed instances that were left are restored when the policy is broken (rule B7): automatic rollouts that ask for it. */
  rollsBackOnBreach: boolean;
  /** Set when the attempt must end at this batch boundary: cancelled, opted out, superseded. */
  stop: StopReason | null;
  /** True when the set's update domains take turns whatever is done to it: Service Fabric (rule C5). */
  updateDomainsTakeTurns: boolean;
  /** True when zones of the region take turns (rule D4): automatic rollouts. */
  zonesTakeTurns: boolean;
  /** The zone claim that is held. */
  zoneHeld: string | null;
}

export type SetStep =
  | { kind: 'resumeBatch'; number: number }
  | ({ kind: 'batch'; number: number; destination: Destination } & BatchPlan)
  /** The policy is broken, and failed instances are to be restored: record why, and decide again (rule B7). */
  | { kind: 'breach'; reason: StopReason }
  /** Instances of one place that failed and were left are to be restored now, before the attempt ends (rule B7). */
  | { kind: 'rollBack'; instanceIds: string[] }
  | { kind: 'claimZone'; accepts: string[] }
  | { kind: 'wait'; for: 'resume' }
  | { kind: 'wait'; for: 'window'; what: string; until: Instant | null }
  | { kind: 'wait'; for: 'pauseTimeBetweenBatches'; until: Instant }
  | {
      kind: 'finish';
      status: 'Completed' | 'Faulted' | 'Cancelled';
      reason: StopReason | null;
    };

/** The next step of an attempt. */
export function nextSetStep(seen: SetObservation): SetStep {
  if (seen.openBatch !== null) return resumeOrZone(seen, seen.openBatch);
  const remaining = remainingInstances(seen);
  const fault = modelFault(seen);
  if (fault) return fault;
  // While nothing is begun, what passes meanwhile (maintenance, say) need not end it.
  const isHeld = seen.paused || (seen.closed !== null && remaining.length > 0);
  const breach = seen.breach ?? (isHeld && !seen.stop ? null : thresholdAfterBatch(seen));
  if (breach) return endBy(breach, seen);
  // Before any order to stop: what is done is done.
  if ((remaining.length === 0 && !isStoppedUndone(seen)) || hasLostDomain(seen)) return allDone(seen);
  if (seen.stop) return { kind: 'finish', status: stopStatus(seen.stop), reason: seen.stop };
  if (seen.paused) return { kind: 'wait', for: 'resume' };
  if (seen.closed) return { kind: 'wait', for: 'window', ...seen.closed };
  const resumeAt = seen.lastBatch ? seen.lastBatch.endedAt + seen.policy.pauseTimeBetweenBatches : seen.now;
  if (resumeAt > seen.now) return { kind: 'wait', for: 'pauseTimeBetweenBatches', until: resumeAt };
  const plan = goesInParts(seen) ? batchOrZone(seen, remaining) : allAtOnce(remaining);
  if ('kind' in plan) return plan;
  return wholeSetUnhealthy(seen) ?? batchOf(seen, remaining, plan);
}

/** What is half done is finished first. One that was given up has left its zone, and waits for its turn there (rule D4). */
function resumeOrZone(seen: SetObservation, open: NonNullable<SetObservation['openBatch']>): SetStep {
  const spanning = seen.policy.enableCrossZoneUpgrade && seen.instances.some((one) => one.zone !== null);
  const needed = spanning ? ALONE : open.zone;
  const isHeld = needed === null || !seen.zonesTakeTurns || seen.zoneHeld === needed;
  return isHeld ? { kind: 'resumeBatch', number: open.number } : { kind: 'claimZone', accepts: [needed] };
}

function goesInParts({ kind, updateDomainsTakeTurns }: SetObservation): boolean {
  return ATTEMPT_KINDS[kind].rolls || updateDomainsTakeTurns;
}

/** Where no batch size bounds what is changed at once, an update domain that got ill must be the only one (rule C5). */
function hasLostDomain({ kind, updateDomainsTakeTurns, taken }: SetObservation): boolean {
  const bySize = ATTEMPT_KINDS[kind].rolls;
  return !bySize && updateDomainsTakeTurns && taken.some(({ outcome }) => outcome !== 'upgraded');
}

/** What is still to be upgraded: running, off the target, allowed to be touched, and not yet taken by this attempt. */
export function remainingInstances(seen: Pick<SetObservation, 'instances' | 'taken'>): ObservedInstance[] {
  const taken = new Set(seen.taken.map((instance) => instance.instanceId));
  return seen.instances.filter(
    (instance) =>
      !taken.has(instance.instanceId) && instance.destination !== null && instance.leftAlone === null,
  );
}

/** What would be upgraded, and must not be touched. */
function leftAlone({ instances, taken }: Pick<SetObservation, 'instances' | 'taken'>): LeftAloneInstance[] {
  const done = new Set(taken.map((instance) => instance.instanceId));
  return instances.flatMap(({ instanceId, destination, leftAlone: why }) =>
    done.has(instanceId) || destination === null || why === null ? [] : [{ instanceId, why }],
  );
}

/**
 * Told to stop before it could touch anything: opted out of while all instances were left to their owner, say (rule C1). Or in
 * the middle, by a change of the model that in upgrade mode Manual leaves the rest to their owner as well (rule C9).
 */
function isStoppedUndone(seen: SetObservation): boolean {
  const { stop, taken } = seen;
  return stop !== null && (taken.length === 0 || hasLeftRollout(stop)) && leftAlone(seen).length > 0;
}

/** Where no threshold watches, every failure counts: an update to the model or a repair that helped only some has failed. */
function allDone(seen: SetObservation): SetStep {
  const failed = seen.taken.filter((taken) => taken.outcome !== 'upgraded');
  const [first] = failed;
  if (ATTEMPT_KINDS[seen.kind].isGuarded || first === undefined) {
    return {
      kind: 'finish',
      status: 'Completed',
      reason: describeLeftAlone(leftAlone(seen), seen.instances.length),
    };
  }
  const message = `${failed.length} of ${seen.taken.length} instances are not healthy. First: ${first.instanceId} (${inSentence(first.error ?? first.outcome)}).`;
  return { kind: 'finish', status: 'Faulted', reason: { code: stopCodes.notHealthy, message } };
}

/** Rule B11: what failed for a fault of the model would fail on every instance. */
function modelFault(seen: SetObservation): SetStep | null {
  const fatal = seen.taken.find((instance) => instance.fatal);
  if (!fatal) return null;
  const message = `Instance ${fatal.instanceId}: ${fatal.error} Then apply the model to all instances; the set is eligible again after that.`;
  return { kind: 'finish', status: 'Faulted', reason: { code: stopCodes.extensionResource, message } };
}

/**
 * Rule B7, where the policy asks for it: what failed and was left is restored before the attempt ends; one place after the
 * other, and no more at a time than a batch may have, since one that has recovered meanwhile is taken out of service again.
 */
function endBy(reason: StopReason, seen: SetObservation): SetStep {
  const left = new Set(seen.taken.filter((one) => one.outcome === 'left').map((one) => one.instanceId));
  const restorable = seen.instances.filter((one) => one.hasPreviousDisk && left.has(one.instanceId));
  if (!seen.rollsBackOnBreach || restorable.length === 0)
    return { kind: 'finish', status: 'Faulted', reason };
  if (!seen.breach) return { kind: 'breach', reason };
  const plan = batchOrZone(seen, restorable);
  return 'kind' in plan ? plan : { kind: 'rollBack', instanceIds: plan.instanceIds };
}

/** Rule B7: of the instances upgraded so far, how many are unhealthy. A deleted one leaves the sum. */
function thresholdAfterBatch(seen: SetObservation): StopReason | null {
  if (!ATTEMPT_KINDS[seen.kind].isGuarded) return null;
  const { upgraded, bad } = upgradedSoFar(seen);
  const limit = seen.policy.maxUnhealthyUpgradedInstancePercent;
  if (!exceedsPercent(bad.length, upgraded.length, limit)) return null;
  const message =
    `${percentOf(bad.length, upgraded.length)}% of the instances upgraded so far (${bad.length} of ${upgraded.length}) are unhealthy, ` +
    `more than the limit of ${limit}%. First failed instance: ${bad[0]?.instanceId}${bad[0]?.error ? ` (${inSentence(bad[0].error)})` : ''}.`;
  return { code: stopCodes.upgradedUnhealthy, message };
}

/** An error's text, which is a sentence, inside of another one. */
function inSentence(text: string | null): string {
  return text?.replace(/\.$/, '') ?? '';
}

function upgradedSoFar({ instances, taken }: Pick<SetObservation, 'instances' | 'taken'>) {
  const current = new Map(instances.map((instance) => [instance.instanceId, instance]));
  const upgraded = taken.filter((instance) => instance.outcome !== null && current.has(instance.instanceId));
  const bad = upgraded.filter((i) => i.outcome !== 'upgraded' || !current.get(i.instanceId)?.healthy);
  return { upgraded, bad };
}

/** Rules B1 and B8: the whole set's health, before the first and before every batch. */
function wholeSetUnhealthy(seen: SetObservation): SetStep | null {
  if (!ATTEMPT_KINDS[seen.kind].isGuarded) return null;
  const { instances: total, unhealthy: bad } = countsOf(seen);
  const limit = seen.policy.maxUnhealthyInstancePercent;
  if (!exceedsPercent(bad, total, limit)) return null;
  const code = seen.lastBatch === null ? stopCodes.beforeUpgrade : stopCodes.inUpgrade;
  const message = `${percentOf(bad, total)}% of the scale set's instances (${bad} of ${total}) are unhealthy, more than the limit of ${limit}%.`;
  return { kind: 'finish', status: 'Faulted', reason: { code, message } };
}

/** Rules B2, B3 and D4: of what is to be done the next batch, or the zone that must be claimed for it first. */
function batchOrZone(
  seen: SetObservation,
  candidates: readonly ObservedInstance[],
): BatchPlan | Extract<SetStep, { kind: 'claimZone' }> {
  const zones = unfinishedOr(zonesOf(candidates), seen.lastBatch?.zone ?? null);
  const spanning = seen.policy.enableCrossZoneUpgrade && zones.some((zone) => zone !== null);
  const wanted = spanning ? [ALONE] : zones;
  let zone = wanted[0] ?? null;
  if (zone !== null && seen.zonesTakeTurns) {
    const held = wanted.find((candidate) => candidate === seen.zoneHeld);
    if (held === undefined) return { kind: 'claimZone', accepts: wanted.filter((z) => z !== null) };
    zone = held;
  }
  const batch = nextBatch({
    candidates,
    zone,
    size: ATTEMPT_KINDS[seen.kind].rolls ? batchSize(seen.instances.length, seen.policy) : candidates.length,
    policy: seen.policy,
    openUpdateDomain: seen.lastBatch?.zone === zone ? seen.lastBatch.updateDomain : null,
  });
  if (batch === null)
    throw new RangeError(`No batch was found in zone ${zone}, though instances are left there.`);
  return batch;
}

function allAtOnce(remaining: readonly ObservedInstance[]): BatchPlan {
  return { zone: null, updateDomain: null, instanceIds: remaining.map((instance) => instance.instanceId) };
}

/** A batch does one thing: of instances that want different ones, those that want what its first one wants. */
function batchOf(seen: SetObservation, remaining: readonly ObservedInstance[], plan: BatchPlan): SetStep {
  const wanted = new Map(remaining.map((one) => [one.instanceId, one.destination as Destination]));
  const destination = wanted.get(plan.instanceIds[0] as string) as Destination;
  const alike = (id: string) => destinationKey(wanted.get(id) as Destination) === destinationKey(destination);
  return {
    kind: 'batch',
    number: (seen.lastBatch?.number ?? 0) + 1,
    destination,
    ...plan,
    instanceIds: plan.instanceIds.filter(alike),
  };
}

/**
 * A zone is finished before the next, also when it was given up for a pause and another one is open (rule B3). VMs that are
 * in no zone, and so in nobody's way, still come first.
 */
function unfinishedOr(zones: (string | null)[], last: string | null): (string | null)[] {
  return last !== null && zones.includes(last)
    ? zones.filter((zone) => zone === last || zone === null)
    : zones;
}

/** Azure's progress counts: they add up to the instances that the attempt is about, deleted ones not among them. */
export function progressOf(seen: Pick<SetObservation, 'instances' | 'taken'>) {
  const existing = new Set(seen.instances.map((instance) => instance.instanceId));
  const taken = seen.taken.filter((instance) => existing.has(instance.instanceId));
  return {
    successfulInstanceCount: taken.filter((instance) => instance.outcome === 'upgraded').length,
    failedInstanceCount: taken.filter((i) => i.outcome !== null && i.outcome !== 'upgraded').length,
    inProgressInstanceCount: taken.filter((instance) => instance.outcome === null).length,
    pendingInstanceCount: remainingInstances(seen).length,
  };
}

/** The counts that batches are decided by, for the journal (rule E4). */
export function countsOf(seen: Pick<SetObservation, 'instances' | 'taken'>): SetCounts {
  const { upgraded, bad } = upgradedSoFar(seen);
  const pending: Record<string, number> = {};
  for (const instance of remainingInstances(seen)) {
    const place = placeKey(instance);
    pending[place] = (pending[place] ?? 0) + 1;
  }
  return {
    instances: seen.instances.length,
    unhealthy: seen.instances.filter((instance) => !instance.healthy).length,
    upgraded: upgraded.length,
    upgradedUnhealthy: bad.length,
    pending,
  };
}
