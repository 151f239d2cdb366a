import { heldEverywhere } from '../activities/held-everywhere.ts';
import { wallDuration, type Instant } from '../domain/clock.ts';
import { imageKey, imageLabel, isNewerVersion, type ImageVersion } from '../domain/image.ts';
import { estimateRollout, type RegionEstimate, type RolloutEstimate } from '../domain/estimate.ts';
import type { PhasePlan } from '../domain/phases.ts';
import { policyInForce, type RolloutSettings } from '../domain/policy.ts';
import { triggerTime } from '../domain/trigger.ts';
import type { CalendarRule, Rollout } from '../ledger/port.ts';
import { imageRolloutId } from '../workflows/ids.ts';
import { calendarNotes, closedNowWarnings } from './calendar/plan-notes.ts';
import { choosePhases, requireRegions } from './choose-phases.ts';
import { currentInstant, type ClientContext } from './context.ts';
import type {
  PlannedPhase,
  PlannedRegion,
  PlannedScaleSet,
  PlanRequest,
  PlanTotals,
  RolloutPlan,
} from './plan-types.ts';
import { rolloutSettings } from './settings.ts';
import { orderNotes } from './standing-orders.ts';
import { surveyFleet, type SurveyedSet } from './survey.ts';
import {
  chooseVersion,
  findImage,
  NOTHING_TO_UPGRADE,
  olderVersionNotes,
  parseImage,
  type ImageInFleet,
} from './target.ts';

/**
 * What a rollout would do and how long it would take. Changes nothing.
 * @throws UsageError for an image, version, region or phases that cannot be
 */
export async function planRollout(context: ClientContext, request: PlanRequest): Promise<RolloutPlan> {
  const settings = rolloutSettings(request.settings);
  const startAt = await currentInstant(context);
  const inFleet = inRegions(await findImage(context, parseImage(request.image), startAt), request.regions);
  const target = chooseVersion(inFleet, request.version);
  const { eligible, skipped } = await surveyFleet(
    context,
    inFleet,
    target,
    settings.healthyReadings,
    startAt,
  );
  const kind = target.image.kind;
  const phases = choosePhases({ kind, eligible, allRegions: inFleet.allRegions, phases: request.phases });
  const past = await rolloutsOf(context, target);
  const generation = (past[0]?.generation ?? 0) + 1;
  const { rules: calendar } = await context.ledger.calendar.read();
  const draft: Draft = {
    rolloutId: imageRolloutId(target, generation),
    settings,
    phases,
    eligible,
    calendar,
  };
  const { speed } = await context.fleet.clock();
  const estimate = await estimatePlan(context, draft, startAt, speed);
  const plannedPhases = phases.map((_, index) => planPhase(draft, estimate, index));
  return {
    rolloutId: draft.rolloutId,
    kind,
    target,
    generation,
    settings,
    phases: plannedPhases,
    skipped,
    totals: addUp(plannedPhases),
    startAt,
    endAt: estimate.end,
    virtualDurationMs: estimate.duration,
    wallDurationMs: wallDuration({ epochVirtual: 0, epochWall: 0, speed }, estimate.duration),
    speed,
    warnings: [
      ...(await warningsOf(context, inFleet, target, addUp(plannedPhases))),
      ...resourcesMissed(eligible),
      ...closedNowWarnings(calendar, draft.rolloutId, setsToUpgrade(eligible), startAt),
    ],
  };
}

/** Rollouts over the fleet of exactly this version, the newest generation first; manual ones of single sets aside. */
export async function rolloutsOf({ ledger }: ClientContext, target: ImageVersion): Promise<Rollout[]> {
  const all = await ledger.rollouts.list({ imageKey: imageKey(target.image) });
  return all
    .filter((rollout) => rollout.kind !== 'manual' && rollout.target.version === target.version)
    .toSorted((a, b) => b.generation - a.generation);
}

interface Draft {
  rolloutId: string;
  settings: RolloutSettings;
  phases: readonly PhasePlan[];
  eligible: readonly SurveyedSet[];
  calendar: readonly CalendarRule[];
}

function inRegions(inFleet: ImageInFleet, wanted: readonly string[] | undefined): ImageInFleet {
  if (wanted === undefined || wanted.length === 0) return inFleet;
  const regions = requireRegions(wanted, inFleet.allRegions, [...inFleet.offers.keys()]);
  return {
    ...inFleet,
    scaleSets: inFleet.scaleSets.filter((set) => regions.includes(set.region)),
    offers: new Map([...inFleet.offers].filter(([region]) => regions.includes(region))),
  };
}

async function estimatePlan(
  { fleet }: ClientContext,
  draft: Draft,
  startAt: Instant,
  clockSpeed: number,
): Promise<RolloutEstimate> {
  const regions = [...new Set(draft.eligible.map(({ scaleSet }) => scaleSet.region))];
  return estimateRollout({
    rolloutId: draft.rolloutId,
    startAt,
    phases: draft.phases,
    regions: regions.map((name) => ({
      name,
      scaleSets: setsIn(draft, name)
        .filter(({ batches }) => batches.length > 0)
        .map(({ scaleSet, batches, everTriggered, readingInterval }) => ({
          scaleSetId: scaleSet.id,
          extensionsCount: scaleSet.extensions.length,
          readingInterval,
          batches: batches.map(({ zone, updateDomain, instanceIds }) => ({
            zone,
            updateDomain,
            size: instanceIds.length,
          })),
          pauseTimeBetweenBatches: policyInForce(scaleSet).pauseTimeBetweenBatches,
          triggerAt: null,
          everTriggered,
          automaticUpgradesSince: scaleSet.automaticUpgradesSince,
        })),
    })),
    timings: await fleet.timings(),
    settings: draft.settings,
    clockSpeed,
  });
}

