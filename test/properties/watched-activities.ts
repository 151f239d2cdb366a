import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { createActivities, type Activities, type ActivityDependencies } from '../../src/activities/index.ts';
import { LostError, disturbed } from '../../src/rehearsal/disturbed.ts';
import type { Step } from '../../src/rehearsal/runtime.ts';
import { inOrder, type EngineOptions } from './engine.ts';
import type { Turnstile } from './turnstile.ts';

type AnyActivity = (input: { at?: number }) => Promise<unknown>;

/**
 * A worker's activities, which are lost at the calls that a case says, before or after their work, and tried again. Which
 * call is the n-th depends on what runs at the same moment: another run may lose another one.
 */
export function watchedActivities(
  { fleet, ledger, workflows }: ActivityDependencies,
  turnstile: Turnstile,
  { given, onStep }: EngineOptions,
): Activities {
  const kill = inOrder(given.kills);
  const lose = inOrder(given.storeKills);
  const activities = createActivities({
    fleet: disturbed(fleet, 'fleet', lose),
    ledger: disturbed(ledger, 'ledger', lose),
    workflows,
  });
  const watched = Object.entries(activities).map(([name, activity]) => {
    const carryOut: AnyActivity = async (input) => {
      const how = kill();
      if (how === 'lostBefore' || how === 'terminateBefore') throw new LostError();
      const result = await (activity as AnyActivity)(input);
      const processId = activityInfo().workflowExecution?.workflowId ?? '';
      await onStep({ at: input.at ?? 0, processId, activity: name, input, result } as Step);
      if (how !== 'none') throw new LostError();
      return result;
    };
    const watch: AnyActivity = (input) => turnstile.together(() => quietly(() => carryOut(input)));
    return [name, watch];
  });
  return Object.fromEntries(watched) as Activities;
}

/** Failures are what these runs are about: the worker's log is not to be full of them. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ApplicationFailure) throw error;
    const { name: type, message } = error as Error;
    throw ApplicationFailure.create({ message, type, category: ApplicationFailureCategory.BENIGN });
  }
}
