import type { Instant } from '../domain/clock.ts';
import type { ScaleSet } from '../domain/scale-set.ts';
import type { Rollout, Target } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';
import { wishesOf } from './goal.ts';

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
  const { wishes } = await wishesOf(deps, rollout, scaleSet, at);
  // One that is stopped now may run when its turn comes.
  if (wishes.some(({ why }) => why === null || why === 'stopped')) return { status: 'waiting', reason: null };
  const message = `No instance runs ${rollout.target.version} and has an earlier image on record: it is only held back.`;
  return { status: 'skipped', reason: { code: 'NothingToRevert', message } };
}
