import type { PlannedPhase, RolloutPlan } from '../client/plan-types.ts';
import { count } from '../client/view/words.ts';
import { humanDuration, isoTime } from '../domain/clock.ts';

/** As many as a terminal of the usual width has room for. */
const REGIONS_NAMED = 4;

/** The plan for people: what will be done, phase by phase, and how long it will take. */
export function describePlan(plan: RolloutPlan): string[] {
  const { totals, phases, skipped, virtualDurationMs, wallDurationMs } = plan;
  const wide = Math.max(...phases.map((phase) => phase.name.length));
  return [
    `${phases.length} phases, ${totals.regions} regions, ${totals.scaleSets} scale sets, ${totals.instances} VMs in ${totals.batches} batches; ${count(skipped.length, 'set')} not eligible.`,
    `It will take ${humanDuration(virtualDurationMs)} of the fleet's time, ${humanDuration(wallDurationMs)} of yours.`,
    '',
    ...phases.map((phase) => phaseLine(phase, wide)),
  ];
}

function phaseLine(phase: PlannedPhase, wide: number): string {
  const { name, regionPlans, scaleSets, instances, start, bakeEnd } = phase;
  const counts = `${pad(scaleSets, 3)} ${scaleSets === 1 ? 'set ' : 'sets'} ${pad(instances, 4)} VMs`;
  const times = `${clock(start)} - ${clock(bakeEnd)}`;
  const regions = regionPlans.map((region) => region.name);
  const more = regions.length - REGIONS_NAMED;
  const shown =
    more > 0 ? `${regions.slice(0, REGIONS_NAMED).join(', ')} and ${more} more` : regions.join(', ');
  return `  ${phase.phase} ${name.padEnd(wide)} ${counts}  ${times}  ${shown}`;
}

function pad(number: number, width: number): string {
  return String(number).padStart(width);
}

function clock(at: number): string {
  return isoTime(at).slice(11, 16);
}
