import { eligibilityOf } from '../../activities/eligibility.ts';
import type { Instant } from '../../domain/clock.ts';
import type { Eligibility } from '../../domain/eligibility.ts';
import { sameImageVersion, type ImageVersion } from '../../domain/image.ts';
import { policyInForce, DEFAULT_SETTINGS } from '../../domain/policy.ts';
import { normaliseRegionName } from '../../domain/region.ts';
import { scaleSetKey, type RollingUpgradePolicy, type ScaleSet } from '../../domain/scale-set.ts';
import type {
  Attempt,
  AttemptInstance,
  Batch,
  Order,
  PhaseRecord,
  QuarantinedInstance,
  Rollout,
  Target,
} from '../../ledger/port.ts';
import type { ClientContext } from '../context.ts';
import { rolloutsOf } from '../plan.ts';
import { reachOf, type Reach } from '../reach.ts';
import { countSets } from '../view/counts.ts';
import type { ScaleSetCounts } from '../view/index.ts';
import { holdsOf, type Holds } from '../view/waits.ts';
import { unendedRollouts } from '../../activities/workflows-in-scope.ts';
import { scaleSetRolloutId, workflowIdOf } from '../../workflows/ids.ts';
import { chooseTarget, type ChosenTarget } from './target.ts';
import type { ExplainRequest } from './types.ts';

/** All that an explanation goes by, read once; what is said of it is decided without another look. */
export interface Facts extends ChosenTarget {
  now: Instant;
  scaleSet: ScaleSet;
  /** What the set is called in commands: its name, or its id where others have the same name. */
  called: string;
  policy: RollingUpgradePolicy;
  /** Healthy readings in a row that make an instance healthy. */
  readings: number;
  /** For an automatic upgrade; and for one that a person starts, which some conditions are not asked of (rule D8). */
  judged: Eligibility;
  byHand: Eligibility;
  /** Orders as they stand, of every scope. */
  orders: readonly Order[];
  /** What an upgrade to the version finds. */
  reach: Reach;
  quarantined: QuarantinedInstance[];
  course: Course | null;
  /** What is being done to the set; an attempt of whatever kind and version. */
  open: AttemptFacts | null;
  /** The newest attempt, open or ended. */
  newest: AttemptFacts | null;
  /** Upgrades of the set to the version, the newest first. */
  tries: AttemptFacts[];
  /** Recorded by a person for this set alone, and its workflow has not begun. */
  begun: Rollout | null;
  /** What holds a rollout up. */
  holds: (rollout: Rollout) => Holds;
}

export interface AttemptFacts {
  attempt: Attempt;
  /** Null when its record is gone. */
  rollout: Rollout | null;
  batches: Batch[];
  taken: AttemptInstance[];
}

/** The rollout that brings the version to the fleet, seen from the set. */
export interface Course {
  rollout: Rollout;
  records: PhaseRecord[];
  /** How the set is recorded; null before its region has seen it. */
  target: Target | null;
  /** The phase that the set's region is in, from 1; null when it is in none. */
  phase: number | null;
  /** Scale sets of the phase under way, if that is another one. */
  before: ScaleSetCounts | null;
  /** Scale sets of the region that are under way. */
  upgrading: number;
}

/** The attempt that brings the version now. */
export function openUpgrade({ open, tries }: Pick<Facts, 'open' | 'tries'>): AttemptFacts | null {
  return open !== null && tries.some(({ attempt }) => attempt.id === open.attempt.id) ? open : null;
}

/** How many attempts are looked at for what became of an instance. */
const MOST_TRIES = 5;

/** @throws UsageError for an image or version that cannot be */
export async function gatherFacts(
  context: ClientContext,
  scaleSet: ScaleSet,
  request: Pick<ExplainRequest, 'image' | 'version'>,
  at: Instant,
): Promise<Facts> {
  const { ledger, fleet } = context;
  const attempts = await ledger.attempts.listOf({ scaleSetId: scaleSet.id });
  const open = attempts.find((attempt) => attempt.status === 'RollingForward') ?? null;
  const instances = await fleet.instances(scaleSet.id, at);
  const chosen = await chooseTarget(context, scaleSet, instances, open, request, at);
  const { target } = chosen;
  const [judged, reach, course, quarantined, orders, done, called] = await Promise.all([
    judge(context, scaleSet, chosen, at),
    reachOf(context, scaleSet, { action: 'osUpgrade', target, parameters: {} }),
    courseOf(context, scaleSet, target),
    ledger.quarantine.list({ scaleSetId: scaleSet.id }),
    ordersAndClaims(context, at),
    doneTo(context, scaleSet, target, attempts),
    callOf(context, scaleSet),
  ]);
  const settings = done.open?.rollout?.settings ?? course?.rollout.settings ?? DEFAULT_SETTINGS;
  return {
    ...chosen,
    ...judged,
    ...orders,
    ...done,
    now: at,
    scaleSet,
    called,
    policy: open?.policy ?? policyInForce(scaleSet),
    readings: settings.healthyReadings,
    reach,
    quarantined,
    course,
  };
}

