import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { decide, giveOrder, publish, startScaleSet, type ClientContext } from '../src/client/index.ts';
import { imageLabel } from '../src/domain/image.ts';
import type { Scope } from '../src/domain/scopes.ts';
import { IMAGE_WATCH_SCHEDULE } from '../src/temporal/image-watch-schedule.ts';
import { batchUpgradeId, scaleSetRolloutId } from '../src/workflows/ids.ts';
import { imageWatch } from '../src/workflows/image-watch.ts';
import { TASK_QUEUE } from '../src/workflows/messages.ts';
import { HISTORIES, scrubbed } from '../test/replay/histories.ts';
import { NEW_VERSION, TARGET, testSetId, type TestSet } from '../test/support/fleet.ts';
import {
  QUICK,
  realEnvironment,
  rolloutWorld,
  startRollout,
  type RolloutWorld,
} from '../test/support/rollout.ts';
import { devServerEnvironment, historyToJson, type DevServerEnvironment } from '../test/support/temporal.ts';

/*
 * `npm run record-histories`: runs a small rollout in which much happens, on a real server, and keeps the histories of its
 * workflows for this release (the version in package.json), in place of those recorded for it before. Do it for each
 * release, when its workflow code is final; the replay tests prove then that later code can go on with open workflows.
 */

const SETS: TestSet[] = [
  { name: 'zonal', region: 'eastus', capacity: 3, zones: ['1', '2', '3'] },
  // One of its VMs is restored; the limits let it go on all the same.
  {
    name: 'restored',
    region: 'eastus',
    capacity: 2,
    rollingUpgradePolicy: { maxUnhealthyInstancePercent: 100, maxUnhealthyUpgradedInstancePercent: 100 },
  },
  { name: 'manual', region: 'eastus', capacity: 1 },
  { name: 'dark', region: 'eastus', capacity: 1 },
  { name: 'ordered', region: 'westus', capacity: 4 },
];

const FAULTS = [
  { kind: 'neverHealthy' as const, version: NEW_VERSION, scaleSet: 'restored', instances: ['1'] },
  { kind: 'apiError' as const, operation: 'model.apply' as const, effect: 'after' as const, times: 1 },
  { kind: 'apiError' as const, operation: 'any' as const, effect: 'before' as const, scaleSet: 'dark' },
];

const PHASES = [
  { name: 'canary', regions: ['eastus'] },
  { name: 'broad', regions: ['westus'] },
];

const LATER_VERSION = '22.04.202512200';

/** A region and a set continue as new several times below this. */
const SETTINGS = { ...QUICK, maxHistoryEvents: 30, maxConcurrentScaleSets: 2 };

/** A virtual minute takes a fifth of a second. */
const SPEED = 300;

const WHO = { who: 'ada', why: 'recording' };

/** Which run of a workflow that has continued as new. */
type Run = 'first' | 'last';

async function main(): Promise<void> {
  const server = await devServerEnvironment();
  try {
    const world = await rolloutWorld(
      realEnvironment(() => server),
      SETS,
      { speed: SPEED, faults: FAULTS },
    );
    try {
      const rolloutId = await world.worker.runUntil(() => runScenario(world, server));
      await keep(world, situations(rolloutId));
    } finally {
      await world.end();
    }
  } finally {
    await server.stop();
  }
}

/** What happens is told by the names of `situations`. Ends with a rollout that a person aborts in its second phase. */
async function runScenario(
  world: RolloutWorld,
  { client, connection }: DevServerEnvironment,
): Promise<string> {
  const { ledger, fleet } = world;
  const context: ClientContext = { ledger, fleet, temporal: async () => ({ client, connection }) };
  const order = (state: 'paused' | 'running', scope: Scope) => giveOrder(context, { scope, state, ...WHO });

  const manual = await startScaleSet(context, { scaleSet: 'manual', ...WHO });
  await client.workflow.getHandle(manual.workflowId).result();

  const rollout = await startRollout(world, { phases: PHASES, settings: SETTINGS });
  const rolloutId = rollout.workflowId;
  const isHalted = async (round: number) => {
    const judged = (await ledger.phases.list(rolloutId)).filter((phase) => phase.judgedAt !== null);
    return (await ledger.rollouts.get(rolloutId))?.status === 'Halted' && judged.length === round;
  };
  await until('the canary halts', () => isHalted(1));
  await decide(context, { rolloutId, decision: 'proceed', ...WHO });

  const ordered = client.workflow.getHandle(scaleSetRolloutId(testSetId('ordered')));
  await until('a first batch', async () => (await batchesOf(world, 'ordered')) === 1);
  await order('paused', { kind: 'rollout', rolloutId });
  await until('the set waits for a resume', async () => isPaused(ordered));
  await order('running', { kind: 'rollout', rolloutId });
  await until('a second batch', async () => (await batchesOf(world, 'ordered')) === 2);
  await ordered.cancel();
  await until('the second phase halts', () => isHalted(2));
  await decide(context, { rolloutId, decision: 'abort', ...WHO });
  await rollout.result();
  await pickUp(world, context, rollout);
  return rolloutId;
}

