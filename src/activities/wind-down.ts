import type { Attempt } from '../ledger/port.ts';
import { phaseRolloutId, regionRolloutId } from '../workflows/ids.ts';
import type { ActivityDependencies } from './context.ts';

/** `leftToRegion`: its region's workflow runs, and starts the set's again. `ended`: there is nothing to wind down. */
export type WindDown = 'started' | 'leftToRegion' | 'ended';

/**
 * Has the half-done instances of a terminated attempt finished or restored, and the attempt closed. Not where its region's
 * workflow runs, which starts it again and has it go on. Call it once the attempt's workflow was seen closed: it may have
 * ended well, which it writes down before it closes.
 */
export async function windDownAttempt(
  deps: Pick<ActivityDependencies, 'fleet' | 'ledger' | 'workflows'>,
  attempt: Attempt,
): Promise<WindDown> {
  const [rollout, now, target] = await Promise.all([
    deps.ledger.rollouts.get(attempt.rolloutId),
    deps.ledger.attempts.get(attempt.id),
    deps.ledger.targets.get(attempt.rolloutId, attempt.scaleSetId),
  ]);
  if (!rollout || now?.status !== 'RollingForward') return 'ended';
  if (target?.status === 'upgrading') {
    const phaseId = phaseRolloutId(rollout.id, target.phase, target.round);
    if (await deps.workflows.isOpen(regionRolloutId(phaseId, target.region))) return 'leftToRegion';
  }
  await deps.workflows.windDown({
    v: 1,
    rolloutId: rollout.id,
    scaleSetId: attempt.scaleSetId,
    clock: await deps.fleet.clock(),
    target: attempt.target,
    phase: null,
    // The attempt's: a set that was deleted, or can't be read, has an attempt to end as well, which may hold a zone.
    region: attempt.region,
    settings: rollout.settings,
    windDown: true,
  });
  return 'started';
}
