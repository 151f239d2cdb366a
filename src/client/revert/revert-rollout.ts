import { imageLabel } from '../../domain/image.ts';
import type { ScaleSet } from '../../domain/scale-set.ts';
import type { Rollout } from '../../ledger/port.ts';
import { imageRolloutId } from '../../workflows/ids.ts';
import { registerSearchAttributes } from '../../temporal/register-search-attributes.ts';
import { currentInstant, currentUser, type ClientContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { defined } from '../plan-file.ts';
import { rolloutsOf } from '../plan.ts';
import { rolloutSettings } from '../settings.ts';
import { recordNew, startImageWorkflow, unstartedRollout, type StartedRollout } from '../start.ts';
import { refuseWhileCancelled } from '../standing-orders.ts';
import { planRevert, type RevertPlan } from './plan.ts';
import { requireWay } from './revert-set.ts';
import type { RevertRequest } from './revert.ts';

/** What the revert of a whole rollout would do. @throws UsageError for a rollout that is itself a revert */
export async function planRolloutRevert(
  context: ClientContext,
  rollout: Rollout,
  { version, policy }: Pick<RevertRequest, 'version' | 'policy'>,
): Promise<RevertPlan> {
  const { target } = rollout;
  if (rollout.action !== 'osUpgrade') {
    throw new UsageError(
      `${rollout.id} took ${target.version} back itself. To roll it out again: rollouts start ${imageLabel(target.image)} ${target.version}.`,
    );
  }
  if (version !== undefined && version !== target.version) {
    throw new UsageError(
      `${rollout.id} brought ${target.version}: leave --version out, or name a scale set.`,
    );
  }
  return planRevert(context, await scaleSetsOf(context, rollout), target, policy);
}

/**
 * Starts the revert of a rollout: a new generation over the same phases, that takes its version back. It begins at once
 * and does not bake, unless the settings say so.
 * @throws ClientError `Conflict` while a rollout of the version has not ended, `NotEligible` when nothing can go back
 */
export async function startRolloutRevert(
  context: ClientContext,
  rollout: Rollout,
  plan: RevertPlan,
  { policy, settings, who, why }: RevertRequest,
): Promise<StartedRollout> {
  const { client, connection } = await context.temporal();
  await refuseWhileCancelled(context, null);
  const { target, kind, phases } = rollout;
  const unstarted = await unstartedRollout(context, client, target, 'revert');
  if (unstarted === null) requireWay(plan);
  await registerSearchAttributes(connection, client.options.namespace);
  const [last] = await rolloutsOf(context, target);
  const generation = (last?.generation ?? 0) + 1;
  const recorded =
    unstarted ??
    (await recordNew(context, {
      id: imageRolloutId(target, generation),
      kind,
      action: 'revert',
      target,
      generation,
      // By none of their own bake times and approvals: it was agreed on already that the version is bad.
      phases: phases.map(({ name, regions }) => ({ name, regions })),
      parameters: policy === undefined ? {} : { policy },
      settings: rolloutSettings({ ...rollout.settings, ...AT_ONCE, ...defined(settings ?? {}) }),
      startedBy: who ?? currentUser(),
      why,
      startedAt: await currentInstant(context),
    }));
  const runId = await startImageWorkflow(context, client, recorded);
  const { id: rolloutId } = recorded;
  const mended = unstarted !== null;
  return { rolloutId, workflowId: rolloutId, runId, rollout: recorded, mended, warnings: [] };
}

/** Whoever takes a version back wants no delay that is there to notice that it is bad. */
const AT_ONCE = { triggerDelay: { min: 0, max: 0 }, firstTriggerDelay: 0, bakeTime: 0 };

/** Those that use the image in the regions of its phases: as its workflows find them. */
export async function scaleSetsOf(
  { fleet }: ClientContext,
  { phases, target }: Rollout,
): Promise<ScaleSet[]> {
  const regions = new Set(phases.flatMap((phase) => phase.regions));
  const all = await fleet.scaleSets({ image: target.image });
  return all.filter((scaleSet) => regions.has(scaleSet.region));
}
