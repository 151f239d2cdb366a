import type { Instant } from './clock.ts';
import type { RolloutSettings } from './policy.ts';
import { uniformInt } from './random.ts';
import { scaleSetKey } from './scale-set.ts';

export interface TriggerInput {
  settings: Pick<RolloutSettings, 'triggerDelay' | 'firstTriggerDelay'>;
  rolloutId: string;
  scaleSetId: string;
  /** When the region first saw that the set is due. */
  seenAt: Instant;
  /** An automatic upgrade of the set was triggered before, by any rollout. */
  everTriggered: boolean;
  /** When automatic upgrades were enabled on the set; null where that is not known. */
  automaticUpgradesSince: Instant | null;
}

/**
 * When a set's upgrade is triggered (rule D6): 30 to 60 minutes after it was seen, uniformly random. The set's first
 * ever comes within 3 hours of when automatic upgrades were enabled on it: at any moment until then, yet no sooner
 * than the shortest delay where there is room for that. Seen only after those 3 hours, it is like any other.
 * Rollout and set fix the draw: asked again, it is the same.
 */
export function triggerTime(input: TriggerInput): Instant {
  const { min, max } = input.settings.triggerDelay;
  const seed = ['trigger', input.rolloutId, scaleSetKey(input.scaleSetId)];
  const earliest = input.seenAt + min;
  const deadline = firstTriggerDeadline(input);
  if (deadline === null) return uniformInt(earliest, input.seenAt + max, ...seed);
  return uniformInt(Math.min(earliest, deadline), deadline, ...seed);
}

/** The moment by which a first ever upgrade is triggered, or null where no such moment lies ahead. */
function firstTriggerDeadline(input: TriggerInput): Instant | null {
  if (input.everTriggered || input.automaticUpgradesSince === null) return null;
  const deadline = input.automaticUpgradesSince + input.settings.firstTriggerDelay;
  return deadline > input.seenAt ? deadline : null;
}
