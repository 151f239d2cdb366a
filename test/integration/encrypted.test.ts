import { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { register } from 'tsx/cjs/api';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { HOUR } from '../../src/domain/clock.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { dataConverterOf } from '../../src/temporal/codec/data-converter.ts';
import { loadKeyRing } from '../../src/temporal/codec/key-ring.ts';
import { loadWorkflowBundle } from '../../src/temporal/workflow-bundle.ts';
import { workflowDirectory } from '../../src/temporal/workflow-directory.ts';
import type { imageRollout } from '../../src/workflows/index.ts';
import { statusQuery, TASK_QUEUE, type BatchUpgradeInput } from '../../src/workflows/messages.ts';
import { NEW_VERSION, TARGET, testSetId } from '../support/fleet.ts';
import { encodingsIn, recordedRuns, type RecordedRun } from '../support/recorded-bytes.ts';
import {
  endWorlds,
  passTimeUntil,
  QUICK,
  realEnvironment,
  rolloutWorld,
  startRollout,
  versionsOf,
  type RolloutWorld,
} from '../support/rollout.ts';
import { devServerEnvironment, type DevServerEnvironment } from '../support/temporal.ts';

// The SDK loads the failure converter by `require`, which does not know TypeScript here.
const unregister = register();
afterAll(unregister);

const key = (id: string, byte: number) => `${id}:${Buffer.alloc(32, byte).toString('base64')}`;
const converterOf = (...keys: string[]) => dataConverterOf(loadKeyRing({ PAYLOAD_KEYS: keys.join(',') }));
/** A new key is given to all before it is the first anywhere. */
const BEFORE = converterOf(key('first', 1), key('second', 2));
const AFTER = converterOf(key('second', 2), key('first', 1));

let server: DevServerEnvironment;
beforeAll(async () => {
  server = await devServerEnvironment();
});
afterEach(endWorlds);
afterAll(() => server.stop());

let encryptedBundle: Awaited<ReturnType<typeof loadWorkflowBundle>>;
beforeAll(async () => {
  encryptedBundle = await loadWorkflowBundle(BEFORE);
});

const clientWith = (dataConverter: DataConverter) =>
  new Client({ connection: server.connection, dataConverter });

/** A worker for the world with keys of its own, until a condition holds. */
async function work(
  { fleet, ledger }: RolloutWorld,
  dataConverter: DataConverter,
  until: () => Promise<unknown>,
): Promise<void> {
  const worker = await Worker.create({
    connection: server.nativeConnection,
    taskQueue: TASK_QUEUE,
    dataConverter,
    workflowBundle: encryptedBundle,
    activities: createActivities({ fleet, ledger, workflows: workflowDirectory(clientWith(dataConverter)) }),
  });
  await worker.runUntil(until);
}

/** @returns why each history that can't be replayed can't be */
async function replayProblems(histories: readonly RecordedRun[]): Promise<string[]> {
  const problems: string[] = [];
  const options = { workflowBundle: encryptedBundle, dataConverter: AFTER };
  for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
    if (error) problems.push(`${workflowId}: ${error.message}`);
  }
  return problems;
}

const WEB = { name: 'web', region: 'eastus', capacity: 5 };
const PHASES = [{ name: 'all', regions: ['eastus'] }];

it('a rollout under a key leaves no payload plain, not even of a failure', async () => {
  const client = clientWith(BEFORE);
  const world = await rolloutWorld(
    realEnvironment(() => ({ ...server, client })),
    [WEB],
    { speed: 1200, workerOptions: { dataConverter: AFTER, workflowBundle: encryptedBundle } },
  );
  await world.worker.runUntil(async () => {
    const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
    expect((await handle.result()).status).toBe('Completed');
    const late = client.workflow.execute('batchUpgrade', {
      workflowId: 'late',
      taskQueue: TASK_QUEUE,
      args: [lateBatch(world)],
    });
    await expect(late).rejects.toMatchObject({
      cause: { cause: { type: 'Fenced', message: expect.stringContaining('too late') } },
    });
  });

  const runs = await recordedRuns(clientWith(AFTER));
  const encodings = runs.flatMap(({ history }) => Object.keys(encodingsIn(history)));
  // Whoever started it here still has the old order of the keys.
  expect([...new Set(encodings)].toSorted()).toEqual(['binary/encrypted first', 'binary/encrypted second']);
  const failed = JSON.stringify(runs.find(({ workflowId }) => workflowId === 'late'));
  expect(failed).toContain('"message":"Encoded failure","source":"TypeScriptSDK"');
  expect(failed).not.toMatch(/nobody|too late|\.ts:/);
});

it('a rollout goes on while encryption is switched on, and can be read and replayed', async () => {
  const world = await rolloutWorld(
    realEnvironment(() => server),
    [WEB, { ...WEB, name: 'api', region: 'swedencentral' }],
    { speed: 1200 },
  );
  const settings = { ...QUICK, bakeTime: HOUR };
  const phases = [...PHASES, { name: 'second', regions: ['swedencentral'] }];
  const { workflowId } = await world.worker.runUntil(async () => {
    const started = await startRollout(world, { phases, settings });
    await passTimeUntil(world, () => isBaking(world, started.workflowId), '50 ms');
    return started;
  });
  await work(world, AFTER, async () => {
    const handle = clientWith(AFTER).workflow.getHandle<typeof imageRollout>(workflowId);
    expect(await handle.query(statusQuery)).toMatchObject({ level: 'image' });
    const withoutKeys = server.client.workflow.getHandle(workflowId);
    await expect(withoutKeys.query(statusQuery)).rejects.toThrow('encrypted');
    expect((await handle.result()).status).toBe('Completed');
  });
  for (const name of ['web', 'api']) expect(await versionsOf(world, name)).toEqual({ [NEW_VERSION]: 5 });

  const histories = await recordedRuns(clientWith(AFTER));
  const rollout = histories.find((one) => one.workflowId === workflowId);
  expect(Object.keys(encodingsIn(rollout?.history)).toSorted()).toEqual([
    'binary/encrypted second',
    'json/plain',
  ]);
  expect(await replayProblems(histories)).toEqual([]);
});

/** The one moment of a rollout at which no task is under way, which would be lost with its worker for 10 s. */
async function isBaking({ ledger }: RolloutWorld, rolloutId: string): Promise<boolean> {
  return (await ledger.phases.list(rolloutId)).some(({ bakeUntil }) => bakeUntil !== null);
}

/** A batch of another attempt, which comes after that of the rollout: its first activity is refused. */
function lateBatch({ clock }: RolloutWorld): BatchUpgradeInput {
  return {
    v: 1,
    rolloutId: 'late',
    scaleSetId: testSetId('web'),
    clock,
    target: TARGET,
    attempt: { id: 'nobody', fence: 1, number: 1 },
    batch: 1,
    zone: null,
    updateDomain: null,
    instanceIds: ['0'],
    restoresOnFailure: true,
    settings: DEFAULT_SETTINGS,
  };
}
