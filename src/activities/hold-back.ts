import type { Instant } from '../domain/clock.ts';
import type { Rollout } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';

/** The version that a revert undoes is held back from a set: else the next look at the fleet would roll it out again. */
export async function holdBack(
  { ledger }: Pick<ActivityDependencies, 'ledger'>,
  { target, startedBy, why }: Rollout,
  scaleSetId: string,
  at: Instant,
): Promise<void> {
  const reverted = { who: startedBy, why: why ?? 'It was reverted.' };
  await ledger.heldVersions.hold({ scaleSetId, version: target, ...reverted, since: at });
}

/** The same for all sets of a revert over regions, also for those that the version has not come to yet. */
export async function holdBackEverywhere(
  deps: Pick<ActivityDependencies, 'fleet' | 'ledger'>,
  rollout: Rollout,
  at: Instant,
): Promise<void> {
  const regions = new Set(rollout.phases.flatMap((phase) => phase.regions));
  for (const { id, region } of await deps.fleet.scaleSets({ image: rollout.target.image })) {
    if (regions.has(region)) await holdBack(deps, rollout, id, at);
  }
}
