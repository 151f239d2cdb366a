import { humanDuration } from '../../domain/clock.ts';
import { imageLabel } from '../../domain/image.ts';
import { gateWords } from '../gates.ts';
import type {
  PlannedBatch,
  PlannedPhase,
  PlannedScaleSet,
  PlanTotals,
  RolloutPlan,
  SkippedScaleSet,
} from '../index.ts';
import { amount, durationText, facts, section, sections, table, time, type Column } from './text.ts';

/** More would hide the plan itself. */
const MOST_SETS = 60;
const MOST_SKIPPED = 20;

/** A plan for people. @param details every scale set, however many there are */
export function planText(plan: RolloutPlan, details: boolean): string {
  const showSets = details || plan.totals.scaleSets <= MOST_SETS;
  return sections(
    head(plan),
    ...plan.phases.map((phase) => phaseText(phase, showSets)),
    section('Not upgraded:', skippedText(plan.skipped, details)),
    showSets ? '' : hiddenText(plan),
    plan.warnings.map((warning) => `Warning: ${warning}`).join('\n'),
  );
}

function hiddenText({ phases }: RolloutPlan): string {
  const sets = phases.flatMap(({ regionPlans }) => regionPlans.flatMap((region) => region.scaleSetPlans));
  const noted = sets.filter(({ notes, warnings }) => notes.length + warnings.length > 0).length;
  const what = noted === 0 ? '' : `, ${noted} of them with something to know`;
  return `The scale sets are left out here${what}; --details shows them.`;
}

function head(plan: RolloutPlan): string {
  const { target, kind, settings, totals, phases } = plan;
  const { min, max } = settings.triggerDelay;
  return facts([
    ['Image', `${imageLabel(target.image)} (${kind})`],
    ['Version', target.version],
    ['Rollout', `${plan.rolloutId} (not started)`],
    [
      'Upgrades',
      phases.length === 0 ? 'nothing' : `${totalsText(totals)}, in ${amount(phases.length, 'phase')}`,
    ],
    ['Takes', durationText(plan.virtualDurationMs, plan.wallDurationMs, plan.speed)],
    ['From, to', `${time(plan.startAt)}, ${time(plan.endAt)}`],
    [
      'Settings',
      `bake ${humanDuration(settings.bakeTime)}, tolerance ${settings.failureTolerancePercent} %, triggers after ${humanDuration(min)} to ${humanDuration(max)}`,
    ],
  ]);
}

/** `2 regions, 4 scale sets, 60 of 64 VMs in 22 batches` */
function totalsText(totals: PlanTotals): string {
  const vms =
    totals.toUpgrade === totals.instances
      ? amount(totals.instances, 'VM')
      : `${totals.toUpgrade.toLocaleString('en')} of ${amount(totals.instances, 'VM')}`;
  return `${amount(totals.regions, 'region')}, ${amount(totals.scaleSets, 'scale set')}, ${vms} in ${amount(totals.batches, 'batch', 'batches')}`;
}

function phaseText(phase: PlannedPhase, showSets: boolean): string {
  const title = `Phase ${phase.phase}: ${phase.name}, ${time(phase.start)} to ${time(phase.end)}, judged at ${time(phase.bakeEnd)}`;
  const rows = phase.regionPlans.flatMap((region) => [
    [
      region.name,
      String(region.toUpgrade),
      String(region.batches),
      `${clock(region.start)} to ${clock(region.end)}`,
      '',
    ],
    ...(showSets ? region.scaleSetPlans.map(scaleSetRow) : []),
  ]);
  const columns: Column[] = [
    { title: 'REGION, SCALE SET' },
    { title: 'VMS', align: 'right' },
    { title: 'BATCHES' },
    { title: 'WHEN' },
    { title: 'NOTE' },
  ];
  const gate = gateWords(phase.own).join(', ');
  return `${title}\n  ${totalsText(phase)}${gate === '' ? '' : `\n  ${gate}`}\n${table(columns, rows, '  ')}`;
}

function scaleSetRow(set: PlannedScaleSet): string[] {
  const isIdle = set.batches.length === 0;
  return [
    `  ${set.name}`,
    String(set.toUpgrade),
    isIdle ? '-' : batchesText(set.batches),
    isIdle ? '-' : `from ${clock(set.triggerAt)}`,
    [
      ...(isIdle && set.notes.length === 0 ? ['Up to date.'] : []),
      ...set.notes,
      ...set.warnings.map((warning) => `Warning: ${warning.message} ${warning.fix}`),
    ].join(' '),
  ];
}

/** `15 of 2`, `8 of 1 to 2 in zones 1, 2, 3` */
function batchesText(batches: readonly PlannedBatch[]): string {
  const sizes = batches.map((batch) => batch.size);
  const smallest = Math.min(...sizes);
  const largest = Math.max(...sizes);
  const zones = [...new Set(batches.map((batch) => batch.zone))].filter((zone) => zone !== null);
  const place =
    zones.length === 0 ? '' : zones[0] === '*' ? ' across zones' : ` in zones ${zones.join(', ')}`;
  return `${batches.length} of ${smallest === largest ? '' : `${smallest} to `}${largest}${place}`;
}

function skippedText(skipped: readonly SkippedScaleSet[], details: boolean): string {
  const shown = details ? skipped : skipped.slice(0, MOST_SKIPPED);
  const rows = shown.flatMap(({ name, region, reasons }) =>
    reasons.map(({ message, fix, rule }, index) => [
      index === 0 ? name : '',
      index === 0 ? region : '',
      `${message} ${fix} (${rule})`,
    ]),
  );
  const text = table(
    [{ title: 'SCALE SET' }, { title: 'REGION' }, { title: 'WHY, AND WHAT TO DO' }],
    rows,
    '  ',
  );
  return skipped.length > shown.length
    ? `${text}\n  and ${skipped.length - shown.length} more: --details`
    : text;
}

/** `01-05 10:31` */
function clock(at: number): string {
  return time(at).slice(5, 16);
}
