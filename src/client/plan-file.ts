import { z } from 'zod';
import type { PhasePlan } from '../domain/phases.ts';
import { ACTIVITY_QUEUES } from '../domain/policy.ts';
import { textSchema } from '../fleet/index.ts';
import { DURATION_EXAMPLES, parseDuration } from './durations.ts';
import { parseWith, readJsonFile } from './json-file.ts';
import type { SettingsOverrides } from './settings.ts';

/** What a plan file says; all of it can be left out and given on the command line instead. */
export interface PlanFile {
  image?: string | undefined;
  version?: string | undefined;
  phases?: PhasePlan[] | undefined;
  settings: SettingsOverrides;
}

const text = textSchema('give a text that is not empty');

export const duration = z
  .string({ error: `give a length of time: ${DURATION_EXAMPLES}` })
  .transform((value, context) => {
    const parsed = parseDuration(value);
    if (parsed !== null) return parsed;
    context.issues.push({
      code: 'custom',
      input: value,
      message: `"${value}" is no length of time: give ${DURATION_EXAMPLES}`,
    });
    return z.NEVER;
  });

const count = z.int({ error: 'give a whole number' });

export const settings = z.strictObject({
  failureTolerancePercent: z.number({ error: 'give a number' }).optional(),
  bakeTime: duration.optional(),
  triggerDelay: z
    .union(
      [
        duration.transform((both) => ({ min: both, max: both })),
        z.strictObject({ min: duration, max: duration }),
      ],
      {
        error: `give a length of time, or {"min": ..., "max": ...}: ${DURATION_EXAMPLES}`,
      },
    )
    .optional(),
  firstTriggerDelay: duration.optional(),
  healthTimeout: duration.optional(),
  healthyReadings: count.optional(),
  healthPollInterval: duration.optional(),
  maxConcurrentScaleSets: count.optional(),
  chunkSize: count.optional(),
  fallbackPoll: duration.optional(),
  maxHistoryEvents: count.optional(),
  activityQueues: z.enum(ACTIVITY_QUEUES, { error: `give ${ACTIVITY_QUEUES.join(' or ')}` }).optional(),
});

export const phase = z.strictObject({
  name: text.optional(),
  regions: z.array(text, { error: 'give a list of region names' }),
  failureTolerancePercent: z.number({ error: 'give a number' }).optional(),
  bakeTime: duration.optional(),
  approval: z
    .boolean({ error: 'give true, if a person must approve before the phase begins, or false' })
    .optional(),
});

/** Phases as they were written; one without a name is called by its number. */
export function phasePlans(phases: readonly z.output<typeof phase>[]): PhasePlan[] {
  return phases.map(({ name, regions, ...own }, index) => ({
    name: name ?? `phase ${index + 1}`,
    regions,
    ...defined(own),
  }));
}

const planFile = z.strictObject(
  {
    $schema: z.string().optional(),
    image: text.optional(),
    version: text.optional(),
    phases: z
      .array(phase, { error: 'give a list of phases, each {"name": ..., "regions": [...]}' })
      .min(1, { error: 'give at least one phase, or leave "phases" out to have them planned' })
      .optional(),
    settings: settings.optional(),
  },
  { error: (issue) => (issue.code === 'invalid_type' ? 'give an object' : undefined) },
);

/**
 * Reads a plan that a person wrote. Whether its regions exist and may stand in one phase is checked against the fleet
 * when the rollout is planned.
 * @throws UsageError with the path within the file of everything that is wrong
 */
export async function readPlanFile(path: string): Promise<PlanFile> {
  const data = await readJsonFile(path, 'The plan file');
  const plan = parseWith(planFile, data, `The plan file ${path}`);
  return {
    image: plan.image,
    version: plan.version,
    phases: plan.phases && phasePlans(plan.phases),
    settings: defined(plan.settings ?? {}),
  };
}

/** Without keys whose value is undefined, which would overwrite a default. */
export function defined<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
