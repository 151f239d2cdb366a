import type { RollingUpgradePolicy } from '../domain/scale-set.ts';

/*
 * What the policy allows, by the words of rules B2 and B13. The planner's own functions are not used on purpose: a mistake
 * in them would be the checker's mistake too.
 */

/** The most instances that may be out of service at once, of so many (rule B2). */
export function mostAtOnce(
  instances: number,
  { maxBatchInstancePercent }: Pick<RollingUpgradePolicy, 'maxBatchInstancePercent'>,
): number {
  const hundredths = instances * maxBatchInstancePercent;
  return hundredths < 100 ? 1 : (hundredths - (hundredths % 100)) / 100;
}

/** True when `part` of `whole` is more than the limit; the limit itself passes (rule B13). @param limit percent */
export function isAbove(part: number, whole: number, limit: number): boolean {
  return part * 100 - whole * limit > 0;
}
