import type { Rollout } from '../../ledger/port.ts';
import { scaleSetRolloutId, workflowIdOf } from '../../workflows/ids.ts';
import { unendedRollouts } from '../../activities/workflows-in-scope.ts';
import type { RehearsalContext } from './context.ts';

/** Scale sets that were being upgraded when the fleet was copied: their workflows run on. */
export async function resumeSets(context: RehearsalContext): Promise<void> {
  const { ledger } = context;
  for (const { rolloutId, scaleSetId, region } of await ledger.attempts.listOpen()) {
    const rollout = await ledger.rollouts.get(rolloutId);
    if (rollout !== null && rollout.endedAt === null) {
      await resumeSet(context, rollout, { id: scaleSetId, region });
    }
  }
}

/** Rollouts that had not ended when the fleet was copied go on, where they do not yet. */
export async function resumeRollouts(context: RehearsalContext): Promise<void> {
  const scaleSets = await context.fleet.scaleSets();
  for (const rollout of await unendedRollouts(context.ledger)) {
    const set = scaleSets.find(({ id }) => scaleSetRolloutId(id) === workflowIdOf(rollout));
    if (rollout.kind !== 'manual') context.rehearsal.start(rollout);
    else if (set) await resumeSet(context, rollout, set);
  }
}

async function resumeSet(
  { fleet, ledger, rehearsal }: RehearsalContext,
  { id: rolloutId, target, settings }: Rollout,
  { id: scaleSetId, region }: { id: string; region: string },
): Promise<void> {
  const clock = await fleet.clock();
  const phase = (await ledger.targets.get(rolloutId, scaleSetId))?.phase ?? null;
  rehearsal.startScaleSet({ v: 1, rolloutId, scaleSetId, clock, target, phase, region, settings });
}
