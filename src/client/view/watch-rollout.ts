import { setTimeout as delay } from 'node:timers/promises';
import { plainLines } from './plain.ts';
import { snapshotReader, type SnapshotSources } from './snapshot.ts';
import type { RolloutSnapshot } from './types.ts';

export type WatchOutcome = 'completed' | 'halted' | 'faulted' | 'cancelled' | 'timedOut' | 'interrupted';

export interface WatchOptions {
  /** Where the tree or the lines go. */
  out: NodeJS.WritableStream;
  /** Redraw a tree in place; else one line for each event. */
  tty: boolean;
  /** Wall milliseconds. */
  timeoutMs?: number;
  /** Ends the watch as `interrupted`; the rollout goes on. */
  signal?: AbortSignal;
  /** A halted rollout ends the watch; else it waits on for the person's decision. */
  stopWhenHalted: boolean;
}

export interface WatchResult {
  outcome: WatchOutcome;
  snapshot: RolloutSnapshot;
}

/** Shows a rollout until it ends. */
export async function watchRollout(
  sources: SnapshotSources,
  rolloutId: string,
  options: WatchOptions,
): Promise<WatchResult> {
  const read = snapshotReader(sources, rolloutId);
  const deadline = Date.now() + (options.timeoutMs ?? Infinity);
  let previous: RolloutSnapshot | null = null;
  for (;;) {
    const snapshot = await read();
    for (const line of plainLines(previous, snapshot)) options.out.write(`${line}\n`);
    previous = snapshot;
    const outcome = outcomeOf(snapshot, options.stopWhenHalted);
    if (outcome) return { outcome, snapshot };
    if (options.signal?.aborted) return { outcome: 'interrupted', snapshot };
    if (Date.now() >= deadline) return { outcome: 'timedOut', snapshot };
    await delay(250, undefined, { signal: options.signal }).catch(() => undefined);
  }
}

function outcomeOf({ status }: RolloutSnapshot, stopWhenHalted: boolean): WatchOutcome | null {
  switch (status) {
    case 'Completed':
      return 'completed';
    case 'Faulted':
      return 'faulted';
    case 'Cancelled':
    case 'Superseded':
      return 'cancelled';
    case 'Halted':
      return stopWhenHalted ? 'halted' : null;
    default:
      return null;
  }
}
