import type { Instant } from '../domain/clock.ts';
import { wishesIn, type Goal, type Wish } from '../domain/goal.ts';
import type { ImageVersion } from '../domain/image.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import type { Attempt, Rollout } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';

/** What a rollout wants of the instances of a set, with what that follows from. */
export async function goalOf(
  { fleet, ledger }: Pick<ActivityDependencies, 'fleet' | 'ledger'>,
  rollout: Pick<Rollout, 'kind' | 'action' | 'target' | 'parameters'>,
  scaleSet: ScaleSet,
  at: Instant,
): Promise<Goal> {
  const { kind, action, target, parameters } = rollout;
  const looksAtModel = action === 'modelUpgrade' || action === 'modelUpdate' || action === 'repair';
  const looksBack = action === 'revert' || action === 'repair';
  const [quarantined, modelVersion, earlier] = await Promise.all([
    ledger.quarantine.list({ scaleSetId: scaleSet.id }),
    looksAtModel ? modelVersionOf(fleet, scaleSet, at) : null,
    looksBack ? ledger.attempts.earlierImages(scaleSet.id) : [],
  ]);
  return {
    kind: action,
    target,
    modelVersion,
    keepsNewer: kind !== 'manual',
    instanceIds: parameters.instanceIds,
    reimage: parameters.reimage,
    quarantined: new Set(quarantined.map((one) => one.instanceId)),
    earlier,
  };
}

/** The instances of a set that are not as a rollout wants them, of how many. */
export async function wishesOf(
  deps: Pick<ActivityDependencies, 'fleet' | 'ledger'>,
  rollout: Pick<Rollout, 'kind' | 'action' | 'target' | 'parameters'>,
  scaleSet: ScaleSet,
  at: Instant,
): Promise<{ wishes: Wish[]; of: number }> {
  const [goal, instances] = await Promise.all([
    goalOf(deps, rollout, scaleSet, at),
    deps.fleet.instances(scaleSet.id, at),
  ]);
  return { wishes: wishesIn(goal, scaleSet, instances), of: instances.length };
}

/** The version that a set's model asks for: the one that it names, or the newest that its region offers as `latest`. */
export async function modelVersionOf(
  fleet: Pick<ActivityDependencies['fleet'], 'imageOffers'>,
  { imageReference, region }: ScaleSet,
  at: Instant,
): Promise<ImageVersion | null> {
  const { image, version } = imageReference;
  if (version.toLowerCase() !== 'latest') return { image, version };
  const offers = await fleet.imageOffers(image, region, at);
  const newest = offers.find((offer) => !offer.excludedFromLatest);
  return newest ? { image, version: newest.version } : null;
}

/** Rule B7: only automatic upgrades roll back, and only where the policy asks for it. */
export function rollsBackOnBreach({ kind, startedBy, policy }: Attempt): boolean {
  return kind === 'osUpgrade' && startedBy === 'Platform' && policy.rollbackFailedInstancesOnPolicyBreach;
}
