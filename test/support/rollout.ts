import { setTimeout as delay } from 'node:timers/promises';
import { msToNumber } from '@temporalio/common/lib/time.js';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkerOptions, type WorkflowBundle } from '@temporalio/worker';
import { createActivities } from '../../src/activities/index.ts';
import { MINUTE, virtualAt, type VirtualClock } from '../../src/domain/clock.ts';
import type { ImageVersion } from '../../src/domain/image.ts';
import type { PhasePlan } from '../../src/domain/phases.ts';
import { DEFAULT_SETTINGS, type RolloutSettings } from '../../src/domain/policy.ts';
import { openSimulatedFleet, type FleetSpec, type SimulatedFleet } from '../../src/fleet/index.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { Ledger, RecordedEntry, RolloutKind } from '../../src/ledger/port.ts';
import type { Database } from '../../src/database/database.ts';
import type { DevServerOptions } from '../../src/temporal/dev-server.ts';
import { workflowDirectory } from '../../src/temporal/workflow-directory.ts';
import {
  imageRolloutId,
  phaseRolloutId,
  regionRolloutId,
  scaleSetRolloutId,
  workflowIdOf,
} from '../../src/workflows/ids.ts';
import { TASK_QUEUE, type ImageRolloutInput } from '../../src/workflows/messages.ts';
import { temporaryDatabase } from './database.ts';
import { TARGET, fleetSpecOf, testSetId, type TestSet } from './fleet.ts';
import {
  bundleWorkflows,
  devServerEnvironment,
  timeSkippingEnvironment,
  type DevServerEnvironment,
} from './temporal.ts';

let bundle: Promise<WorkflowBundle> | undefined;

const worlds: (() => Promise<void>)[] = [];

/** Ends the worlds of a test, failed or not: give it to `afterEach`. */
export async function endWorlds(): Promise<void> {
  for (const end of worlds.splice(0)) await end();
}

/** The bundle of all workflows, made once per test process. */
export function workflowBundle(): Promise<WorkflowBundle> {
  bundle ??= bundleWorkflows(new URL('../../src/workflows/index.ts', import.meta.url).pathname);
  return bundle;
}

/** What a test needs of a Temporal server: the time-skipping one, or a real one. */
export type TemporalEnvironment = Pick<
  TestWorkflowEnvironment,
  'client' | 'nativeConnection' | 'currentTimeMs' | 'sleep'
>;

/** A fleet with its ledger on a Temporal environment, whoever upgrades it. */
export interface RolloutStage {
  env: Omit<TemporalEnvironment, 'nativeConnection'>;
  database: Database;
  fleet: SimulatedFleet;
  ledger: Ledger;
  clock: VirtualClock;
}

/** The same with a worker that upgrades it, on an environment that outlives both. */
export interface RolloutWorld extends RolloutStage {
  env: TemporalEnvironment;
  worker: Worker;
  /** Terminates whatever still runs, so that it stalls no later test in the same environment, and removes the database. */
  end(): Promise<void>;
}

interface WorldOptions {
  database?: Database;
  /** How its worker differs from the usual one. */
  workerOptions?: Partial<WorkerOptions>;
}

/** A fleet of these sets in a database of its own (or in one that is given), its clock the environment's, and a worker for it. */
export async function rolloutWorld(
  env: TemporalEnvironment,
  sets: readonly TestSet[],
  { database: given, workerOptions, ...more }: Partial<FleetSpec> & WorldOptions = {},
): Promise<RolloutWorld> {
  const own = given ? { ...given, remove: async () => undefined } : await temporaryDatabase();
  const database: Database = own;
  const fleet = await openSimulatedFleet(database);
  await fleet.seed(fleetSpecOf(sets, more), await env.currentTimeMs());
  const ledger = openLedger(database);
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowBundle: workerOptions?.workflowBundle ?? (await workflowBundle()),
    activities: createActivities({
      fleet: fleet.overApi(),
      ledger,
      workflows: workflowDirectory(env.client),
    }),
    ...workerOptions,
  });
  const world = { env, database, fleet, ledger, worker, clock: await fleet.clock() };
  const end = async () => {
    await terminateAll(world);
    await own.remove();
  };
  worlds.push(end);
  return { ...world, end };
}

/** Terminates whatever still runs of a ledger's rollouts. */
export async function terminateAll({ env, ledger }: Pick<RolloutStage, 'env' | 'ledger'>): Promise<void> {
  for (const id of await workflowIdsOf(ledger)) {
    await env.client.workflow
      .getHandle(id)
      .terminate('the test is over')
      .catch(() => undefined);
  }
}

/** The time-skipping server cannot list workflows, so their ids come from the ledger; parents first. */
export async function workflowIdsOf(ledger: Ledger): Promise<string[]> {
  const ids: string[] = [];
  for (const rollout of await ledger.rollouts.list()) {
    const phases = (await ledger.phases.list(rollout.id)).map((p) =>
      phaseRolloutId(rollout.id, p.phase, p.round),
    );
    const targets = await ledger.targets.list({ rolloutId: rollout.id });
    const regions = targets.map((t) =>
      regionRolloutId(phaseRolloutId(rollout.id, t.phase, t.round), t.region),
    );
    const attempts = await ledger.attempts.listOf({ rolloutId: rollout.id });
    const sets = [...targets, ...attempts].map((one) => scaleSetRolloutId(one.scaleSetId));
    ids.push(workflowIdOf(rollout), ...phases, ...regions, ...sets);
  }
  return [...new Set(ids)];
}