async function judge(
  context: ClientContext,
  scaleSet: ScaleSet,
  { target, offers: all }: ChosenTarget,
  at: Instant,
): Promise<Pick<Facts, 'judged' | 'byHand'>> {
  const offers = all.get(scaleSet.region) ?? [];
  const as = (automatic: boolean) => eligibilityOf(context, scaleSet, target, at, { automatic, offers });
  const [judged, byHand] = await Promise.all([as(true), as(false)]);
  return { judged, byHand };
}

async function ordersAndClaims(
  { ledger }: ClientContext,
  at: Instant,
): Promise<Pick<Facts, 'orders' | 'holds'>> {
  const [orders, claims, { rules }] = await Promise.all([
    ledger.orders.list(),
    ledger.claims.list(),
    ledger.calendar.read(),
  ]);
  return { orders, holds: (rollout) => holdsOf(rollout, at, orders, claims, rules) };
}

/** @param attempts all of the set, the newest first */
async function doneTo(
  context: ClientContext,
  scaleSet: ScaleSet,
  target: ImageVersion,
  attempts: readonly Attempt[],
): Promise<Pick<Facts, 'open' | 'newest' | 'tries' | 'begun'>> {
  const upgrades = attempts.filter((one) => one.kind === 'osUpgrade' && sameImageVersion(one.target, target));
  const [newest = null, ...tries] = await Promise.all(
    [...attempts.slice(0, 1), ...upgrades.slice(0, MOST_TRIES)].map((one) => attemptFacts(context, one)),
  );
  return {
    // While one is open, no other begins (rule B12).
    open: newest?.attempt.status === 'RollingForward' ? newest : null,
    newest,
    tries,
    begun: await begunFor(context, scaleSet, attempts),
  };
}

async function attemptFacts({ ledger }: ClientContext, attempt: Attempt): Promise<AttemptFacts> {
  const [rollout, batches] = await Promise.all([
    ledger.rollouts.get(attempt.rolloutId),
    ledger.attempts.batches(attempt.id),
  ]);
  return { attempt, rollout, batches, taken: await ledger.attempts.instances(attempt.id) };
}

/** Commands take a name as long as only one set has it. */
async function callOf({ fleet }: ClientContext, { id, name }: ScaleSet): Promise<string> {
  const same = (await fleet.scaleSets()).filter((set) => set.name.toLowerCase() === name.toLowerCase());
  return same.length > 1 ? id : name;
}

/** Of the rollouts of the version: one that concerns the set and has not ended, else one that concerned it, else the newest. */
async function courseOf(
  context: ClientContext,
  scaleSet: ScaleSet,
  version: ImageVersion,
): Promise<Course | null> {
  const rollouts = (await rolloutsOf(context, version)).filter(({ action }) => action === 'osUpgrade');
  const seen = await Promise.all(
    rollouts.map(async (rollout) => {
      const target = await context.ledger.targets.get(rollout.id, scaleSet.id);
      const index = rollout.phases.findIndex(({ regions }) =>
        regions.map(normaliseRegionName).includes(scaleSet.region),
      );
      return { rollout, target, phase: target?.phase ?? (index < 0 ? null : index + 1) };
    }),
  );
  const concerned = seen.filter(({ phase }) => phase !== null);
  const chosen = concerned.find(({ rollout }) => rollout.endedAt === null) ?? concerned[0] ?? seen[0];
  if (chosen === undefined) return null;
  const [records, targets] = await Promise.all([
    context.ledger.phases.list(chosen.rollout.id),
    context.ledger.targets.list({ rolloutId: chosen.rollout.id }),
  ]);
  const current = records.at(-1)?.phase;
  const others = targets.filter(({ phase }) => phase === current);
  return {
    ...chosen,
    records,
    before: current === undefined || current === chosen.phase ? null : countSets(others),
    upgrading: targets.filter((one) => one.region === scaleSet.region && one.status === 'upgrading').length,
  };
}

/** Until a worker takes it up, what a person has started is on record alone. */
async function begunFor(
  { ledger }: ClientContext,
  { id }: ScaleSet,
  attempts: readonly Attempt[],
): Promise<Rollout | null> {
  const workflowId = scaleSetRolloutId(scaleSetKey(id));
  const own = (await unendedRollouts(ledger)).find(
    (rollout) => rollout.kind === 'manual' && workflowIdOf(rollout) === workflowId,
  );
  const isTaken = own !== undefined && attempts.some((attempt) => attempt.rolloutId === own.id);
  return own === undefined || isTaken ? null : own;
}
