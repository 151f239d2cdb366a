import { eligibilityOf } from '../activities/eligibility.ts';
import { planBatches, type BatchPlan } from '../domain/batching.ts';
import type { Duration, Instant } from '../domain/clock.ts';
import type { EligibilityWarning } from '../domain/eligibility.ts';
import type { ImageVersion } from '../domain/image.ts';
import { observedInstance } from '../domain/observed-instance.ts';
import { policyInForce } from '../domain/policy.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import type { ClientContext } from './context.ts';
import type { SkippedScaleSet } from './plan-types.ts';
import { leftAloneNotes, reachOf } from './reach.ts';
import { orderNotes } from './standing-orders.ts';
import { stopsAtOnce } from '../domain/stops-at-once.ts';
import type { ImageInFleet } from './target.ts';

/** A scale set that a rollout would upgrade. */
export interface SurveyedSet {
  scaleSet: ScaleSet;
  instanceCount: number;
  toUpgrade: number;
  /** Between two readings of its instances' health signal; 0 where there is none. */
  readingInterval: Duration;
  batches: BatchPlan[];
  everTriggered: boolean;
  warnings: EligibilityWarning[];
  /** Instances that are left alone, and why; what would hold its upgrade up, or end it at once. */
  notes: string[];
}

export interface Survey {
  eligible: SurveyedSet[];
  skipped: SkippedScaleSet[];
}

/** Reads what a rollout of the target would find in the fleet: who is eligible, with its batches, and who is not. */
export async function surveyFleet(
  context: ClientContext,
  { scaleSets, offers }: ImageInFleet,
  target: ImageVersion,
  healthyReadings: number,
  at: Instant,
): Promise<Survey> {
  const survey: Survey = { eligible: [], skipped: [] };
  for (const scaleSet of scaleSets) {
    const { reasons, warnings } = await eligibilityOf(context, scaleSet, target, at, {
      automatic: true,
      offers: offers.get(scaleSet.region) ?? [],
    });
    const { id, name, region } = scaleSet;
    if (reasons.length > 0) survey.skipped.push({ id, name, region, reasons });
    else
      survey.eligible.push({
        ...(await surveySet(context, scaleSet, target, healthyReadings)),
        warnings,
      });
  }
  return survey;
}

async function surveySet(
  context: ClientContext,
  scaleSet: ScaleSet,
  target: ImageVersion,
  healthyReadings: number,
): Promise<Omit<SurveyedSet, 'warnings'>> {
  const rollout = { kind: target.image.kind, action: 'osUpgrade' as const, target, parameters: {} };
  const reach = await reachOf(context, scaleSet, rollout);
  const { instances, goal, acts } = reach;
  const seen = instances.map((one) => observedInstance(goal, scaleSet, one, healthyReadings));
  const acted = new Set(acts.map((one) => one.instanceId));
  const candidates = seen.filter((one) => acted.has(one.instanceId));
  const stop = stopsAtOnce(scaleSet, seen, reach.at);
  const obstacles = [
    ...(await orderNotes(context, scaleSet)),
    ...(stop === null ? [] : [`Begun now, it would stop before its first batch: ${stop.message}`]),
  ];
  return {
    scaleSet,
    instanceCount: instances.length,
    toUpgrade: candidates.length,
    readingInterval: instances[0]?.readingInterval ?? 0,
    batches: planBatches({ candidates, instanceCount: instances.length, policy: policyInForce(scaleSet) }),
    everTriggered: await context.ledger.targets.wasEverTriggered(scaleSet.id),
    // Where there is nothing to do, nothing stands in the way of it.
    notes: [...leftAloneNotes(reach), ...(candidates.length > 0 ? obstacles : [])],
  };
}
