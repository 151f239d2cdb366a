import { sameImageVersion } from '../../domain/image.ts';
import type { RollingUpgradePolicy, ScaleSet } from '../../domain/scale-set.ts';
import type { HeldVersion, Rollout } from '../../ledger/port.ts';
import { currentUser, type ClientContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { findRollout, findScaleSet } from '../find.ts';
import type { SettingsOverrides } from '../settings.ts';
import type { StartedRollout } from '../start.ts';
import { liftHeld } from './lift.ts';
import type { RevertPlan } from './plan.ts';
import { planRolloutRevert, scaleSetsOf, startRolloutRevert } from './revert-rollout.ts';
import { planSetRevert, startSetRevert } from './revert-set.ts';

/** What is to be reverted: one set, or all sets of a rollout. */
export interface RevertRequest {
  /** A rollout or a scale set, as `findRollout` and `findScaleSet` take them. */
  id: string;
  why: string;
  /** The user at the terminal if absent. */
  who?: string | undefined;
  /** The version that is undone; of a set the one that its newest OS upgrade brought, if absent. */
  version?: string | undefined;
  /** In place of the sets' own. */
  policy?: Partial<RollingUpgradePolicy> | undefined;
  settings?: SettingsOverrides | undefined;
}

export interface Revert {
  plan: RevertPlan;
  start: () => Promise<StartedRollout>;
}

/**
 * The way back: what it would do, and how to begin it. Nothing changes before `start`.
 * @throws UsageError for an id that is neither a rollout's nor a scale set's
 */
export async function prepareRevert(context: ClientContext, request: RevertRequest): Promise<Revert> {
  const subject = await subjectOf(context, request.id);
  if ('rollout' in subject) {
    const { rollout } = subject;
    const plan = await planRolloutRevert(context, rollout, request);
    return { plan, start: () => startRolloutRevert(context, rollout, plan, request) };
  }
  const { scaleSet } = subject;
  const plan = await planSetRevert(context, scaleSet, request);
  return { plan, start: () => startSetRevert(context, scaleSet, plan, request) };
}

export interface LiftRequest {
  id: string;
  version?: string | undefined;
  who?: string | undefined;
  why: string;
}

/**
 * Lets versions be rolled out again automatically that were reverted on a set, or on the sets of a rollout; of a rollout also its
 * version, where that is held back from the whole fleet (rule D7).
 */
export async function lift(context: ClientContext, request: LiftRequest): Promise<HeldVersion[]> {
  const { id, version, who = currentUser(), why } = request;
  const subject = await subjectOf(context, id);
  const sets = 'scaleSet' in subject ? [subject.scaleSet] : await scaleSetsOf(context, subject.rollout);
  const wanted = version ?? ('rollout' in subject ? subject.rollout.target.version : undefined);
  const lifted: HeldVersion[] =
    'rollout' in subject
      ? await liftHeld(context, null, {
          by: `${who}: ${why}`,
          only: (held) => sameImageVersion(held.version, subject.rollout.target),
        })
      : [];
  for (const scaleSet of sets) {
    const only = (held: HeldVersion) => wanted === undefined || held.version.version === wanted;
    lifted.push(...(await liftHeld(context, scaleSet.id, { by: `${who}: ${why}`, only })));
  }
  return lifted;
}

/** A set's own name comes first; a rollout of one set is that set. */
async function subjectOf(
  context: ClientContext,
  id: string,
): Promise<{ scaleSet: ScaleSet } | { rollout: Rollout }> {
  const scaleSet = await orRefusal(() => findScaleSet(context, id));
  if (!(scaleSet instanceof UsageError)) return { scaleSet };
  const place = await orRefusal(() => findRollout(context, id));
  if (place instanceof UsageError) {
    throw new UsageError(
      `"${id}" is neither a scale set nor a rollout. ${scaleSet.message}\n${place.message}`,
    );
  }
  const { rollout } = place;
  if (rollout.kind !== 'manual') return { rollout };
  const [attempt] = await context.ledger.attempts.listOf({ rolloutId: rollout.id, limit: 1 });
  if (attempt === undefined) throw new UsageError(`${rollout.id} has changed nothing: it never began.`);
  return { scaleSet: await findScaleSet(context, attempt.scaleSetId) };
}

async function orRefusal<T>(find: () => Promise<T>): Promise<T | UsageError> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}
