import { z } from 'zod';
import { normaliseRegionName } from '../domain/region.ts';

/** What a worker does, and how much of it at a time. */
export interface WorkerSettings {
  /** It runs workflows, their looks, and the steps that go to no region's queue. */
  workflows: boolean;
  /** The regions whose queues it serves, where a rollout has them (`activityQueues`). */
  regions: 'all' | string[];
  workflowSlots: number;
  /** Steps at a time, of each queue. */
  activitySlots: number;
  /** Looks at a time. */
  lookSlots: number;
  cachedWorkflows: number;
  /** How many requests for work wait at the server: as it advises, or this many. */
  pollers: 'autoscaling' | number;
  /** It sees to it that the schedule of the image watch is there, as `rollouts image-watch on` does. */
  imageWatch: boolean;
}

/** A worker was told something that makes no sense. The message names the variables, and what they may be. */
export class WorkerSettingsError extends Error {
  override readonly name = 'WorkerSettingsError';
}

const MOST = 10_000;

const count = (fallback: number, most = MOST) =>
  z
    .string()
    .regex(/^\d+$/, { error: `give a whole number from 1 to ${most}` })
    .transform(Number)
    .refine((number) => number >= 1 && number <= most, { error: `give a whole number from 1 to ${most}` })
    .default(fallback);

/** The defaults are those that were fastest when measured on two cores; see `docs/architecture.md`. */
const variables = z.object({
  WORKER_WORKFLOWS: z.stringbool({ error: 'give true or false' }).default(true),
  WORKER_REGIONS: z
    .string()
    .transform((text) => (text.trim() === '*' ? ('all' as const) : regionsIn(text)))
    .default([]),
  WORKER_WORKFLOW_SLOTS: count(40),
  WORKER_ACTIVITY_SLOTS: count(100),
  WORKER_LOOK_SLOTS: count(50),
  WORKER_CACHED_WORKFLOWS: count(2_000, 1_000_000),
  WORKER_POLLERS: z
    .union([z.literal('autoscaling'), count(10, 100)], {
      error: 'give "autoscaling", or a whole number from 1 to 100',
    })
    .default('autoscaling'),
  WORKER_IMAGE_WATCH: z.stringbool({ error: 'give true or false' }).default(false),
});

/**
 * Reads `WORKER_*` from the environment; what is not there, or empty, has a default.
 * @throws WorkerSettingsError that names everything that is wrong
 */
export function workerSettings(env: NodeJS.ProcessEnv = process.env): WorkerSettings {
  const given = Object.keys(variables.shape).flatMap((name) => (env[name] ? [[name, env[name]]] : []));
  const { success, data, error } = variables.safeParse(Object.fromEntries(given));
  if (!success) {
    const problems = error.issues.map(({ path: [name], message }) => {
      return `${String(name)} is "${env[String(name)]}": ${message}.`;
    });
    throw new WorkerSettingsError(problems.join(' '));
  }
  const { WORKER_WORKFLOWS: workflows, WORKER_REGIONS: regions } = data;
  if (!workflows && regions.length === 0) {
    throw new WorkerSettingsError(
      'WORKER_WORKFLOWS is false and WORKER_REGIONS names no region: this worker would do nothing. Give it regions, or "*" for all.',
    );
  }
  return {
    workflows,
    regions,
    workflowSlots: data.WORKER_WORKFLOW_SLOTS,
    activitySlots: data.WORKER_ACTIVITY_SLOTS,
    lookSlots: data.WORKER_LOOK_SLOTS,
    cachedWorkflows: data.WORKER_CACHED_WORKFLOWS,
    pollers: data.WORKER_POLLERS,
    imageWatch: data.WORKER_IMAGE_WATCH,
  };
}

/** `East US, westus2` as the rules write regions, each once. */
function regionsIn(text: string): string[] {
  const names = text
    .split(',')
    .map(normaliseRegionName)
    .filter((name) => name !== '');
  return [...new Set(names)];
}
