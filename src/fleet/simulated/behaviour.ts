import { z } from 'zod';
import { SECOND, type Duration } from '../../domain/clock.ts';
import { uniformInt } from '../../domain/random.ts';
import type { FleetTimings } from '../port.ts';

const seconds = z.number().nonnegative().max(86_400);
const range = z
  .strictObject({ min: seconds, max: seconds })
  .refine(({ min, max }) => min <= max, { error: 'min is above max: swap them' });

/** How long things take, in seconds of virtual time: drawn between `min` and `max` for each instance. */
export const behaviourSchema = z.strictObject({
  /** From the removal of the old OS disk until the new one is in place. */
  osDiskSwap: range.default({ min: 20, max: 60 }),
  boot: range.default({ min: 30, max: 50 }),
  modelApply: range.default({ min: 2, max: 8 }),
  /** Each extension; they run one after the other. */
  extensionRun: range.default({ min: 10, max: 45 }),
  /** From the end of the last extension until the application is healthy. */
  becomeHealthy: range.default({ min: 10, max: 90 }),
  /** Includes the boot from the restored disk. */
  osDiskRestore: range.default({ min: 30, max: 80 }),
});

export type Behaviour = z.infer<typeof behaviourSchema>;
/** What of a VM's life takes time. */
export type Step = keyof Behaviour;

export const DEFAULT_BEHAVIOUR: Behaviour = behaviourSchema.parse({});

const NO_TIME = { min: 0, max: 0 };

/** Everything happens at once: operations answer `succeeded` when they are asked for. For benches and tests. */
export const INSTANT_BEHAVIOUR: Behaviour = {
  osDiskSwap: NO_TIME,
  boot: NO_TIME,
  modelApply: NO_TIME,
  extensionRun: NO_TIME,
  becomeHealthy: NO_TIME,
  osDiskRestore: NO_TIME,
};

/** What a file may say: `instant`, or the times that are not the usual ones. */
export const behaviourOrInstant = z.union([
  z.literal('instant').transform(() => INSTANT_BEHAVIOUR),
  behaviourSchema,
]);

/**
 * How long a step takes for an instance: the same for the same seed and parts.
 * @param parts what it is for: set, instance, version, ordinal
 */
export function draw(
  behaviour: Behaviour,
  step: Step,
  seed: string,
  ...parts: (string | number)[]
): Duration {
  const { min, max } = behaviour[step];
  return uniformInt(min * SECOND, max * SECOND, seed, step, ...parts);
}

/** What the `Fleet` port tells of it. */
export function timingsOf(behaviour: Behaviour): FleetTimings {
  const of = (...steps: Step[]) => ({
    min: steps.reduce((sum, step) => sum + behaviour[step].min * SECOND, 0),
    max: steps.reduce((sum, step) => sum + behaviour[step].max * SECOND, 0),
  });
  return {
    osDiskSwap: of('osDiskSwap', 'boot'),
    modelApply: of('modelApply'),
    extensionRun: of('extensionRun'),
    becomeHealthy: of('becomeHealthy'),
    osDiskRestore: of('osDiskRestore'),
  };
}
