import { withDeadline } from '../fleet/deadline.ts';
import { closeBatch, checkHealth, closeRollBack } from './health.ts';
import { configureInstances, restoreOsDisks, swapOsDisks } from './batch.ts';
import type { ActivityDependencies } from './context.ts';
import { translated } from './failures.ts';
import { giveUpScaleSet } from './give-up.ts';
import {
  closeOrphanedRollout,
  judgePhase,
  openPhase,
  readOrder,
  recordDecision,
  setRolloutStatus,
  startBake,
} from './phases.ts';
import { lookAtImages } from './image-watch.ts';
import { lookAtRegion } from './region.ts';
import { lookAtScaleSet } from './scale-set.ts';

export type { ActivityDependencies, HealthWait, Listener, WorkflowDirectory } from './context.ts';

/** Every activity, as a function of its dependencies; the keys are the activities' names in histories. */
const table = {
  lookAtScaleSet,
  giveUpScaleSet,
  lookAtRegion,
  lookAtImages,
  swapOsDisks,
  configureInstances,
  checkHealth,
  restoreOsDisks,
  closeBatch,
  closeRollBack,
  openPhase,
  startBake,
  judgePhase,
  readOrder,
  recordDecision,
  setRolloutStatus,
  closeOrphanedRollout,
};

type Bound<F> = F extends (deps: ActivityDependencies, input: infer Input) => infer Result
  ? (input: Input) => Result
  : never;

export type Activities = { [Name in keyof typeof table]: Bound<(typeof table)[Name]> };

/** The names of all activities, as histories have them. */
export const ACTIVITY_NAMES = Object.keys(table) as readonly (keyof Activities)[];

/** The activities of a worker, on a fleet, a ledger and a Temporal client. */
export function createActivities(given: ActivityDependencies): Activities {
  const deps = { ...given, fleet: withDeadline(given.fleet) };
  const bound = Object.entries(table).map(([name, activity]) => {
    const run = activity as (deps: ActivityDependencies, input: unknown) => Promise<unknown>;
    return [name, (input: unknown) => translated(deps.fleet, () => run(deps, input))];
  });
  return Object.fromEntries(bound) as Activities;
}
