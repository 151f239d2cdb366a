import { humanDuration } from '../../domain/clock.ts';
import { average, scaleSetParts } from './progress.ts';
import { bar, span, widthOf, type Line, type Style } from './spans.ts';
import type { RolloutSnapshot, ScaleSetView } from './types.ts';
import {
  clockTime,
  count,
  dateAndTime,
  eligibleSets,
  endedSets,
  failureText,
  instanceParts,
  isAbandoned,
  titleOf,
  wallTime,
  waitText,
} from './words.ts';

const STATUS_STYLES: Record<RolloutSnapshot['status'], Style> = {
  Running: 'busy',
  Halted: 'wait',
  Completed: 'good',
  Faulted: 'bad',
  Cancelled: 'wait',
  Superseded: 'wait',
};

const BAR_WIDTH = 40;

/** What is rolled out, how it stands, the time on both clocks, and how far it is. */
export function headerLines(snapshot: RolloutSnapshot, columns: number): Line[] {
  const status = span(snapshot.status, STATUS_STYLES[snapshot.status]);
  const title: Line = [span(`${titleOf(snapshot)} `, 'bold'), span(snapshot.version, 'bold')];
  // The status stands at the right edge, or after the title where there is no room.
  const gap = Math.max(2, Math.min(columns, 120) - widthOf(title) - status.text.length);
  return [
    [...title, span(' '.repeat(gap)), status],
    [span(timeText(snapshot), 'dim')],
    progressLine(snapshot, columns),
    ...noteLines(snapshot),
  ];
}

function timeText({ now, startedAt, endedAt, elapsed, elapsedWallMs, speed }: RolloutSnapshot): string {
  const moment =
    endedAt === null
      ? `${dateAndTime(now)}, ${humanDuration(elapsed)} after its start at ${clockTime(startedAt, now)}`
      : `${dateAndTime(startedAt)} to ${clockTime(endedAt, startedAt)}, ${humanDuration(elapsed)}`;
  // At real time the two clocks are one.
  return speed === 1 ? moment : `${moment}; ${wallTime(elapsedWallMs)} of wall time, ${speed} times as fast`;
}

function progressLine(snapshot: RolloutSnapshot, columns: number): Line {
  const { scaleSets, instances, phases } = snapshot;
  const width = Math.max(10, Math.min(BAR_WIDTH, Math.floor(columns / 3)));
  const parts = [
    `${snapshot.phases.filter((phase) => phase.state === 'done').length} of ${count(phases.length, 'phase')}`,
    `${endedSets(scaleSets)} of ${count(eligibleSets(scaleSets), 'scale set')} so far`,
    ...instanceParts(instances),
  ];
  return [...bar(overall(snapshot), width), span(`  ${parts.join(' · ')}`)];
}

/** Phases weigh the same: how much lies in those to come is not known yet. */
function overall({ phases }: RolloutSnapshot) {
  return average(
    phases.map((phase) => {
      if (phase.state === 'pending') return { good: 0, bad: 0, busy: 0 };
      const sets = phase.regions.flatMap((region) => region.sets);
      return average(sets.filter((set) => set.status !== 'skipped').map(scaleSetParts));
    }),
  );
}

function noteLines(snapshot: RolloutSnapshot): Line[] {
  const notes: Line[] = [];
  if (snapshot.reason) notes.push([span(snapshot.reason.message, STATUS_STYLES[snapshot.status])]);
  for (const wait of snapshot.waits) {
    // The bake stands at its phase.
    if (wait.kind !== 'bake') notes.push([span(`Waits for ${waitText(wait, snapshot.now)}`, 'wait')]);
  }
  if (isAbandoned(snapshot))
    notes.push([span('Its workflow no longer runs: nobody carries it on. See the Temporal Web UI.', 'bad')]);
  return notes;
}

/** Sets that stopped and VMs that failed, each with its reason; the newest where there are more than `most`. */
export function problemLines(snapshot: RolloutSnapshot, most: number): Line[] {
  const all = snapshot.phases.flatMap((phase) =>
    phase.regions.flatMap((region) => region.sets.flatMap((set) => problemsOf(region.name, set))),
  );
  if (all.length === 0) return [];
  const hidden = all.length - most;
  const more: Line[] = hidden > 0 ? [[span(`  and ${hidden} more`, 'dim')]] : [];
  return [[], ...all.slice(-most), ...more];
}

function problemsOf(region: string, set: ScaleSetView): Line[] {
  const place = span(`${region}/${set.name}  `);
  const stopped: Line[] =
    set.status === 'stopped'
      ? [[span('✗ ', 'bad'), place, span(`stopped: ${set.reason?.message ?? 'no reason given'}`, 'bad')]]
      : [];
  const failed = set.failures.map((failure): Line => {
    const restored = failure.outcome === 'restored';
    const style: Style = restored ? 'wait' : 'bad';
    return [span(restored ? '↩ ' : '✗ ', style), place, span(failureText(failure), 'dim')];
  });
  return [...stopped, ...failed];
}
