import { paint, span, type Line } from './spans.ts';
import { headerLines, problemLines } from './tree-frame.ts';
import { phaseLines, type Detail } from './tree-phases.ts';
import type { RolloutSnapshot } from './types.ts';

export interface TreeOptions {
  columns: number;
  /** The most lines; as many as it takes if not given. */
  rows?: number;
  color: boolean;
}

/** From everything to the least: the first that fits is drawn. */
const DETAILS: Detail[] = [
  { setsPerRegion: 20, problems: 20, foldCalmRegions: false },
  { setsPerRegion: 6, problems: 5, foldCalmRegions: false },
  { setsPerRegion: 3, problems: 3, foldCalmRegions: false },
  { setsPerRegion: 2, problems: 3, foldCalmRegions: true },
  { setsPerRegion: 1, problems: 2, foldCalmRegions: true },
  { setsPerRegion: 0, problems: 2, foldCalmRegions: true },
];

/**
 * The rollout as a tree of phases, regions and scale sets: what is done is folded, what is under way is shown with what
 * it waits for and until when. It keeps to the width, and to the height by leaving out detail.
 * @returns lines joined by line feeds, without one at the end
 */
export function renderTree(snapshot: RolloutSnapshot, { columns, rows, color }: TreeOptions): string {
  const height = rows ?? Infinity;
  let lines: Line[] = [];
  for (const detail of DETAILS) {
    lines = [
      ...headerLines(snapshot, columns),
      [],
      ...snapshot.phases.flatMap((phase) => phaseLines(snapshot, phase, columns, detail)),
      ...problemLines(snapshot, detail.problems),
    ];
    if (lines.length <= height) break;
  }
  return shortened(lines, height)
    .map((line) => paint(line, columns, color))
    .join('\n');
}

/** The last resort on a very low terminal: the top, and how much is missing. */
function shortened(lines: Line[], height: number): Line[] {
  if (lines.length <= height) return lines;
  const kept = Math.max(0, height - 1);
  return [...lines.slice(0, kept), [span(`… ${lines.length - kept} more lines`, 'dim')]];
}
