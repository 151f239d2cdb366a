import { isoTime, type Instant } from './clock.ts';
import { isServiceFabric } from './extensions.ts';
import { healthSourceReasons, probeWarnings } from './health-source.ts';
import { imageKey, imageLabel, isGalleryImageId, type ImageVersion } from './image.ts';
import type { ScaleSet } from './scale-set.ts';
import { serviceFabricReasons, serviceFabricWarnings } from './service-fabric.ts';
import { isSupportedPlatformImage } from './supported-skus.ts';
import { problemText, type Surroundings } from './surroundings.ts';

/** Why a scale set does not get an upgrade, by rules C1 to C7. */
export type EligibilityCode =
  | 'AutomaticOSUpgradeDisabled'
  | 'ImageMismatch'
  | 'ImageVersionNotLatest'
  | 'PlatformImageNotSupported'
  | 'CustomImageNotFromGallery'
  | 'VersionNotOfferedInRegion'
  | 'VersionExcludedFromLatest'
  | 'VersionHeldBack'
  | 'ScaleSetCancelled'
  | 'HealthSourceMissing'
  | 'TwoHealthSources'
  | 'HealthProbeNotFound'
  | 'LoadBalancerNotStandard'
  | 'WindowsUpdateEnabled'
  | 'ModelApiVersionTooOld'
  | 'ServiceFabricClusterNotFound'
  | 'ServiceFabricNodeTypeNotFound'
  | 'ServiceFabricDurabilityMismatch'
  | 'ServiceFabricDurabilityTooLow'
  | 'ServiceFabricHandlerTooOld'
  | 'ServiceFabricProbeNotSupported'
  | 'ServiceFabricWithoutUpdateDomains';

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
  code:
    | 'HealthProbeIntervalTooLong'
    | 'ExternalResourceUnavailable'
    | 'CredentialExpired'
    | 'CrossZoneUpgradeIgnored';
  message: string;
  fix: string;
  rule: string;
}

/** What is true around the set and is not in its model. */
export interface EligibilityFacts extends Surroundings {
  /** The set's region offers the target: published, and replicated there if it is a gallery's (rule C3). */
  regionOffersVersion: boolean;
  /** The gallery keeps the target out of `latest` (rule C3). */
  excludedFromLatest: boolean;
  /** The target was reverted on the set, by whom and why; null if it was not, or a person has lifted that. */
  heldBack: { who: string; why: string; since: Instant } | null;
  /** A person's cancel of the set that stands; null if there is none, or a person has taken it back. */
  cancelled: { who: string; why: string; at: Instant } | null;
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

const OLDEST_MODEL_API_VERSION = '2018-10-01';
const WINDOWS_UPDATE_API_VERSION = '2019-03-01';

/** Whether a scale set may be upgraded to the target, with every reason why not (rules C1 to C8, A6). */
export function eligibility(
  scaleSet: ScaleSet,
  target: ImageVersion,
  facts: EligibilityFacts,
  { automatic }: EligibilityOptions,
): Eligibility {
  const reasons = [
    ...(automatic ? [...optInReasons(scaleSet), ...personsReasons(scaleSet, target, facts)] : []),
    ...imageReasons(scaleSet, target),
    ...offerReasons(scaleSet, target, facts),
    ...healthSourceReasons(scaleSet, facts),
    ...serviceFabricReasons(scaleSet, facts),
    ...modelReasons(scaleSet),
  ];
  const warnings = [
    ...probeWarnings(scaleSet, facts),
    ...serviceFabricWarnings(scaleSet),
    ...resourceWarnings(scaleSet, facts),
  ];
  return { eligible: reasons.length === 0, reasons, warnings };
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

/** What a person has taken back, or ended, does not come again by itself (ours; rule D6). */
function personsReasons(
  { name }: ScaleSet,
  { version }: ImageVersion,
  { heldBack, cancelled }: EligibilityFacts,
): EligibilityReason[] {
  const reasons: EligibilityReason[] = [];
  if (heldBack !== null) {
    const { who, why, since } = heldBack;
    reasons.push({
      code: 'VersionHeldBack',
      message: `${who} reverted ${version} on the scale set at ${isoTime(since)} (${why}): it is held back.`,
      fix: `Lift that by \`rollouts revert --lift ${name} --why TEXT\`, start it by hand, or roll out a newer version.`,
      rule: 'D6',
    });
  }
  if (cancelled !== null) {
    const { who, why, at } = cancelled;
    reasons.push({
      code: 'ScaleSetCancelled',
      message: `${who} cancelled the scale set at ${isoTime(at)} (${why}), which stands.`,
      fix: `Take that back by \`rollouts resume --scale-set ${name} --why TEXT\`.`,
      rule: 'D6',
    });
  }
  return reasons;
}

/** Rule C2: the model follows `latest` of the very image that is rolled out, and that image is supported (A6) or a gallery's. */
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
  if (image.kind === 'gallery' && !isGalleryImageId(image.id)) {
    reasons.push({
      code: 'CustomImageNotFromGallery',
      message: `The model uses the custom image ${image.id}, which is not from an Azure Compute Gallery.`,
      fix: 'Put the image into a gallery, and name it there in imageReference.id.',
      rule: 'C2',
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
  if (facts.excludedFromLatest) {
    reasons.push({
      code: 'VersionExcludedFromLatest',
      message: `Version ${target.version} of ${imageLabel(target.image)} is excluded from latest.`,
      fix: 'Set excludeFromLatest of the gallery image version to false.',
      rule: 'C3',
    });
  }
  return reasons;
}

/**
 * Rules C6 and C7: versions of the API are dates, which sort as text; a `-preview` is as old as its date. Service Fabric
 * never bears an OS that patches itself, whatever the model was written with.
 */
function modelReasons(scaleSet: ScaleSet): EligibilityReason[] {
  const apiVersion = scaleSet.modelApiVersion.slice(0, WINDOWS_UPDATE_API_VERSION.length);
  const reasons: EligibilityReason[] = [];
  // Where the model does not say, Windows Update is on: that is Azure's default.
  const patchesItself = scaleSet.osType === 'Windows' && scaleSet.enableAutomaticUpdates !== false;
  if (patchesItself && (apiVersion >= WINDOWS_UPDATE_API_VERSION || isServiceFabric(scaleSet))) {
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

/** Rule C8: what would make the extensions of the first batch fail (rule B11). */
function resourceWarnings({ extensions }: ScaleSet, facts: EligibilityFacts): EligibilityWarning[] {
  return facts.unusableResources.map(({ url, ...found }) => {
    const users = extensions
      .filter(({ externalResources }) => externalResources.includes(url))
      .map(({ name }) => `"${name}"`);
    const needs = `${users.length > 1 ? 'Extensions' : 'Extension'} ${users.join(' and ')} ${users.length > 1 ? 'need' : 'needs'} ${url}`;
    const message = `${needs}, ${problemText(found)}.`;
    return found.problem === 'gone'
      ? {
          code: 'ExternalResourceUnavailable',
          message,
          fix: 'Put it back, or name another in the model: without it the first batch fails.',
          rule: 'C8',
        }
      : {
          code: 'CredentialExpired',
          message,
          fix: 'Renew it and update the extension in the model: without it the first batch fails.',
          rule: 'C8',
        };
  });
}
