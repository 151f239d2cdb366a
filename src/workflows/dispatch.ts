import type { Priority } from '@temporalio/common';
import type { RolloutSettings } from '../domain/policy.ts';
import type { StepName } from './loops/host.ts';
import { regionTaskQueue } from './messages.ts';

/*
 * Who is next where more waits than workers can take: restores before everything else, since they bring VMs back; and regions
 * by turns, so that a large one does not starve a small one. A server goes by turns only if it is told to
 * (`matching.enableFairness`).
 */

/** Five levels: 1 is the first, 3 is what everything else has. */
const FIRST = 1;

/** Of a workflow, and of whatever it starts that says nothing else. */
export function turnOf(region: string): Priority {
  return { fairnessKey: region };
}

/** Where instances are, and how their rollout is to be carried out. */
export interface Place {
  /** Unknown in batches of earlier releases: those go to the shared queue. */
  region?: string;
  settings: Pick<RolloutSettings, 'activityQueues'>;
}

/** The queue of a step, and its place in it. */
export function dispatchOf(
  name: StepName,
  { region, settings }: Place,
): { taskQueue?: string; priority: Priority } {
  const priority = name === 'restoreOsDisks' ? { priorityKey: FIRST } : {};
  if (region === undefined) return { priority };
  return {
    ...(settings.activityQueues === 'region' ? { taskQueue: regionTaskQueue(region) } : {}),
    priority: { ...turnOf(region), ...priority },
  };
}
