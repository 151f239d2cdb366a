import { sameImageVersion, type ImageVersion } from './image.ts';

/** What an instance ran before an attempt changed it: recorded before anything was changed (ours). */
export interface EarlierImage {
  instanceId: string;
  attemptId: string;
  from: ImageVersion | null;
  to: ImageVersion;
  /** How it was on `from`. */
  wasHealthy: boolean;
}

/**
 * The image that an instance was last known to be good on before it got `undone`: what it ran then, or, if it was not
 * healthy on that, what it ran healthily before.
 * @param earlier the set's changes, newest first
 * @returns null when it never got `undone` by an attempt, or nothing is known of what it ran before
 */
export function lastKnownGood(
  earlier: readonly EarlierImage[],
  instanceId: string,
  undone: ImageVersion,
): ImageVersion | null {
  const own = earlier.filter((change) => change.instanceId === instanceId);
  const since = own.findIndex((change) => sameImageVersion(change.to, undone));
  if (since < 0) return null;
  const before = own
    .slice(since)
    .filter(({ from }) => from !== null && !sameImageVersion(from, undone))
    .toSorted((a, b) => Number(b.wasHealthy) - Number(a.wasHealthy));
  return before[0]?.from ?? null;
}