/** A later version, which a look at all images starts, and which a person ends at once. */
async function pickUp(world: RolloutWorld, context: ClientContext, { workflowId }: { workflowId: string }) {
  const { image } = TARGET;
  await publish({ ...context, ...world }, { image: imageLabel(image), version: LATER_VERSION });
  const { client } = world.env;
  const options = { workflowId: IMAGE_WATCH_SCHEDULE, taskQueue: TASK_QUEUE };
  const { started } = await client.workflow.execute(imageWatch, { ...options, args: [{ v: 1 }] });
  const [picked] = started;
  if (picked === undefined || picked === workflowId) throw new Error('Nothing was picked up.');
  await giveOrder(context, { scope: { kind: 'rollout', rolloutId: picked }, state: 'cancelled', ...WHO });
  await client.workflow.getHandle(picked).result();
}

async function batchesOf({ ledger }: RolloutWorld, name: string): Promise<number> {
  const attempt = await ledger.attempts.openOf(testSetId(name));
  return attempt === null ? 0 : (await ledger.attempts.batches(attempt.id)).length;
}

async function isPaused(handle: WorkflowHandle): Promise<boolean> {
  const status = await handle.query<{ waitingFor: { what: string } | null }>('status');
  return status.waitingFor?.what.startsWith('paused') ?? false;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}.`);
    await delay(20);
  }
}

/** File name, workflow and run of all that is kept: one of each kind of workflow and situation. */
function situations(rolloutId: string): [file: string, workflowId: string, run: Run][] {
  const set = (name: string) => scaleSetRolloutId(testSetId(name));
  const batch = (name: string, number: number) => batchUpgradeId(set(name), 1, number);
  return [
    ['image-rollout-halted-proceeded-aborted', rolloutId, 'last'],
    ['phase-rollout-judged', `${rolloutId}/phase-1`, 'last'],
    ['region-rollout-continues-as-new', `${rolloutId}/phase-1/eastus`, 'first'],
    ['region-rollout-continued', `${rolloutId}/phase-1/eastus`, 'last'],
    ['scale-set-rollout-zonal', set('zonal'), 'first'],
    ['scale-set-rollout-continued', set('zonal'), 'last'],
    ['scale-set-rollout-paused-cancelled', set('ordered'), 'last'],
    ['scale-set-rollout-manual', set('manual'), 'last'],
    ['scale-set-rollout-unreachable', set('dark'), 'last'],
    ['image-watch', IMAGE_WATCH_SCHEDULE, 'last'],
    ['batch-upgrade-asked-again', batch('manual', 1), 'last'],
    ['batch-upgrade-healthy', batch('zonal', 1), 'last'],
    ['batch-upgrade-restored', batch('restored', 2), 'last'],
  ];
}

async function keep({ env }: RolloutWorld, all: ReturnType<typeof situations>): Promise<void> {
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  const folder = join(HISTORIES, version);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  let total = 0;
  for (const [file, workflowId, run] of all) {
    const json = scrubbed(await historyOf(env.client, workflowId, run));
    await writeFile(join(folder, `${file}.json`), json);
    total += json.length;
    console.log(`${String(json.length).padStart(7)}  ${file}`);
  }
  console.log(`${String(total).padStart(7)}  bytes in ${folder}`);
}

/** Runs are followed back from the last one: each names the one that it continues. */
async function historyOf(
  client: RolloutWorld['env']['client'],
  workflowId: string,
  run: Run,
): Promise<string> {
  const fetch = (runId?: string) => client.workflow.getHandle(workflowId, runId).fetchHistory();
  let history = await fetch();
  if (run === 'last') return historyToJson(history);
  for (;;) {
    const before = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
    if (!before) return historyToJson(history);
    history = await fetch(before);
  }
}

await main();
