import { humanDuration, isoTime, type Instant } from '../../domain/clock.ts';
import type { PhaseView, RegionView, RolloutSnapshot, ScaleSetView } from './types.ts';
import {
  clockTime,
  count,
  eligibleSets,
  failureText,
  instanceParts,
  names,
  titleOf,
  wallTime,
} from './words.ts';

/** Something that happened, on the virtual clock. */
interface Event {
  at: Instant;
  text: string;
}

/** What a summary names at most, of failed VMs and of sets that are not eligible. */
const MAX_NAMED = 5;

const HAS_ENDED: readonly ScaleSetView['status'][] = ['upgraded', 'stopped', 'skipped'];

/**
 * What has happened between two snapshots of a rollout, one line for each event in the order of the virtual clock, each
 * with its time (UTC); with no previous one, all that has happened so far.
 */
export function plainLines(previous: RolloutSnapshot | null, next: RolloutSnapshot): string[] {
  const events = [
    ...startEvents(previous, next),
    ...next.phases.flatMap((phase, index) => phaseEvents(previous?.phases[index] ?? null, phase, next)),
    ...statusEvents(previous, next),
    ...waitEvents(previous, next),
  ];
  // The sort is stable: what happened at one moment stays in the order of cause and effect above.
  return events.toSorted((a, b) => a.at - b.at).map(({ at, text }) => `${stamp(at)}  ${text}`);
}

/** `2025-12-06 14:32:10` */
function stamp(at: Instant): string {
  return isoTime(at).slice(0, 19).replace('T', ' ');
}

function startEvents(previous: RolloutSnapshot | null, next: RolloutSnapshot): Event[] {
  if (previous) return [];
  const phases = next.phases.length > 0 ? ` in ${count(next.phases.length, 'phase')}` : '';
  const what = next.action === 'osUpgrade' ? `rollout of ${next.image}` : titleOf(next);
  const why = next.why === null ? '' : `: ${next.why}`;
  const text = `${what} ${next.version}${phases}, started by ${next.startedBy}${why}`;
  return [{ at: next.startedAt, text }];
}

function phaseEvents(before: PhaseView | null, phase: PhaseView, { now }: RolloutSnapshot): Event[] {
  const sameRound = before?.round === phase.round ? before : null;
  const label = `phase ${phase.phase} (${phase.name})${phase.round > 1 ? `, round ${phase.round}` : ''}`;
  const events: Event[] = [];
  if (phase.startedAt !== null && sameRound?.startedAt !== phase.startedAt) {
    const regions = names(
      phase.regions.map((region) => region.name),
      12,
    );
    events.push({ at: phase.startedAt, text: `${label} started: ${regions}` });
  }
  const regionEventsOf = (region: RegionView) =>
    regionEvents(before?.regions.find((other) => other.name === region.name) ?? null, region, now);
  events.push(...phase.regions.flatMap(regionEventsOf));
  if (phase.bakeUntil !== null && sameRound?.bakeUntil !== phase.bakeUntil) {
    const at = phase.bakingSince ?? now;
    events.push({ at, text: `${label} upgraded; it bakes until ${clockTime(phase.bakeUntil, now)}` });
  }
  if (phase.judgedAt !== null && phase.verdict && sameRound?.judgedAt !== phase.judgedAt) {
    const { eligible, succeeded, failed } = phase.verdict;
    const failures = failed > 0 ? `, ${failed} failed` : '';
    const text = `${label} judged: ${succeeded} of ${count(eligible, 'VM')} healthy on the new version${failures}`;
    events.push({ at: phase.judgedAt, text });
  }
  return events;
}

function regionEvents(before: RegionView | null, region: RegionView, now: Instant): Event[] {
  const events: Event[] = [];
  if (region.sets.length > 0 && (before?.sets.length ?? 0) === 0) events.push(...foundEvents(region, now));
  for (const set of region.sets) {
    const was = before?.sets.find((other) => other.id === set.id) ?? null;
    events.push(...scaleSetEvents(region.name, was, set, now));
  }
  if (region.state === 'done' && before?.state !== 'done') {
    const { stopped } = region.scaleSets;
    const text = [
      ...instanceParts(region.instances),
      ...(stopped > 0 ? [`${count(stopped, 'set')} stopped`] : []),
    ];
    events.push({ at: region.endedAt ?? now, text: `${region.name} done: ${text.join(', ')}` });
  }
  return events;
}

