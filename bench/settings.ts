import type { RolloutSettings } from '../src/domain/policy.ts';

/** No wait at all: what is left is what the orchestration itself takes. */
export const SETTINGS: Partial<RolloutSettings> = {
  triggerDelay: { min: 0, max: 0 },
  firstTriggerDelay: 0,
  bakeTime: 0,
  // An instance that is healthy once stays so here; a second reading would have to be waited for.
  healthyReadings: 1,
};
