import { isoTime } from '../../domain/clock.ts';
import type { RolloutSnapshot } from './types.ts';

/** What has happened between two snapshots, one line for each event; with no previous one, how things stand. */
export function plainLines(previous: RolloutSnapshot | null, next: RolloutSnapshot): string[] {
  return previous?.status === next.status ? [] : [`${isoTime(next.now)} ${next.status}`];
}
