import { imageKey, sameImageVersion, type ImageVersion } from '../domain/image.ts';
import { scaleSetKey } from '../domain/scale-set.ts';
import type { Scope } from '../domain/scopes.ts';
import type { Ledger, PhaseRecord, Rollout } from '../ledger/port.ts';
import { phaseRolloutId, regionRolloutId, workflowIdOf } from '../workflows/ids.ts';

/** Rollouts that have not ended. */
export async function unendedRollouts(ledger: Pick<Ledger, 'rollouts'>): Promise<Rollout[]> {
  const [running, halted] = await Promise.all([
    ledger.rollouts.list({ status: 'Running' }),
    ledger.rollouts.list({ status: 'Halted' }),
  ]);
  return [...running, ...halted];
}

/** Rollouts over the fleet that have brought a version to their end, the newest first. */
export async function completedUpgradesTo(
  ledger: Pick<Ledger, 'rollouts'>,
  version: ImageVersion,
): Promise<Rollout[]> {
  const completed = await ledger.rollouts.list({ imageKey: imageKey(version.image), status: 'Completed' });
  return completed.filter((one) => isFleetUpgrade(one) && sameImageVersion(one.target, version));
}

/** A rollout that brings a version over the fleet: no person's start on one set, and no revert. */
export function isFleetUpgrade({ kind, action }: Rollout): boolean {
  return kind !== 'manual' && action === 'osUpgrade';
}

type Sources = Pick<Ledger, 'rollouts' | 'phases' | 'targets' | 'attempts'>;

/** Every workflow that may act in a scope now, by what the ledger says. Some may have closed in the meantime. */
export async function workflowsIn(ledger: Sources, scope: Scope): Promise<string[]> {
  if (scope.kind === 'scaleSet') {
    const attempt = await ledger.attempts.openOf(scope.scaleSetId);
    return attempt === null ? [] : [attempt.workflowId];
  }
  const rollouts =
    scope.kind === 'all' ? await unendedRollouts(ledger) : [await ledger.rollouts.get(scope.rolloutId)];
  const found = rollouts.filter((rollout) => rollout !== null);
  return (await Promise.all(found.map((rollout) => workflowsOf(ledger, rollout, scope)))).flat();
}

async function workflowsOf(ledger: Sources, rollout: Rollout, scope: Scope): Promise<string[]> {
  const records = currentRounds(await ledger.phases.list(rollout.id));
  const levels = records.flatMap((record) => {
    const phaseId = phaseRolloutId(rollout.id, record.phase, record.round);
    const regions = rollout.phases[record.phase - 1]?.regions ?? [];
    if (scope.kind === 'phase' && scope.phase !== record.phase) return [];
    const concerned = scope.kind === 'region' ? regions.filter((region) => region === scope.region) : regions;
    const ids = concerned.map((region) => regionRolloutId(phaseId, region));
    return scope.kind === 'region' && ids.length === 0 ? [] : [phaseId, ...ids];
  });
  const attempts = await ledger.attempts.listOpen({ rolloutId: rollout.id });
  const inScope = await scaleSetsIn(ledger, rollout, scope);
  const sets = attempts.filter(({ scaleSetId }) => inScope?.has(scaleSetKey(scaleSetId)) ?? true);
  const root = scope.kind === 'all' || scope.kind === 'rollout' ? [workflowIdOf(rollout)] : [];
  return [...root, ...levels, ...sets.map((attempt) => attempt.workflowId)];
}

/** Of each phase that is under way, its last round. */
export function currentRounds(records: readonly PhaseRecord[]): PhaseRecord[] {
  return records.filter(
    (record) =>
      record.judgedAt === null &&
      !records.some((other) => other.phase === record.phase && other.round > record.round),
  );
}

/** Null where the scope has them all. */
async function scaleSetsIn(
  ledger: Sources,
  rollout: Rollout,
  scope: Scope,
): Promise<ReadonlySet<string> | null> {
  if (scope.kind !== 'phase' && scope.kind !== 'region') return null;
  const targets = await ledger.targets.list({
    rolloutId: rollout.id,
    ...(scope.kind === 'phase' ? { phase: scope.phase } : { region: scope.region }),
  });
  return new Set(targets.map((target) => scaleSetKey(target.scaleSetId)));
}
