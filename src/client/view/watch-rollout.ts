import { setTimeout as delay } from 'node:timers/promises';
import { printable } from '../../domain/plain-text.ts';
import { NotRecordedError } from '../../ledger/errors.ts';
import { plainLines } from './plain.ts';
import { Screen, type Terminal } from './screen.ts';
import { snapshotReader, type SnapshotReader, type SnapshotSources } from './snapshot.ts';
import { renderTree } from './tree.ts';
import type { RolloutSnapshot } from './types.ts';
import { isAbandoned } from './words.ts';

export type WatchOutcome = 'completed' | 'halted' | 'faulted' | 'cancelled' | 'timedOut' | 'interrupted';

export interface WatchOptions {
  /** Where the tree or the lines go. */
  out: Terminal;
  /** Redraw a tree in place; else one line for each event. */
  tty: boolean;
  /** With colours; if not given, on a terminal unless `NO_COLOR` is set. */
  color?: boolean;
  /** Wall milliseconds. */
  timeoutMs?: number;
  /** Ends the watch as `interrupted`; the rollout goes on. */
  signal?: AbortSignal;
  /** A halted rollout ends the watch; else it waits on for the person's decision. */
  stopWhenHalted: boolean;
  /** Lines to draw below the tree. */
  notes?: () => readonly string[];
}

export interface WatchResult {
  outcome: WatchOutcome;
  snapshot: RolloutSnapshot;
}

const POLL_MS = 250;
/** A database that is away for a moment is no reason to leave. */
const READ_PATIENCE_MS = 15_000;
/** A workflow that is gone although its rollout has not ended: time for whoever winds it down to say so. */
const ABANDONED_AFTER_MS = 10_000;

/** Colours are wanted: on a terminal, unless the person's environment says otherwise (https://no-color.org). */
export function wantsColor(tty: boolean, env: NodeJS.ProcessEnv = process.env): boolean {
  return tty && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

/**
 * Shows a rollout until it ends: as a tree that is redrawn in place, or as lines. It only looks: whoever stops watching
 * stops nothing else. `faulted` is also the answer when the rollout's workflow is gone and nobody carries it on.
 * @throws NotRecordedError when there is no such rollout; what the database throws when it stays away
 */
export async function watchRollout(
  sources: SnapshotSources,
  rolloutId: string,
  options: WatchOptions,
): Promise<WatchResult> {
  const read = patiently(snapshotReader(sources, rolloutId));
  const view = options.tty ? treeView(options) : lineView(options);
  const deadline = performance.now() + (options.timeoutMs ?? Infinity);
  const abandoned = abandonment();
  try {
    for (;;) {
      const snapshot = await read();
      view.show(snapshot);
      const outcome = outcomeOf(snapshot, options.stopWhenHalted) ?? abandoned(snapshot);
      if (outcome) return { outcome, snapshot };
      if (options.signal?.aborted) return { outcome: 'interrupted', snapshot };
      if (performance.now() >= deadline) return { outcome: 'timedOut', snapshot };
      await delay(Math.min(POLL_MS, deadline - performance.now()), undefined, {
        signal: options.signal,
      }).catch(() => undefined);
    }
  } finally {
    view.close();
  }
}

interface View {
  show(snapshot: RolloutSnapshot): void;
  close(): void;
}

function treeView({ out, color = wantsColor(true), notes = () => [] }: WatchOptions): View {
  const screen = new Screen(out);
  return {
    show: (snapshot) => {
      const { columns } = screen;
      const below = notes().map((note) => note.slice(0, columns));
      const rows = Math.max(1, screen.rows - below.length);
      screen.draw([renderTree(snapshot, { columns, rows, color }), ...below].join('\n'));
    },
    close: () => screen.close(),
  };
}

function lineView({ out }: WatchOptions): View {
  let previous: RolloutSnapshot | null = null;
  return {
    show: (snapshot) => {
      for (const line of plainLines(previous, snapshot)) out.write(`${printable(line)}\n`);
      previous = snapshot;
    },
    close: () => undefined,
  };
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
    case 'Running':
      return null;
  }
}

function abandonment(): (snapshot: RolloutSnapshot) => WatchOutcome | null {
  let since: number | null = null;
  return (snapshot) => {
    since = isAbandoned(snapshot) ? (since ?? performance.now()) : null;
    return since !== null && performance.now() - since >= ABANDONED_AFTER_MS ? 'faulted' : null;
  };
}

/** The last snapshot's reader, that forgives failures for a while; the first read fails at once. */
function patiently(read: SnapshotReader): SnapshotReader {
  let lastSuccess: number | null = null;
  return async () => {
    for (;;) {
      try {
        const snapshot = await read();
        lastSuccess = performance.now();
        return snapshot;
      } catch (error) {
        const patience = lastSuccess === null ? 0 : READ_PATIENCE_MS;
        if (error instanceof NotRecordedError || performance.now() - (lastSuccess ?? 0) >= patience)
          throw error;
        await delay(POLL_MS);
      }
    }
  };
}
