import type { Instant } from '../domain/clock.ts';
import { isNewerVersion } from '../domain/image.ts';
import { regionScope, rolloutScope, type Scope } from '../domain/scopes.ts';
import type { Rollout } from '../ledger/port.ts';
import type { ActivityDependencies } from './context.ts';
import { unendedRollouts, workflowsIn } from './workflows-in-scope.ts';

type Dependencies = Pick<ActivityDependencies, 'ledger' | 'workflows'>;

/**
 * Ends a rollout, or what it does in some regions, since a newer version has come: sets stop at the end of their batches (rule D7).
 * Doing it again changes nothing.
 */
export async function supersede(
  { ledger, workflows }: Dependencies,
  { rolloutId, by, regions }: { rolloutId: string; by: string; regions: readonly string[] | null },
  who: string,
  at: Instant,
): Promise<void> {
  const scopes: Scope[] = regions?.map((region) => ({ kind: 'region', rolloutId, region })) ?? [
    { kind: 'rollout', rolloutId },
  ];
  for (const scope of scopes) {
    const text = scope.kind === 'region' ? regionScope(rolloutId, scope.region) : rolloutScope(rolloutId);
    const standing = await ledger.orders.inForce([text]);
    if (standing?.state === 'cancelled' || standing?.state === 'superseded') continue;
    await ledger.orders.set({
      scope: text,
      state: 'superseded',
      who,
      why: `Version ${by} takes its place.`,
      at,
    });
    await workflows.wake(await workflowsIn(ledger, scope));
  }
}

/** Has a rollout that was just recorded supersede the older ones of its image, where they are of the same regions. */
export async function supersedeOlder(deps: Dependencies, rollout: Rollout, at: Instant): Promise<void> {
  const mine = rollout.phases.flatMap((phase) => phase.regions);
  for (const { id, kind, action, target, phases } of await unendedRollouts(deps.ledger)) {
    if (kind !== rollout.kind || action !== 'osUpgrade' || !isNewerVersion(rollout.target, target)) continue;
    const shared = phases.flatMap((phase) => phase.regions).filter((region) => mine.includes(region));
    if (kind === 'gallery' && shared.length === 0) continue;
    const change = { rolloutId: id, by: rollout.target.version, regions: kind === 'gallery' ? shared : null };
    await supersede(deps, change, rollout.startedBy, at);
  }
}