function setsIn({ eligible }: Draft, region: string): SurveyedSet[] {
  return eligible.filter(({ scaleSet }) => scaleSet.region === region);
}

function planPhase(draft: Draft, estimate: RolloutEstimate, index: number): PlannedPhase {
  const { name, start, end, bakeEnd, regions } = estimate.phases[index] as RolloutEstimate['phases'][number];
  const regionPlans = regions
    .map((region) => planRegion(draft, region, start))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const totals = addUp(regionPlans.map((region) => ({ ...region, regions: 1 })));
  const { name: _name, regions: _regions, ...own } = draft.phases[index] as PhasePlan;
  return { phase: index + 1, name, own, start, end, bakeEnd, ...totals, regionPlans };
}

function planRegion(draft: Draft, { name, start, end }: RegionEstimate, phaseStart: Instant): PlannedRegion {
  const scaleSetPlans = setsIn(draft, name)
    .map((set) => planScaleSet(draft, set, phaseStart))
    .toSorted((a, b) => a.triggerAt - b.triggerAt);
  const { scaleSets, instances, toUpgrade, batches } = addUp(
    scaleSetPlans.map((set) => ({ ...set, regions: 1, scaleSets: 1, batches: set.batches.length })),
  );
  return { name, start, end, scaleSets, instances, toUpgrade, batches, scaleSetPlans };
}

function planScaleSet(draft: Draft, set: SurveyedSet, seenAt: Instant): PlannedScaleSet {
  const { id, name, region, automaticUpgradesSince } = set.scaleSet;
  const { rolloutId, settings, calendar } = draft;
  const { everTriggered } = set;
  const triggerAt = triggerTime({
    ...{ settings, rolloutId, scaleSetId: id, seenAt, everTriggered, automaticUpgradesSince },
  });
  const delays =
    set.toUpgrade > 0 ? calendarNotes(calendar, { rolloutId, region, scaleSetId: id }, triggerAt) : [];
  return {
    id,
    name,
    instances: set.instanceCount,
    toUpgrade: set.toUpgrade,
    triggerAt,
    batches: set.batches.map(({ zone, updateDomain, instanceIds }) => ({
      zone,
      updateDomain,
      size: instanceIds.length,
    })),
    warnings: set.warnings,
    notes: [...set.notes, ...delays],
  };
}

function addUp(parts: readonly PlanTotals[]): PlanTotals {
  const sum = (of: (part: PlanTotals) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    regions: sum((part) => part.regions),
    scaleSets: sum((part) => part.scaleSets),
    instances: sum((part) => part.instances),
    toUpgrade: sum((part) => part.toUpgrade),
    batches: sum((part) => part.batches),
  };
}

/** What is no mistake, and still not what most people expect. */
async function warningsOf(
  context: ClientContext,
  { offers }: ImageInFleet,
  target: ImageVersion,
  totals: PlanTotals,
): Promise<string[]> {
  const others = (await context.ledger.rollouts.list({ imageKey: imageKey(target.image) })).filter(
    ({ kind, status, target: other }) =>
      kind !== 'manual' && (status === 'Running' || status === 'Halted') && other.version !== target.version,
  );
  const held = await heldEverywhere(context, target);
  return [
    ...(totals.instances > 0 && totals.toUpgrade === 0 ? [NOTHING_TO_UPGRADE] : []),
    ...olderVersionNotes(target, [...offers.values()].flat()),
    ...others.map(
      (other) =>
        `Version ${other.target.version} of ${imageLabel(target.image)} is still being rolled out: ${other.id}.${isNewerVersion(target, other.target) ? ' This one takes its place (rule D7).' : ''}`,
    ),
    ...(held === null
      ? []
      : [`It is held back from the whole fleet. ${held.why} Starting it by hand lifts that.`]),
    ...(await orderNotes(context, null)),
  ];
}

function setsToUpgrade(eligible: readonly SurveyedSet[]) {
  return eligible.filter(({ toUpgrade }) => toUpgrade > 0).map(({ scaleSet }) => scaleSet);
}

/** Scale sets that one warning names. */
const MOST_NAMED = 5;

/** Rule C8, for whoever starts a rollout without reading its plan. */
function resourcesMissed(eligible: readonly SurveyedSet[]): string[] {
  const names = eligible
    .filter(({ warnings, toUpgrade }) => toUpgrade > 0 && warnings.some(({ rule }) => rule === 'C8'))
    .map(({ scaleSet }) => scaleSet.name);
  if (names.length === 0) return [];
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return [
    `Extensions of ${names.slice(0, MOST_NAMED).join(', ')}${more} will miss what they need from outside: their first batches will fail (rule C8). \`rollouts plan\` says what.`,
  ];
}
