import { average, regionParts, scaleSetParts, totalOf } from './progress.ts';
import { bar, padded, span, widthOf, type Line, type Span, type Style } from './spans.ts';
import type { PhaseView, RegionView, RolloutSnapshot, ScaleSetView } from './types.ts';
import {
  batchText,
  clockTime,
  count,
  eligibleSets,
  endedSets,
  instanceParts,
  moment,
  names,
  shortInstanceParts,
  waitText,
} from './words.ts';

/** How much of the tree is drawn. */
export interface Detail {
  /** Scale sets under way that are shown in a region. */
  setsPerRegion: number;
  /** Stopped sets and failed VMs that are named. */
  problems: number;
  /** Regions in which nothing is under way share a line. */
  foldCalmRegions: boolean;
}

const MARKS: Record<PhaseView['state'], Span> = {
  pending: span('○', 'dim'),
  awaitsApproval: span('■', 'wait'),
  running: span('●', 'busy'),
  baking: span('◑', 'busy'),
  halted: span('■', 'wait'),
  done: span('✓', 'good'),
  stopped: span('✗', 'wait'),
};

/** Nothing of it has begun. */
const BEFORE: readonly PhaseView['state'][] = ['pending', 'awaitsApproval'];

const PHASE_WIDTH = 19;
const REGION_WIDTH = 22;
const SET_WIDTH = 32;
const COUNTS_WIDTH = 36;
const BAR_WIDTH = 16;
const REGION_BAR_WIDTH = 12;
const SMALL_BAR_WIDTH = 10;

/** A phase: its line, and below it what is under way. */
export function phaseLines(
  snapshot: RolloutSnapshot,
  phase: PhaseView,
  columns: number,
  detail: Detail,
): Line[] {
  const title: Line = [
    MARKS[phase.state],
    span(` ${phase.phase} ${phase.name}`, phase.state === 'pending' ? 'dim' : 'bold'),
    ...(phase.round > 1 ? [span(` round ${phase.round}`, 'wait')] : []),
  ];
  const line: Line = [...padded(title, PHASE_WIDTH), ...phaseSummary(snapshot, phase, columns)];
  const open = !BEFORE.includes(phase.state) && phase.state !== 'done';
  return open ? [line, ...regionTree(snapshot, phase, detail)] : [line];
}

function phaseSummary(snapshot: RolloutSnapshot, phase: PhaseView, columns: number): Line {
  const regions = phase.regions.map((region) => region.name);
  if (BEFORE.includes(phase.state)) {
    const moment = phaseMoment(snapshot, phase);
    const room = columns - PHASE_WIDTH - widthOf(moment);
    return [span(fitting(regions, room), 'dim'), ...moment];
  }
  const done = phase.state === 'done';
  const sets = done
    ? count(endedSets(phase.scaleSets), 'set')
    : `${endedSets(phase.scaleSets)} of ${count(eligibleSets(phase.scaleSets), 'set')}`;
  const line: Line = [
    ...bar(average(phase.regions.map(regionParts)), BAR_WIDTH),
    ...padded([span(`  ${[sets, ...instanceParts(phase.instances)].join(', ')}`)], COUNTS_WIDTH),
    ...phaseMoment(snapshot, phase),
  ];
  const room = columns - PHASE_WIDTH - widthOf(line) - 2;
  return done ? [...line, span(`  ${fitting(regions, room)}`, 'dim')] : line;
}

/** When the phase was, or what it waits for and until when. */
function phaseMoment({ now, waits }: RolloutSnapshot, phase: PhaseView): Line {
  const since = phase.startedAt === null ? '' : clockTime(phase.startedAt, now);
  switch (phase.state) {
    case 'baking': {
      const until = waits.find((wait) => wait.kind === 'bake')?.until ?? phase.bakeUntil;
      return [span(`bakes until ${until === null ? 'it is judged' : moment(until, now)}`, 'wait')];
    }
    case 'pending':
      return phase.gate.approval ? [span('  needs approval', 'dim')] : [];
    case 'awaitsApproval':
      return [span('  waits for approval', 'wait')];
    case 'halted':
      return [span('halted', 'wait')];
    case 'running':
      return [span(`since ${since}`, 'dim')];
    case 'done': {
      // Without its day, which the start has: two dates in a line would be one too many.
      const until = phase.judgedAt ?? now;
      return [span(`${since} - ${clockTime(until, until)}`, 'dim')];
    }
    default:
      return [];
  }
}

