import { eligibilityOf } from '../activities/eligibility.ts';
import { planBatches, type BatchPlan } from '../domain/batching.ts';
import type { Duration, Instant } from '../domain/clock.ts';
import type { EligibilityWarning } from '../domain/eligibility.ts';
import { isSteadilyHealthy } from '../domain/health.ts';
import { sameImageVersion, type ImageVersion } from '../domain/image.ts';
import { policyInForce } from '../domain/policy.ts';
import { isRunning, isUntouchable, type Instance, type ScaleSet } from '../domain/scale-set.ts';
import type { ClientContext } from './context.ts';
import type { SkippedScaleSet } from './plan-types.ts';
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
        ...(await surveySet(context, scaleSet, target, healthyReadings, at)),
        warnings,
      });
  }
  return survey;
}

async function surveySet(
  { fleet, ledger }: ClientContext,
  scaleSet: ScaleSet,
  target: ImageVersion,
  healthyReadings: number,
  at: Instant,
): Promise<Omit<SurveyedSet, 'warnings'>> {
  const instances = await fleet.instances(scaleSet.id, at);
  const candidates = instances
    .filter((instance) => isToUpgrade(scaleSet, instance, target))
    .map((instance) => ({
      instanceId: instance.instanceId,
      zone: instance.zone,
      updateDomain: instance.updateDomain,
      healthy: isSteadilyHealthy(instance, healthyReadings),
    }));
  return {
    scaleSet,
    instanceCount: instances.length,
    toUpgrade: candidates.length,
    readingInterval: instances[0]?.readingInterval ?? 0,
    batches: planBatches({ candidates, instanceCount: instances.length, policy: policyInForce(scaleSet) }),
    everTriggered: await ledger.targets.wasEverTriggered(scaleSet.id),
  };
}

/** Runs, is behind, and may be touched (rules B3, B10, C9). */
function isToUpgrade(scaleSet: ScaleSet, instance: Instance, target: ImageVersion): boolean {
  const isBehind = instance.osDisk === null || !sameImageVersion(instance.osDisk.source, target);
  return isBehind && isRunning(instance) && !isUntouchable(scaleSet, instance);
}
