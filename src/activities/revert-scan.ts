import type { Instant } from '../domain/clock.ts';
import { destinationOf, isOutOfBounds } from '../domain/goal.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import type { Rollout, Target } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';
import { goalOf } from './goal.ts';

/**
 * What a revert finds of a set: due at once where an instance can go back. Whether the set takes part in automatic
 * upgrades does not matter: a person has asked for it.
 */
export async function describeRevert(
  deps: ActivityDependencies,
  rollout: Rollout,
  scaleSet: ScaleSet,
  at: Instant,
): Promise<Pick<Target, 'status' | 'reason'>> {
  const goal = await goalOf(deps, rollout, scaleSet, at);
  const instances = await deps.fleet.instances(scaleSet.id, at);
  const goesBack = instances.some(
    (instance) =>
      destinationOf(goal, scaleSet, instance) !== null && !isOutOfBounds(goal, scaleSet, instance),
  );
  if (goesBack) return { status: 'waiting', reason: null };
  const message = `No instance runs ${rollout.target.version} and has an earlier image on record: it is only held back.`;
  return { status: 'skipped', reason: { code: 'NothingToRevert', message } };
}
