import { eligibilityOf } from '../activities/eligibility.ts';
import { imageLabel, isNewerVersion, sameImageVersion, type ImageVersion } from '../domain/image.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import type { ImageOffer } from '../fleet/port.ts';
import { currentInstant, type ClientContext } from './context.ts';
import { ClientError } from './errors.ts';
import { findScaleSet } from './find.ts';
import { leftAloneNotes, reachOf } from './reach.ts';
import { liftHeld } from './revert/lift.ts';
import type { SettingsOverrides } from './settings.ts';
import { startAttempt, type Initiative } from './start-attempt.ts';
import type { StartedRollout } from './start.ts';
import { chooseVersion, NOTHING_TO_UPGRADE, olderVersionNotes, parseImage } from './target.ts';

export interface StartScaleSetRequest extends Initiative {
  /** ARM id, or a name that only one set has. */
  scaleSet: string;
  /** The model's image if absent. */
  image?: string | undefined;
  /** The newest that the set's region offers if absent. */
  version?: string | undefined;
  settings?: SettingsOverrides | undefined;
}

/**
 * Upgrades one scale set at once, by a person's wish: no phases, no delay, no restore (rule D8). A version that was
 * reverted on the set is held back from it no longer.
 * @throws ClientError `Conflict` while an upgrade of the set runs, whoever began it (rule B12); `NotEligible` with every
 *   reason why the set cannot be upgraded
 * @throws TemporalUnreachableError, and then nothing has been recorded
 */
export async function startScaleSet(
  context: ClientContext,
  request: StartScaleSetRequest,
): Promise<StartedRollout> {
  const scaleSet = await findScaleSet(context, request.scaleSet);
  const { target, warnings: known } = await targetOf(context, scaleSet, request);
  const { who, why, settings } = request;
  const started = await startAttempt(context, { scaleSet, action: 'osUpgrade', target, settings, who, why });
  const lifted = await liftHeld(context, scaleSet.id, {
    by: `${started.rollout.startedBy}, who started it by hand`,
    only: (held) => sameImageVersion(held.version, target),
  });
  const warnings = lifted.map(
    (held) =>
      `${held.who} had reverted ${held.version.version} on this set (${held.why}): it is held back no longer.`,
  );
  return { ...started, warnings: [...started.warnings, ...known, ...warnings] };
}

async function targetOf(
  context: ClientContext,
  scaleSet: ScaleSet,
  request: StartScaleSetRequest,
): Promise<{ target: ImageVersion; warnings: string[] }> {
  const { fleet } = context;
  const at = await currentInstant(context);
  const image = request.image === undefined ? scaleSet.imageReference.image : parseImage(request.image);
  const offers = await fleet.imageOffers(image, scaleSet.region, at);
  const inFleet = {
    image,
    scaleSets: [scaleSet],
    allRegions: [],
    offers: new Map([[scaleSet.region, offers]]),
  };
  const target = chooseVersion(inFleet, request.version);
  const judged = await eligibilityOf(context, scaleSet, target, at, { automatic: false, offers });
  const { reasons, eligible, warnings } = judged;
  if (eligible) {
    const known = warnings.map(({ message, fix }) => `${message} ${fix}`);
    return { target, warnings: [...known, ...(await notesOn(context, scaleSet, target, offers))] };
  }
  const lines = reasons.map(({ message, fix, rule }) => `\n  ${message} ${fix} (rule ${rule})`);
  throw new ClientError(
    'NotEligible',
    `${scaleSet.name} in ${scaleSet.region} can't be upgraded to ${imageLabel(image)} ${target.version}:${lines.join('')}`,
  );
}

/** What no rule is against, and a person may not have meant: an older version, instances that are left alone. */
async function notesOn(
  context: ClientContext,
  scaleSet: ScaleSet,
  target: ImageVersion,
  offers: readonly ImageOffer[],
): Promise<string[]> {
  const reach = await reachOf(context, scaleSet, { action: 'osUpgrade', target, parameters: {} });
  const { instances, acts } = reach;
  const goBack = acts.filter(({ from }) => from !== null && isNewerVersion(from, target)).length;
  return [
    ...(instances.length > 0 && acts.length === 0 ? [NOTHING_TO_UPGRADE] : []),
    ...olderVersionNotes(target, offers),
    ...(goBack === 0
      ? []
      : [`${goBack} of its ${instances.length} VMs run a later version, and go back to ${target.version}.`]),
    ...leftAloneNotes(reach),
  ];
}
