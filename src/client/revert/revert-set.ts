import { imageKey, imageLabel, type ImageVersion } from '../../domain/image.ts';
import { sameImageVersion } from '../../domain/image.ts';
import type { Instance, ScaleSet } from '../../domain/scale-set.ts';
import { currentInstant, type ClientContext } from '../context.ts';
import { ClientError, UsageError } from '../errors.ts';
import { startAttempt } from '../start-attempt.ts';
import type { StartedRollout } from '../start.ts';
import { planRevert, type RevertPlan } from './plan.ts';
import type { RevertRequest } from './revert.ts';

/** What a revert of one set would do. @throws UsageError when no version can be undone there */
export async function planSetRevert(
  context: ClientContext,
  scaleSet: ScaleSet,
  { version, policy }: Pick<RevertRequest, 'version' | 'policy'>,
): Promise<RevertPlan> {
  const undone = await versionToUndo(context, scaleSet, version);
  return planRevert(context, [scaleSet], undone, policy);
}

/** Starts the revert of one set that was planned. @throws ClientError `NotEligible` when no instance can go back */
export async function startSetRevert(
  context: ClientContext,
  scaleSet: ScaleSet,
  plan: RevertPlan,
  { policy, settings, who, why }: RevertRequest,
): Promise<StartedRollout> {
  requireWay(plan);
  return startAttempt(context, {
    scaleSet,
    action: 'revert',
    target: plan.undone,
    parameters: policy === undefined ? {} : { policy },
    settings,
    who,
    why,
  });
}

/** @throws ClientError `NotEligible` when no instance can go back */
export function requireWay({ image, version, instances, left }: RevertPlan): void {
  if (instances > 0) return;
  const why =
    left === 0
      ? 'No instance runs it that may be touched.'
      : `Of ${left} instances that run it no earlier image is on record: no rollout of this system brought it to them.`;
  throw new ClientError('NotEligible', `Nothing can go back from ${image} ${version}. ${why}`);
}

/** The version that was asked for, or that the newest OS upgrade of which any instance runs brought. */
async function versionToUndo(
  context: ClientContext,
  scaleSet: ScaleSet,
  wanted: string | undefined,
): Promise<ImageVersion> {
  const { fleet, ledger } = context;
  const instances = await fleet.instances(scaleSet.id, await currentInstant(context));
  if (wanted !== undefined) return runningVersion(scaleSet, instances, wanted);
  const upgrades = await ledger.attempts.listOf({ scaleSetId: scaleSet.id, kinds: ['osUpgrade'] });
  const newest = upgrades.find(({ target }) => instances.some((instance) => runs(instance, target)));
  if (newest !== undefined) return newest.target;
  throw new UsageError(
    `No instance of ${scaleSet.name} runs a version that an OS upgrade brought: there is nothing to revert. ` +
      `Give --version to undo another one. It runs ${versionsOf(instances)}.`,
  );
}

function runningVersion(scaleSet: ScaleSet, instances: readonly Instance[], wanted: string): ImageVersion {
  const { image } = scaleSet.imageReference;
  const sources = instances.flatMap(({ osDisk }) => (osDisk === null ? [] : [osDisk.source]));
  const found = sources.filter((source) => sameImageVersion({ ...source, version: wanted }, source));
  const own = found.find((source) => imageKey(source.image) === imageKey(image));
  const undone = own ?? found[0];
  if (undone !== undefined) return undone;
  throw new UsageError(
    `No instance of ${scaleSet.name} runs version ${wanted} of ${imageLabel(image)}. It runs ${versionsOf(instances)}.`,
  );
}

function versionsOf(instances: readonly Instance[]): string {
  const versions = new Set(instances.flatMap(({ osDisk }) => osDisk?.source.version ?? []));
  return [...versions].toSorted().join(', ') || 'nothing: it has no instances';
}

function runs({ osDisk }: Instance, version: ImageVersion): boolean {
  return osDisk !== null && sameImageVersion(osDisk.source, version);
}
