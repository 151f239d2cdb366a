import { planBatches, type BatchPlan } from '../domain/batching.ts';
import type { Instant } from '../domain/clock.ts';
import { eligibility, type EligibilityWarning } from '../domain/eligibility.ts';
import { isHealthy } from '../domain/health.ts';
import { sameImageVersion, type ImageVersion } from '../domain/image.ts';
import { policyInForce } from '../domain/policy.ts';
import { isRunning, isUntouchable, type Instance, type ScaleSet } from '../domain/scale-set.ts';
import type { ImageOffer } from '../fleet/port.ts';
import type { ClientContext } from './context.ts';
import type { SkippedScaleSet } from './plan-types.ts';
import type { ImageInFleet } from './target.ts';

/** A scale set that a rollout would upgrade. */
export interface SurveyedSet {
  scaleSet: ScaleSet;
  instanceCount: number;
  toUpgrade: number;
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
  at: Instant,
): Promise<Survey> {
  const survey: Survey = { eligible: [], skipped: [] };
  for (const scaleSet of scaleSets) {
    const { reasons, warnings } = judge(scaleSet, target, offers.get(scaleSet.region) ?? [], true);
    const { id, name, region } = scaleSet;
    if (reasons.length > 0) survey.skipped.push({ id, name, region, reasons });
    else survey.eligible.push({ ...(await surveySet(context, scaleSet, target, at)), warnings });
  }
  return survey;
}

/** Eligibility by what a region offers, as the workflows judge it (rules C1 to C7). */
export function judge(
  scaleSet: ScaleSet,
  target: ImageVersion,
  offers: readonly ImageOffer[],
  automatic: boolean,
): ReturnType<typeof eligibility> {
  const offer = offers.find((each) => each.version === target.version);
  const facts = {
    regionOffersVersion: offer !== undefined,
    excludedFromLatest: offer?.excludedFromLatest ?? false,
  };
  return eligibility(scaleSet, target, facts, { automatic });
}

async function surveySet(
  { fleet, ledger }: ClientContext,
  scaleSet: ScaleSet,
  target: ImageVersion,
  at: Instant,
): Promise<Omit<SurveyedSet, 'warnings'>> {
  const instances = await fleet.instances(scaleSet.id, at);
  const candidates = instances
    .filter((instance) => isToUpgrade(scaleSet, instance, target))
    .map(({ instanceId, zone, updateDomain, ...rest }) => ({
      instanceId,
      zone,
      updateDomain,
      healthy: isHealthy({ instanceId, zone, updateDomain, ...rest }),
    }));
  return {
    scaleSet,
    instanceCount: instances.length,
    toUpgrade: candidates.length,
    batches: planBatches({ candidates, instanceCount: instances.length, policy: policyInForce(scaleSet) }),
    everTriggered: await ledger.targets.wasEverTriggered(scaleSet.id),
  };
}

/** Runs, is behind, and may be touched (rules B3, B10, C9). */
function isToUpgrade(scaleSet: ScaleSet, instance: Instance, target: ImageVersion): boolean {
  const isBehind = instance.osDisk === null || !sameImageVersion(instance.osDisk.source, target);
  return isBehind && isRunning(instance) && !isUntouchable(scaleSet, instance);
}
