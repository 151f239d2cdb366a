import type { AttemptKind, BatchAction } from './attempt-kinds.ts';
import { imageKey, isNewerVersion, sameImageVersion, type ImageVersion } from './image.ts';
import { isRunning, type Instance, type ScaleSet } from './scale-set.ts';
import { lastKnownGood, type EarlierImage } from './way-back.ts';

/** What an attempt wants of an instance: the version to be on at the end, and how it gets there. */
export interface Destination {
  version: ImageVersion;
  action: BatchAction;
}

/** Two destinations with the same key are one. */
export function destinationKey({ version, action }: Destination): string {
  return `${action} ${imageKey(version.image)} ${version.version}`;
}

/** All that the wishes of an attempt follow from. */
export interface Goal {
  kind: AttemptKind;
  /** The version to bring; of a revert the one that is undone. */
  target: ImageVersion;
  /** The version that the set's model asks for in its region; null when the region offers none. */
  modelVersion: ImageVersion | null;
  /** Instances that run a later version of the image keep it (rule B10): of upgrades that nobody asked for by hand. */
  keepsNewer?: boolean | undefined;
  /** Only these instances; all if absent. */
  instanceIds?: readonly string[] | undefined;
  /** Make new OS disks, and do not try the kept ones. */
  reimage?: boolean | undefined;
  /** Instances whose restore failed. */
  quarantined: ReadonlySet<string>;
  /** What instances ran before each change, newest first. */
  earlier: readonly EarlierImage[];
}

/** What of an instance and its set the wishes go by. */
type GoalInstance = Pick<
  Instance,
  | 'instanceId'
  | 'osDisk'
  | 'previousOsDisk'
  | 'latestModelApplied'
  | 'provisioningState'
  | 'protectFromScaleSetActions'
>;
type GoalSet = Pick<ScaleSet, 'imageReference' | 'upgradePolicy'>;

/** What the attempt wants of the instance, or null when it has that already, or is none of its business (rule B10). */
export function destinationOf(goal: Goal, scaleSet: GoalSet, instance: GoalInstance): Destination | null {
  if (goal.instanceIds !== undefined && !goal.instanceIds.includes(instance.instanceId)) return null;
  switch (goal.kind) {
    case 'osUpgrade':
      return hasTarget(goal, instance) ? null : { version: goal.target, action: 'swap' };
    case 'modelUpgrade':
    case 'modelUpdate':
      return towardsModel(goal, scaleSet, instance);
    case 'revert':
      return backwards(goal, instance);
    case 'repair':
      return mended(goal, instance);
  }
}

/** Why an attempt leaves an instance alone that it would else act on. */
export type LeftAlone =
  /** By its owner. */
  | 'protected'
  /** Its restore failed: it is to be repaired first. */
  | 'quarantined'
  /** Left to its owner, who has not brought it to its model (rule C9). */
  | 'behindModel'
  /** Stopped or deallocated (rule B3). */
  | 'stopped';

/**
 * Why an attempt must leave an instance alone, or null (rules B3, C9): always where its owner protects it; other reasons depend
 * on what the attempt is for.
 */
export function whyLeftAlone(
  goal: Goal,
  scaleSet: GoalSet,
  instance: GoalInstance & Pick<Instance, 'powerState'>,
): LeftAlone | null {
  if (instance.protectFromScaleSetActions) return 'protected';
  const stopped = isRunning(instance) ? null : ('stopped' as const);
  if (goal.kind === 'repair') return stopped;
  if (goal.quarantined.has(instance.instanceId)) return 'quarantined';
  // Whoever chose mode Manual brings instances to the model himself, and until then nothing else changes them.
  const bringsModel = goal.kind === 'modelUpdate' || goal.kind === 'modelUpgrade';
  const isBehind = scaleSet.upgradePolicy.mode === 'Manual' && !instance.latestModelApplied;
  return isBehind && !bringsModel ? 'behindModel' : stopped;
}

/** An instance that is not as an attempt wants it. */
export interface Wish {
  instanceId: string;
  /** What it runs now. */
  from: ImageVersion | null;
  destination: Destination;
  /** Why it must be left alone, or null. */
  why: LeftAlone | null;
}

/** Those of a set's instances that are not as an attempt wants them, in their order. */
export function wishesIn(
  goal: Goal,
  scaleSet: GoalSet,
  instances: readonly (GoalInstance & Pick<Instance, 'powerState'>)[],
): Wish[] {
  return instances.flatMap((instance) => {
    const destination = destinationOf(goal, scaleSet, instance);
    if (destination === null) return [];
    const { instanceId, osDisk } = instance;
    const why = whyLeftAlone(goal, scaleSet, instance);
    return [{ instanceId, from: osDisk?.source ?? null, destination, why }];
  });
}

/** Rule B14: behind the model, or failed while it was applied (rule B11). A new disk only where the model's image differs. */
function towardsModel({ modelVersion }: Goal, scaleSet: GoalSet, instance: GoalInstance): Destination | null {
  const { osDisk } = instance;
  if (instance.latestModelApplied && instance.provisioningState !== 'Failed') return null;
  const wanted = scaleSet.imageReference;
  const isOfImage = osDisk !== null && imageKey(osDisk.source.image) === imageKey(wanted.image);
  const isPinned = wanted.version.toLowerCase() !== 'latest';
  const keepsDisk = isOfImage && (!isPinned || modelVersion === null || runs(instance, modelVersion));
  if (keepsDisk) return { version: osDisk.source, action: 'configure' };
  return modelVersion === null ? null : { version: modelVersion, action: 'swap' };
}

function backwards({ earlier, target }: Goal, instance: GoalInstance): Destination | null {
  if (!runs(instance, target)) return null;
  const good = lastKnownGood(earlier, instance.instanceId, target);
  return good === null ? null : { version: good, action: 'swap' };
}

/** A quarantined instance, or one that was named: its kept disk comes back, else it gets a new one of a good version. */
function mended(goal: Goal, instance: GoalInstance): Destination | null {
  const isNamed = goal.instanceIds !== undefined;
  if (!isNamed && !goal.quarantined.has(instance.instanceId)) return null;
  const { osDisk, previousOsDisk } = instance;
  if (previousOsDisk !== null && goal.reimage !== true) {
    return { version: previousOsDisk.source, action: 'restore' };
  }
  const current = osDisk?.source ?? null;
  const good = current && lastKnownGood(goal.earlier, instance.instanceId, current);
  const version = previousOsDisk?.source ?? good ?? current ?? goal.modelVersion;
  return version === null ? null : { version, action: 'swap' };
}

function hasTarget({ target, keepsNewer = false }: Goal, { osDisk }: GoalInstance): boolean {
  if (osDisk === null) return false;
  return sameImageVersion(osDisk.source, target) || (keepsNewer && isNewerVersion(osDisk.source, target));
}

function runs({ osDisk }: Pick<Instance, 'osDisk'>, version: ImageVersion): boolean {
  return osDisk !== null && sameImageVersion(osDisk.source, version);
}