/** As many names as there is room for, and how many more there are. */
function fitting(all: readonly string[], width: number): string {
  for (let most = all.length; most > 0; most--) {
    const text = names(all, most);
    if (text.length <= width) return text;
  }
  return count(all.length, 'region');
}

/** Regions under way, each with its sets; those that are done without trouble share a line. */
function regionTree(snapshot: RolloutSnapshot, phase: PhaseView, detail: Detail): Line[] {
  const calm = (region: RegionView) =>
    region.state === 'done' && region.scaleSets.stopped === 0 && region.instances.failed === 0;
  const idle = (region: RegionView) =>
    detail.foldCalmRegions && region.state !== 'done' && region.scaleSets.upgrading === 0;
  const folded = phase.regions.filter(calm);
  const waiting = phase.regions.filter(idle);
  const shown = phase.regions.filter((region) => !folded.includes(region) && !waiting.includes(region));
  return [
    ...(folded.length > 0 ? [foldedLine(folded, span('✓', 'good'))] : []),
    ...shown.flatMap((region) => regionLines(snapshot, region, detail)),
    ...(waiting.length > 0 ? [foldedLine(waiting, span('○', 'wait'))] : []),
  ];
}

function foldedLine(regions: readonly RegionView[], mark: Span): Line {
  const sets = regions.reduce((sum, region) => sum + eligibleSets(region.scaleSets), 0);
  const vms = regions.reduce((sum, region) => sum + region.instances.upgraded, 0);
  return [
    span('  '),
    mark,
    span(` ${names(regions.map((region) => region.name))}`),
    span(`  ${count(sets, 'set')}, ${count(vms, 'VM')} upgraded`, 'dim'),
  ];
}

function regionLines(snapshot: RolloutSnapshot, region: RegionView, detail: Detail): Line[] {
  const active = region.sets.filter((set) => set.status === 'upgrading');
  const shown = byInterest(active).slice(0, detail.setsPerRegion);
  const hidden = active.length - shown.length;
  const more: Line[] = hidden > 0 ? [[span(`      and ${count(hidden, 'set')} more under way`, 'dim')]] : [];
  return [
    regionLine(snapshot, region),
    ...shown.map((set) => scaleSetLine(snapshot, set)),
    ...(detail.setsPerRegion > 0 ? more : []),
  ];
}

function regionLine({ now }: RolloutSnapshot, region: RegionView): Line {
  const style: Style = region.state === 'done' ? 'good' : region.scaleSets.upgrading > 0 ? 'busy' : 'wait';
  const mark = { done: '✓', running: region.scaleSets.upgrading > 0 ? '●' : '○', pending: '○' }[region.state];
  const title: Line = [span('  '), span(mark, style), span(` ${region.name}`)];
  const sets = `${endedSets(region.scaleSets)} of ${count(eligibleSets(region.scaleSets), 'set')}`;
  const waits = region.waits.map((wait) => span(`  ${waitText(wait, now).replace(/^the /, '')}`, 'wait'));
  return [
    ...padded(title, REGION_WIDTH),
    ...bar(regionParts(region), REGION_BAR_WIDTH),
    span(`  ${[sets, ...shortInstanceParts(region.instances)].join(', ')}`),
    ...waits,
    ...(region.scaleSets.skipped > 0 ? [span(`  ${region.scaleSets.skipped} not eligible`, 'dim')] : []),
  ];
}

/** Those that upgrade VMs first, then those that wait: what moves is what one looks for. */
function byInterest(sets: readonly ScaleSetView[]): ScaleSetView[] {
  return sets.toSorted((a, b) => Number(b.batch !== null) - Number(a.batch !== null));
}

function scaleSetLine({ now }: RolloutSnapshot, set: ScaleSetView): Line {
  const total = totalOf(set.instances);
  const done = set.instances.upgraded + set.instances.failed;
  const between = set.batches ? 'takes the next batch' : 'starts';
  const waiting = set.wait ? `waits for ${waitText(set.wait, now)}` : between;
  const state = set.batch ? batchText(set.batch) : waiting;
  return [
    ...padded([span(`      ${set.name}`)], SET_WIDTH),
    ...bar(scaleSetParts(set), SMALL_BAR_WIDTH),
    span(total === 0 ? '  ' : `  ${done} of ${count(total, 'VM')}  `.padEnd(18)),
    span(state, set.wait ? 'wait' : 'plain'),
    ...(set.batch ? [span(` since ${clockTime(set.batch.startedAt, now)}`, 'dim')] : []),
    ...(set.instances.failed > 0 ? [span(`  ${set.instances.failed} failed`, 'bad')] : []),
  ];
}
