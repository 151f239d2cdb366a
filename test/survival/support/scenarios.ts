import type { ACTIVITY_NAMES } from '../../../src/activities/index.ts';
import type { RolloutSettings } from '../../../src/domain/policy.ts';
import type { DecisionKind } from '../../../src/ledger/port.ts';
import type { FaultSpec } from '../../../src/fleet/index.ts';
import { IMAGE_WATCH_SCHEDULE } from '../../../src/temporal/image-watch-schedule.ts';
import { decideUpdate, TASK_QUEUE } from '../../../src/workflows/messages.ts';
import { NEW_VERSION, type TestSet } from '../../support/fleet.ts';
import { QUICK, inBatch, startRollout } from '../../support/rollout.ts';
import { until, type SurvivalWorld } from './world.ts';

export type ActivityName = (typeof ACTIVITY_NAMES)[number];

/** A rollout, and what people do meanwhile. */
export interface Scenario {
  readonly name: string;
  readonly sets: readonly TestSet[];
  readonly faults: FaultSpec[];
  /** Another one that comes out the same, whoever carries it out. */
  readonly endsLike?: Scenario;
  /** The activities that are in it. */
  readonly reaches: readonly ActivityName[];
  /** How far it comes is a matter of when people act, so that only its end is as undisturbed. */
  readonly endsAnywhere?: true;
  /** Begins it, does what people do, and waits until no workflow runs any more. */
  carryOut(world: SurvivalWorld): Promise<void>;
}

const ASK_FOR_MS = 20_000;
const COUNT_EVERY_MS = 300;

/**
 * Two phases, each halted and decided on: in the first a VM is bad and gets its old disk back, in the second most are, and
 * the set rolls back once its policy is broken.
 */
export const HALTED: Scenario = {
  name: 'two phases, bad VMs, two halts and decisions',
  sets: [
    { name: 'web', region: 'eastus', capacity: 6, zones: ['1', '2', '3'], extensions: [{ name: 'agent' }] },
    { name: 'api', region: 'eastus', capacity: 10 },
    {
      name: 'edge',
      region: 'westus',
      capacity: 5,
      disableAutomaticRollback: true,
      rollingUpgradePolicy: { rollbackFailedInstancesOnPolicyBreach: true },
    },
  ],
  faults: [
    { kind: 'neverHealthy', version: NEW_VERSION, scaleSet: 'api', instances: ['9'] },
    { kind: 'neverHealthy', version: NEW_VERSION, scaleSet: 'edge' },
  ],
  reaches: [
    'lookAtScaleSet',
    'lookAtRegion',
    'swapOsDisks',
    'configureInstances',
    'checkHealth',
    'restoreOsDisks',
    'closeBatch',
    'closeRollBack',
    'openPhase',
    'startBake',
    'judgePhase',
    'readOrder',
    'recordDecision',
    'setRolloutStatus',
  ],
  carryOut: (world) => haltTwice(world, QUICK),
};

/** The same, by workers that serve a region each. */
export const HALTED_BY_REGION: Scenario = {
  ...HALTED,
  endsLike: HALTED,
  carryOut: (world) => haltTwice(world, { ...QUICK, activityQueues: 'region' }),
};

async function haltTwice(world: SurvivalWorld, settings: Partial<RolloutSettings>): Promise<void> {
  const phases = [
    { name: 'canary', regions: ['eastus'] },
    { name: 'broad', regions: ['westus'] },
  ];
  const { workflowId } = await startRollout(world, { phases, settings });
  await decide(world, workflowId, 1, 'proceed');
  await decide(world, workflowId, 2, 'abort');
  await untilAllIsOver(world);
}

/** Somebody terminates the rollout's workflow in the middle of a batch: the phase ends it in its place. */
export const TERMINATED: Scenario = {
  name: 'a rollout whose workflow is terminated by hand',
  sets: [{ name: 'front', region: 'eastus', capacity: 9 }],
  faults: [],
  reaches: ['closeOrphanedRollout'],
  endsAnywhere: true,
  carryOut: async (world) => {
    const phases = [{ name: 'canary', regions: ['eastus'] }];
    const handle = await startRollout(world, { phases, settings: QUICK });
    await until('its second batch begins', () => inBatch(world, 'front', 2));
    await handle.terminate('by hand');
    await untilAllIsOver(world);
  },
};

/** The cloud's API never answers for one of two sets: that is given up, and the rollout ends without it. */
export const UNREACHABLE: Scenario = {
  name: 'a set that cannot be reached',
  sets: [
    { name: 'web', region: 'eastus', capacity: 3 },
    { name: 'dark', region: 'eastus', capacity: 3 },
  ],
  faults: [{ kind: 'apiError', operation: 'any', scaleSet: 'dark', effect: 'before' }],
  reaches: ['giveUpScaleSet'],
  carryOut: async (world) => {
    const phases = [{ name: 'all', regions: ['eastus'] }];
    const settings = { ...QUICK, failureTolerancePercent: 100 };
    const { workflowId } = await startRollout(world, { phases, settings });
    // Not by counting workflows alone: the server counts one only a while after it has begun.
    const hasEnded = async () => typeof (await world.ledger.rollouts.get(workflowId))?.endedAt === 'number';
    await until('the rollout has ended', hasEnded);
    await untilAllIsOver(world);
  },
};

/** Nobody starts it: a look at all images does. */
export const PICKED_UP: Scenario = {
  name: 'a version that is picked up',
  sets: [{ name: 'web', region: 'eastus', capacity: 3 }],
  faults: [],
  reaches: ['lookAtImages'],
  carryOut: async (world) => {
    const { client } = world.env;
    await client.workflow.execute('imageWatch', {
      workflowId: IMAGE_WATCH_SCHEDULE,
      taskQueue: TASK_QUEUE,
      args: [{ v: 1, settings: QUICK }],
    });
    const hasEnded = async () => (await world.ledger.rollouts.list({ status: 'Completed' })).length === 1;
    await until('the rollout has ended', hasEnded);
    await untilAllIsOver(world);
  },
};

export const SCENARIOS: readonly Scenario[] = [HALTED, TERMINATED, UNREACHABLE, PICKED_UP];

/** A person who decides once the rollout is halted, and asks again when nobody answers. */
async function decide(
  { env, ledger }: SurvivalWorld,
  rolloutId: string,
  phase: number,
  decision: DecisionKind,
): Promise<void> {
  const { client } = env;
  const handle = client.workflow.getHandle(rolloutId);
  await until(`phase ${phase} is decided on`, async () => {
    if ((await ledger.phases.decisions(rolloutId)).some((one) => one.phase === phase)) return true;
    const judged = (await ledger.phases.list(rolloutId)).some((one) => one.phase === phase && one.judgedAt);
    if (!judged || (await ledger.rollouts.get(rolloutId))?.status !== 'Halted') return false;
    const input = { decision, phase, round: 1, who: 'ada', why: 'seen it' };
    const ask = () => handle.executeUpdate(decideUpdate, { args: [input] });
    await client.withDeadline(Date.now() + ASK_FOR_MS, ask).catch(() => undefined);
    return false;
  });
}

export async function untilAllIsOver({ env }: SurvivalWorld): Promise<void> {
  const noneRuns = async () => {
    const { count } = await env.client.workflow.count("ExecutionStatus = 'Running'");
    return count === 0;
  };
  await until('no workflow runs any more', noneRuns, COUNT_EVERY_MS);
}
