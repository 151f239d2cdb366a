import { imageKey, imageLabel, type ImageVersion } from './image.ts';
import type { Extension, ScaleSet } from './scale-set.ts';
import { isSupportedPlatformImage } from './supported-skus.ts';

/** Why a scale set does not get an upgrade, by rule C1 to C7. */
export type EligibilityCode =
  | 'AutomaticOSUpgradeDisabled'
  | 'ImageMismatch'
  | 'ImageVersionNotLatest'
  | 'PlatformImageNotSupported'
  | 'VersionNotOfferedInRegion'
  | 'VersionExcludedFromLatest'
  | 'HealthSourceMissing'
  | 'TwoHealthSources'
  | 'HealthProbeNotFound'
  | 'LoadBalancerNotStandard'
  | 'WindowsUpdateEnabled'
  | 'ModelApiVersionTooOld'
  | 'ServiceFabricNotSupportedYet';

export interface EligibilityReason {
  code: EligibilityCode;
  /** What is the case. */
  message: string;
  /** What to do about it. */
  fix: string;
  /** The rule that it goes by: `C4`. */
  rule: string;
}

/** Something that prevents nothing and that a person should still know. */
export interface EligibilityWarning {
  code: 'HealthProbeIntervalTooLong';
  message: string;
  fix: string;
  rule: string;
}

/** What the fleet knows of a set's load balancer probe. */
export interface ProbeFacts {
  intervalSeconds: number;
  /** `Standard`, `Basic`, ...; case does not matter. */
  loadBalancerSku: string;
}

/** What is true around the set and is not in its model. */
export interface EligibilityFacts {
  /** The set's region offers the target: published, and replicated there if it is a gallery's (rule C3). */
  regionOffersVersion: boolean;
  /** The gallery keeps the target out of `latest` (rule C3). Taken as false if absent. */
  excludedFromLatest?: boolean;
  /** The probe that the model refers to; null if there is no such probe; absent if nobody looked. */
  probe?: ProbeFacts | null;
}

export interface Eligibility {
  eligible: boolean;
  /** Every reason against it, not only the first; empty exactly when eligible. */
  reasons: EligibilityReason[];
  warnings: EligibilityWarning[];
}

export interface EligibilityOptions {
  /** False for a manual start, which needs no opt-in (rules C1, D8). */
  automatic: boolean;
}

/** A probe that asks this seldom (or more seldom) tells too little within the health time-out (rule C4). */
export const SLOW_PROBE_SECONDS = 120;

const OLDEST_MODEL_API_VERSION = '2018-10-01';
const WINDOWS_UPDATE_API_VERSION = '2019-03-01';

/** Whether a scale set may be upgraded to the target, with every reason why not (rules C1 to C4, C6, C7, A6). */
export function eligibility(
  scaleSet: ScaleSet,
  target: ImageVersion,
  facts: EligibilityFacts,
  { automatic }: EligibilityOptions,
): Eligibility {
  const reasons = [
    ...(automatic ? optInReasons(scaleSet) : []),
    ...imageReasons(scaleSet, target),
    ...offerReasons(scaleSet, target, facts),
    ...healthSourceReasons(scaleSet, facts),
    ...modelReasons(scaleSet),
    ...serviceFabricReasons(scaleSet),
  ];
  return { eligible: reasons.length === 0, reasons, warnings: probeWarnings(scaleSet, facts) };
}

/** True for the extension that reports an application's health from inside a VM, for Linux or Windows (rule C4). */
export function isApplicationHealthExtension(extension: Pick<Extension, 'publisher' | 'type'>): boolean {
  return (
    extension.publisher.toLowerCase() === 'microsoft.managedservices' &&
    /^applicationhealth(linux|windows)$/i.test(extension.type)
  );
}

/** True for the extension that makes a VM a Service Fabric node (rule C5). */
export function isServiceFabricExtension(extension: Pick<Extension, 'publisher'>): boolean {
  return extension.publisher.toLowerCase() === 'microsoft.azure.servicefabric';
}

/** Rule C1. */
function optInReasons(scaleSet: ScaleSet): EligibilityReason[] {
  if (scaleSet.upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade) return [];
  return [
    {
      code: 'AutomaticOSUpgradeDisabled',
      message: 'Automatic OS image upgrades are not enabled on the scale set.',
      fix: 'Set upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade to true.',
      rule: 'C1',
    },
  ];
}

/** Rule C2: the model follows `latest` of the very image that is rolled out, and that image is supported. */
function imageReasons(scaleSet: ScaleSet, target: ImageVersion): EligibilityReason[] {
  const { image, version } = scaleSet.imageReference;
  const reasons: EligibilityReason[] = [];
  if (imageKey(image) !== imageKey(target.image)) {
    reasons.push({
      code: 'ImageMismatch',
      message: `The model uses ${imageLabel(image)}; this rollout is of ${imageLabel(target.image)}.`,
      fix: 'Leave it to the rollout of its own image, or change the image reference of the model.',
      rule: 'C2',
    });
  }
  if (version.toLowerCase() !== 'latest') {
    reasons.push({
      code: 'ImageVersionNotLatest',
      message: `The model asks for version ${version} of its image.`,
      fix: 'Set imageReference.version to latest.',
      rule: 'C2',
    });
  }
  if (image.kind === 'platform' && !isSupportedPlatformImage(image)) {
    reasons.push({
      code: 'PlatformImageNotSupported',
      message: `${imageLabel(image)} is not among the platform images with automatic OS image upgrades.`,
      fix: 'Use a supported SKU, or an image from an Azure Compute Gallery.',
      rule: 'A6',
    });
  }
  return reasons;
}

