import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterEach } from 'vitest';
import { createActivities, type Activities } from '../../src/activities/index.ts';
import type {
  BatchInput,
  HealthInput,
  RegionLookInput,
  ScaleSetLook,
  ScaleSetLookInput,
} from '../../src/activities/types.ts';
import { HOUR, MINUTE, SECOND, type Instant } from '../../src/domain/clock.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { AttemptInstance, Ledger, Rollout, Rollouts, Target } from '../../src/ledger/port.ts';
import type { SimulatedFleet } from '../../src/fleet/index.ts';
import { imageRolloutId, scaleSetRolloutId } from '../../src/workflows/ids.ts';
import type { ScaleSetRolloutInput } from '../../src/workflows/messages.ts';
import {
  EPOCH,
  TARGET,
  fleetOf,
  type TestFleet,
  type TestFleetOptions,
  type TestSet,
} from '../support/fleet.ts';

/** Every step takes a time of its own, so that a moment tells which step it belongs to. */
export const EXACT = {
  osDiskSwap: { min: 20, max: 20 },
  boot: { min: 30, max: 30 },
  modelApply: { min: 5, max: 5 },
  extensionRun: { min: 10, max: 10 },
  becomeHealthy: { min: 15, max: 15 },
  osDiskRestore: { min: 40, max: 40 },
};

/** A moment of a test, in seconds: an hour after the fleet began, so that the machine's own clock is always behind. */
export const at = (seconds: number): Instant => EPOCH + HOUR + seconds * SECOND;

export const ROLLOUT_ID = imageRolloutId(TARGET, 1);

/** What activities ask of Temporal, and what they asked. */
export interface FakeDirectory {
  /** Ids of the workflows that run. */
  open: Set<string>;
  woken: string[];
  windDowns: ScaleSetRolloutInput[];
}

/** Activities on a simulated fleet and a ledger of their own, in a SQLite file; run as Temporal runs them. */
export interface ActivityWorld extends TestFleet {
  fleet: SimulatedFleet;
  ledger: Ledger;
  activities: Activities;
  directory: FakeDirectory;
  /** What was sent by `heartbeat`. */
  heartbeats: unknown[];
}

export interface WorldOptions extends TestFleetOptions {
  /** What is not as usual of the rollout that is recorded. */
  rollout?: Partial<Rollout>;
}

const worlds: ActivityWorld[] = [];

/** Removes the databases of the tests of a file; call it once in each. */
export function removeWorldsAfterEach(): void {
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.remove();
  });
}

/** A fleet of these sets in which every step takes its exact time, with a rollout of the new version recorded. */
export async function activityWorld(
  sets: readonly TestSet[],
  options: WorldOptions = {},
): Promise<ActivityWorld> {
  const { rollout = {}, ...spec } = options;
  const made = await fleetOf(sets, { behaviour: EXACT, ...spec });
  const ledger = openLedger(made.database);
  const directory: FakeDirectory = { open: new Set(), woken: [], windDowns: [] };
  const heartbeats: unknown[] = [];
  const bound = createActivities({
    fleet: made.fleet.overApi(),
    ledger,
    workflows: {
      isOpen: async (id) => directory.open.has(id),
      wake: async (ids) => void directory.woken.push(...ids),
      windDown: async (input) => void directory.windDowns.push(input),
    },
  });
  const world = { ...made, ledger, directory, heartbeats, activities: inContext(bound, heartbeats) };
  worlds.push(world);
  await recordRollout(world, rollout);
  return world;
}

/** Each activity in an activity context of its own, as a worker runs it. */
function inContext(activities: Activities, heartbeats: unknown[]): Activities {
  const wrapped = Object.entries(activities).map(([name, activity]) => {
    const run = activity as (input: unknown) => Promise<unknown>;
    return [
      name,
      (input: unknown) => {
        // Failures that a test asks for are not news.
        const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
        environment.on('heartbeat', (details) => heartbeats.push(details));
        return environment.run(run, input);
      },
    ];
  });
  return Object.fromEntries(wrapped) as Activities;
}

/** Records a rollout of the new version in the ledger, as the client library does. */
export async function recordRollout(
  { ledger }: Pick<ActivityWorld, 'ledger'>,
  change: Partial<Rollout> = {},
): Promise<Rollout> {
  const rollout: Parameters<Rollouts['create']>[0] = {
    id: ROLLOUT_ID,
    kind: 'platform',
    target: TARGET,
    generation: 1,
    phases: [{ name: 'all', regions: ['eastus'] }],
    settings: DEFAULT_SETTINGS,
    startedBy: 'test',
    startedAt: at(0),
    ...change,
  };
  return ledger.rollouts.create(rollout);
}