export interface StartOptions {
  target?: ImageVersion;
  phases: PhasePlan[];
  settings?: Partial<RolloutSettings>;
  kind?: RolloutKind;
}

/** Records a rollout and starts its workflow, as the client library does. */
export async function startRollout(
  world: RolloutStage,
  { target = TARGET, phases, settings, kind = 'platform' }: StartOptions,
) {
  const generation = (await world.ledger.rollouts.lastGeneration(target)) + 1;
  const rolloutId = imageRolloutId(target, generation);
  const all: RolloutSettings = { ...DEFAULT_SETTINGS, ...settings };
  await world.ledger.rollouts.create({
    id: rolloutId,
    kind,
    target,
    generation,
    phases,
    settings: all,
    startedBy: 'test',
    startedAt: virtualAt(world.clock, await world.env.currentTimeMs()),
  });
  const input: ImageRolloutInput = { v: 1, rolloutId, clock: world.clock, target, phases, settings: all };
  return world.env.client.workflow.start('imageRollout', {
    workflowId: rolloutId,
    taskQueue: TASK_QUEUE,
    args: [input],
  });
}

/** All journal lines of a rollout, in the order in which they happened. */
export async function journalOf({ ledger }: RolloutStage, rolloutId: string): Promise<RecordedEntry[]> {
  const entries = await ledger.journal.read({ rolloutId });
  return entries.toSorted((a, b) => a.at - b.at || a.seq - b.seq);
}

/** Short waits, for tests that are about something else. */
export const QUICK: Partial<RolloutSettings> = {
  triggerDelay: { min: 0, max: MINUTE },
  firstTriggerDelay: 0,
  bakeTime: MINUTE,
};

/** The versions that a set's instances run, by how many. */
export async function versionsOf(world: RolloutStage, name: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const at = virtualAt(world.clock, await world.env.currentTimeMs());
  for (const { osDisk } of await world.fleet.instances(testSetId(name), at)) {
    const version = osDisk?.source.version ?? 'no disk';
    counts[version] = (counts[version] ?? 0) + 1;
  }
  return counts;
}

/** Lets virtual time pass in small steps until a condition holds; fails after `limit` of them. */
export async function passTimeUntil(
  world: RolloutStage,
  condition: () => Promise<boolean>,
  step = '30 s',
  limit = 600,
) {
  for (let i = 0; i < limit; i++) {
    if (await condition()) return;
    await world.env.sleep(step);
  }
  throw new Error(`The condition did not hold within ${limit} x ${step}.`);
}

/** True while the named set's upgrade is in the middle of its n-th batch. */
export async function inBatch({ ledger }: RolloutStage, name: string, number: number): Promise<boolean> {
  const attempt = await ledger.attempts.openOf(testSetId(name));
  if (!attempt) return false;
  const batch = (await ledger.attempts.batches(attempt.id)).at(-1);
  return batch?.number === number && batch.endedAt === null;
}

/** Every operation that was started has ended, every instance has a disk, and nobody holds or waits for anything. */
export async function expectNothingHalfDone(
  world: RolloutWorld,
  rolloutId: string,
  name: string,
): Promise<void> {
  const journal = (await journalOf(world, rolloutId)).filter((line) => line.operation !== 'takeOver');
  const started = journal.filter((line) => line.event === 'started').length;
  expect(started).toBeGreaterThan(0);
  expect(journal.length - started).toBe(started);
  expect(await versionsOf(world, name)).not.toHaveProperty('no disk');
  expect(await world.ledger.claims.list()).toEqual([]);
  expect(await world.ledger.attempts.listOpen()).toEqual([]);
}

/** A real server as an environment: its time is this machine's. The server may be one that has yet to start. */
export function realEnvironment(server: () => DevServerEnvironment): TemporalEnvironment {
  return {
    get client() {
      return server().client;
    },
    get nativeConnection() {
      return server().nativeConnection;
    },
    currentTimeMs: async () => Date.now(),
    sleep: (duration) => delay(msToNumber(duration)),
  };
}

/** A real server for a test file, started before its tests and stopped after them; worlds end with their test. */
export function useRealServer(options: DevServerOptions = {}): TemporalEnvironment {
  let server: DevServerEnvironment;
  beforeAll(async () => {
    server = await devServerEnvironment(options);
  });
  afterEach(endWorlds);
  afterAll(() => server.stop());
  return realEnvironment(() => server);
}

/** A time-skipping server for a test file, started before its tests and stopped after them; worlds end with their test. */
export function useTimeSkippingServer(): TemporalEnvironment {
  let server: TestWorkflowEnvironment;
  beforeAll(async () => {
    server = await timeSkippingEnvironment();
  });
  afterEach(endWorlds);
  afterAll(() => server.teardown());
  return {
    get client() {
      return server.client;
    },
    get nativeConnection() {
      return server.nativeConnection;
    },
    currentTimeMs: () => server.currentTimeMs(),
    sleep: (duration) => server.sleep(duration),
  };
}