/** Rule C3. */
function offerReasons(
  scaleSet: ScaleSet,
  target: ImageVersion,
  facts: EligibilityFacts,
): EligibilityReason[] {
  const reasons: EligibilityReason[] = [];
  if (!facts.regionOffersVersion) {
    reasons.push({
      code: 'VersionNotOfferedInRegion',
      message: `${scaleSet.region} does not offer version ${target.version} of ${imageLabel(target.image)}.`,
      fix:
        target.image.kind === 'gallery'
          ? 'Add the region to the target regions of the gallery image version and wait for its replication.'
          : 'Wait until the publisher offers the version in the region.',
      rule: 'C3',
    });
  }
  if (facts.excludedFromLatest === true) {
    reasons.push({
      code: 'VersionExcludedFromLatest',
      message: `Version ${target.version} of ${imageLabel(target.image)} is excluded from latest.`,
      fix: 'Set excludeFromLatest of the gallery image version to false.',
      rule: 'C3',
    });
  }
  return reasons;
}

/** Rule C4. Service Fabric judges its own nodes: rule C5. */
function healthSourceReasons(scaleSet: ScaleSet, facts: EligibilityFacts): EligibilityReason[] {
  if (scaleSet.extensions.some(isServiceFabricExtension)) return [];
  const hasExtension = scaleSet.extensions.some(isApplicationHealthExtension);
  const hasProbe = scaleSet.healthProbeId !== null;
  const reasons: EligibilityReason[] = [];
  if (!hasExtension && !hasProbe) {
    reasons.push({
      code: 'HealthSourceMissing',
      message: 'The model has neither a load balancer health probe nor the Application Health extension.',
      fix: 'Set networkProfile.healthProbe.id, or add the Application Health extension.',
      rule: 'C4',
    });
  }
  if (hasExtension && hasProbe) {
    reasons.push({
      code: 'TwoHealthSources',
      message: 'The model has both a load balancer health probe and the Application Health extension.',
      fix: 'Remove one of the two.',
      rule: 'C4',
    });
  }
  return hasProbe ? [...reasons, ...probeReasons(scaleSet, facts.probe)] : reasons;
}

function probeReasons(scaleSet: ScaleSet, probe: ProbeFacts | null | undefined): EligibilityReason[] {
  if (probe === null) {
    return [
      {
        code: 'HealthProbeNotFound',
        message: `There is no health probe ${scaleSet.healthProbeId}.`,
        fix: 'Create the probe on its load balancer, or correct networkProfile.healthProbe.id.',
        rule: 'C4',
      },
    ];
  }
  const isStandard = probe === undefined || probe.loadBalancerSku.toLowerCase() === 'standard';
  if (scaleSet.singlePlacementGroup || isStandard) return [];
  return [
    {
      code: 'LoadBalancerNotStandard',
      message: `The scale set may have several placement groups, and its probe's load balancer is ${probe.loadBalancerSku}.`,
      fix: 'Use a probe of a Standard load balancer.',
      rule: 'C4',
    },
  ];
}

/** Rules C6 and C7: versions of the API are dates, which sort as text; a `-preview` is as old as its date. */
function modelReasons(scaleSet: ScaleSet): EligibilityReason[] {
  const apiVersion = scaleSet.modelApiVersion.slice(0, WINDOWS_UPDATE_API_VERSION.length);
  const reasons: EligibilityReason[] = [];
  // Where the model does not say, Windows Update is on: that is Azure's default.
  const patchesItself = scaleSet.osType === 'Windows' && scaleSet.enableAutomaticUpdates !== false;
  if (patchesItself && apiVersion >= WINDOWS_UPDATE_API_VERSION) {
    reasons.push({
      code: 'WindowsUpdateEnabled',
      message:
        'Windows Update patches the VMs from inside: enableAutomaticUpdates is not false in the model.',
      fix: 'Set osProfile.windowsConfiguration.enableAutomaticUpdates to false.',
      rule: 'C6',
    });
  }
  if (apiVersion < OLDEST_MODEL_API_VERSION) {
    reasons.push({
      code: 'ModelApiVersionTooOld',
      message: `The model was last written with API version ${scaleSet.modelApiVersion}.`,
      fix: `Write the model with API version ${OLDEST_MODEL_API_VERSION} or later.`,
      rule: 'C7',
    });
  }
  return reasons;
}

/** Rule C5 is not built yet, and what cannot be judged is not touched. */
function serviceFabricReasons(scaleSet: ScaleSet): EligibilityReason[] {
  if (!scaleSet.extensions.some(isServiceFabricExtension)) return [];
  return [
    {
      code: 'ServiceFabricNotSupportedYet',
      message: 'The scale set is a Service Fabric node type, which this version does not upgrade.',
      fix: 'Upgrade its image with the tools of Service Fabric for now.',
      rule: 'C5',
    },
  ];
}

/** Rule C4's warning. */
function probeWarnings(scaleSet: ScaleSet, { probe }: EligibilityFacts): EligibilityWarning[] {
  if (scaleSet.healthProbeId === null || !probe || probe.intervalSeconds < SLOW_PROBE_SECONDS) return [];
  return [
    {
      code: 'HealthProbeIntervalTooLong',
      message: `The health probe asks every ${probe.intervalSeconds} s only.`,
      fix: `Configure an interval of less than ${SLOW_PROBE_SECONDS} s.`,
      rule: 'C4',
    },
  ];
}