/** Records every set of the fleet as one that the rollout upgrades now, as its region's workflow does. */
export async function recordTargets(
  { fleet, ledger }: ActivityWorld,
  change: Partial<Target> = {},
): Promise<void> {
  const targets = (await fleet.scaleSets()).map((scaleSet) => ({
    rolloutId: ROLLOUT_ID,
    scaleSetId: scaleSet.id,
    scaleSetName: scaleSet.name,
    region: scaleSet.region,
    phase: 1,
    round: 1,
    status: 'upgrading' as const,
    seenAt: at(0),
    triggerAt: at(0),
    attemptId: null,
    reason: null,
    ...change,
  }));
  await ledger.targets.add(targets);
}

/** The first look of a set's workflow. */
export function setLook(scaleSetId: string, change: Partial<ScaleSetLookInput> = {}): ScaleSetLookInput {
  return {
    rolloutId: ROLLOUT_ID,
    scaleSetId,
    phase: 1,
    region: 'eastus',
    workflow: { id: scaleSetRolloutId(scaleSetId), runId: 'run-1' },
    cancelRequested: false,
    windDown: false,
    at: at(0),
    ...change,
  };
}

/** The first look of a region's workflow. */
export function regionLook(change: Partial<RegionLookInput> = {}): RegionLookInput {
  return {
    rolloutId: ROLLOUT_ID,
    phase: 1,
    round: 1,
    region: 'eastus',
    workflowId: `${ROLLOUT_ID}/phase-1/eastus`,
    mine: [],
    giveUp: [],
    scan: true,
    cancelRequested: false,
    at: at(0),
    ...change,
  };
}

export type BatchLook = Extract<ScaleSetLook, { kind: 'batch' }>;

/** The answer of a look, which must be a batch. */
export function asBatch(look: ScaleSetLook): BatchLook {
  if (look.kind !== 'batch') throw new Error(`Expected a batch, got ${JSON.stringify(look)}`);
  return look;
}

/** What the workflow of a batch hands to its steps. */
export function batchInput(scaleSetId: string, look: BatchLook, moment: Instant): BatchInput {
  const { rolloutId, attempt, batch, action, target, instanceIds } = look;
  return { rolloutId, scaleSetId, attempt, batch, action, target, instanceIds, at: moment };
}

/** The same for its looks at the health. */
export function healthInput(
  scaleSetId: string,
  look: BatchLook,
  moment: Instant,
  change: Partial<HealthInput> = {},
): HealthInput {
  const { healthTimeout, healthPollInterval } = DEFAULT_SETTINGS;
  return {
    ...batchInput(scaleSetId, look, moment),
    restoresOnFailure: look.restoresOnFailure,
    settings: { healthTimeout, healthPollInterval },
    ...change,
  };
}

/** Begins the first batch of a set and upgrades it; answers when its last extension has ended, before it is healthy. */
export async function configuredBatch(
  { activities }: ActivityWorld,
  scaleSetId: string,
  change: Partial<ScaleSetLookInput> = {},
): Promise<{ look: BatchLook; configuredAt: Instant }> {
  const look = asBatch(await activities.lookAtScaleSet(setLook(scaleSetId, change)));
  let now: Instant = change.at ?? at(0);
  for (const step of ['swapOsDisks', 'configureInstances'] as const) {
    for (let incomplete = true; incomplete;) {
      const result = await activities[step](batchInput(scaleSetId, look, now));
      now = result.pendingUntil ?? now;
      incomplete = result.incomplete;
    }
  }
  return { look, configuredAt: now };
}

/** How the instances of an attempt ended: `'3': 'restored'`. */
export async function outcomesOf(
  { ledger }: ActivityWorld,
  attemptId: string,
): Promise<Record<string, AttemptInstance['outcome']>> {
  const instances = await ledger.attempts.instances(attemptId);
  return Object.fromEntries(instances.map(({ instanceId, outcome }) => [instanceId, outcome]));
}

/** A set of ten VMs, of which a batch has two, that its rollout upgrades now. */
export async function oneSet(set: Partial<TestSet> = {}, options: WorldOptions = {}) {
  const world = await activityWorld([{ name: 'web', region: 'eastus', capacity: 10, ...set }], options);
  await recordTargets(world);
  return { world, id: world.scaleSetIds[0] as string };
}

/** The look at a set whose first batch is upgraded, healthy and closed; a minute has passed since. */
export async function afterFirstBatch(
  world: ActivityWorld,
  scaleSetId: string,
  change: Partial<ScaleSetLookInput> = {},
): Promise<ScaleSetLookInput> {
  const { look, configuredAt } = await configuredBatch(world, scaleSetId, change);
  const later = configuredAt + MINUTE;
  await world.activities.checkHealth(healthInput(scaleSetId, look, later));
  return setLook(scaleSetId, { ...change, attempt: look.attempt, at: later });
}