/** What a region found to do when it first looked. */
function foundEvents(region: RegionView, now: Instant): Event[] {
  const triggers = region.sets.filter((set) => set.status !== 'skipped').map((set) => set.triggerAt);
  const first = triggers.length > 0 ? `, the first trigger at ${clockTime(Math.min(...triggers), now)}` : '';
  const skipped = region.sets.filter((set) => set.status === 'skipped');
  const shown = skipped.slice(0, MAX_NAMED);
  const more = skipped.length - shown.length;
  const at = Math.min(...region.sets.map((set) => set.seenAt));
  return [
    { at, text: `${region.name}: ${count(eligibleSets(region.scaleSets), 'scale set')} to upgrade${first}` },
    ...shown.map((set) => ({
      at,
      text: `${region.name}/${set.name} skipped: ${set.reason?.code ?? 'not eligible'}`,
    })),
    ...(more > 0 ? [{ at, text: `${region.name}: ${count(more, 'more set')} skipped` }] : []),
  ];
}

function scaleSetEvents(
  region: string,
  before: ScaleSetView | null,
  set: ScaleSetView,
  now: Instant,
): Event[] {
  if (before?.status === set.status || !HAS_ENDED.includes(set.status)) return [];
  // Those that were skipped from the beginning are told of with their region.
  if (set.status === 'skipped' && before === null) return [];
  const at = set.endedAt ?? now;
  const name = `${region}/${set.name}`;
  const failures = set.failures.slice(0, MAX_NAMED).map(failureText);
  const because = failures.length > 0 ? `: ${failures.join('; ')}` : '';
  const result = instanceParts(set.instances).join(', ');
  if (set.status !== 'upgraded') {
    const end = set.startedAt === null ? set.status : `${set.status} after ${result}`;
    return [{ at, text: `${name} ${end}: ${set.reason?.message ?? 'no reason given'}` }];
  }
  if (set.startedAt === null) return [{ at, text: `${name}: nothing to do` }];
  const effort = [
    ...(set.batches === null ? [] : [`in ${count(set.batches, 'batch', 'batches')}`]),
    ...(set.endedAt === null ? [] : [humanDuration(set.endedAt - set.startedAt)]),
  ];
  return [{ at, text: `${name}: ${result} (${effort.join(', ')})${because}` }];
}

function statusEvents(previous: RolloutSnapshot | null, next: RolloutSnapshot): Event[] {
  const before = previous?.status ?? 'Running';
  if (before === next.status) return [];
  const at = next.endedAt ?? next.now;
  const why = next.reason ? `: ${next.reason.message}` : '';
  if (next.status === 'Running') return [{ at, text: 'goes on' }];
  if (next.status === 'Halted') {
    const isPlanned = next.waits.some(({ kind }) => kind === 'approval');
    return [{ at, text: `${isPlanned ? 'WAITS FOR APPROVAL' : 'HALTED'}${why}` }];
  }
  const wall = next.speed === 1 ? '' : ` (${wallTime(next.elapsedWallMs)} of wall time)`;
  return [{ at, text: `${next.status.toLowerCase()} after ${humanDuration(next.elapsed)}${wall}${why}` }];
}

/** Waits that only a person ends, or that may take days. */
const LONG_WAITS = ['resume', 'worker', 'window'];

/** The same, and what they are about, as they come and go. */
function waitEvents(previous: RolloutSnapshot | null, next: RolloutSnapshot): Event[] {
  const waits = (snapshot: RolloutSnapshot | null) =>
    snapshot === null ? [] : openWaitsOf(snapshot).toSorted();
  const [before, after] = [waits(previous), waits(next)];
  return [
    ...after.filter((wait) => !before.includes(wait)).map((text) => ({ at: next.now, text })),
    ...before
      .filter((wait) => !after.includes(wait))
      .map((wait) => ({ at: next.now, text: `no more: ${wait}` })),
  ];
}

function openWaitsOf(snapshot: RolloutSnapshot): string[] {
  const say = (where: string) => (wait: { kind: string; what: string }) =>
    LONG_WAITS.includes(wait.kind) ? [`${where} waits for ${wait.what}`] : [];
  return [
    ...snapshot.waits.flatMap(say('the rollout')),
    ...snapshot.phases.flatMap((phase) =>
      phase.regions.flatMap((region) => [
        ...region.waits.flatMap(say(region.name)),
        ...region.sets.flatMap((set) => (set.wait ? say(`${region.name}/${set.name}`)(set.wait) : [])),
      ]),
    ),
  ];
}
