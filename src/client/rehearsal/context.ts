import type { SimulatedFleet } from '../../fleet/index.ts';
import type { Rehearsal } from '../../rehearsal/rehearsal.ts';
import type { ClientContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import type { FleetSetupContext } from '../fleet-setup.ts';
import { startScaleSet } from '../start-scale-set.ts';
import { startRollout } from '../start.ts';
import type { Scenario } from './scenario.ts';

/** What a rehearsal's people act on: as in life, but that nothing of it is real. */
export interface RehearsalContext extends ClientContext, FleetSetupContext {
  fleet: SimulatedFleet;
  rehearsal: Rehearsal<SimulatedFleet>;
  scenario: Scenario;
  /** The rollout that the scenario is about, the last one if it was started several times; null before the first. */
  rolloutId: string | null;
}

/**
 * Starts what the scenario is about: its rollout, or the upgrade of its one set.
 * @returns what was done, for the story
 * @throws ClientError when it is refused, as it would be in life
 */
export async function begin(
  context: RehearsalContext,
  {
    who,
    why,
    version = context.scenario.version,
  }: { who: string; why: string; version?: string | undefined },
): Promise<string> {
  const { scaleSet, image, regions, phases, settings } = context.scenario;
  const by = { version, settings, who, why };
  const { rolloutId, rollout, mended } =
    scaleSet === undefined
      ? await startRollout(context, { image: requireImage(image), regions, phases, ...by })
      : await startScaleSet(context, { scaleSet, image, ...by });
  const verb = mended ? 'goes on with' : context.rolloutId === null ? 'starts' : 'starts once more';
  context.rolloutId = rolloutId;
  const to = rollout.target.version;
  if (scaleSet !== undefined) return `${verb} the upgrade of ${scaleSet} to ${to} by hand`;
  const order = rollout.phases.map((phase) => `${phase.name} (${phase.regions.join(', ')})`);
  return `${verb} the rollout of ${to}: ${order.join(', then ')}`;
}

function requireImage(image: string | undefined): string {
  if (image !== undefined) return image;
  throw new UsageError(
    'Say which image: publisher:offer:sku, or the ARM id of a gallery image, as an argument or as "image" of the scenario.',
  );
}

/** @throws UsageError before there is one */
export function rolloutOf({ rolloutId }: RehearsalContext): string {
  if (rolloutId !== null) return rolloutId;
  throw new UsageError('There is no rollout.');
}
