import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { createActivities } from '../../src/activities/index.ts';
import { MINUTE, virtualAt, type VirtualClock } from '../../src/domain/clock.ts';
import type { ImageVersion } from '../../src/domain/image.ts';
import type { PhasePlan } from '../../src/domain/phases.ts';
import { DEFAULT_SETTINGS, type RolloutSettings } from '../../src/domain/policy.ts';
import type { Fleet } from '../../src/fleet/port.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { Ledger, RecordedEntry, RolloutKind } from '../../src/ledger/port.ts';
import type { Database } from '../../src/database/database.ts';
import { workflowDirectory } from '../../src/temporal/workflow-directory.ts';
import { imageRolloutId } from '../../src/workflows/ids.ts';
import { TASK_QUEUE, type ImageRolloutInput } from '../../src/workflows/messages.ts';
import { bundleWorkflows } from './temporal.ts';

let bundle: Promise<WorkflowBundle> | undefined;

/** The bundle of all workflows, made once per test process. */
export function workflowBundle(): Promise<WorkflowBundle> {
  bundle ??= bundleWorkflows(new URL('../../src/workflows/index.ts', import.meta.url).pathname);
  return bundle;
}

/** A fleet with its ledger and a worker that upgrades it, on a Temporal environment that outlives it. */
export interface RolloutWorld {
  env: TestWorkflowEnvironment;
  fleet: Fleet;
  ledger: Ledger;
  worker: Worker;
  clock: VirtualClock;
}

/** A worker on the fleet; run a rollout inside `world.worker.runUntil(...)`. */
export async function rolloutWorld(
  env: TestWorkflowEnvironment,
  database: Database,
  fleet: Fleet,
): Promise<RolloutWorld> {
  const ledger = openLedger(database);
  const worker = await Worker.create({
    connection: env.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowBundle: await workflowBundle(),
    activities: createActivities({ fleet, ledger, workflows: workflowDirectory(env.client) }),
  });
  return { env, fleet, ledger, worker, clock: await fleet.clock() };
}

export interface StartOptions {
  target: ImageVersion;
  phases: PhasePlan[];
  settings?: Partial<RolloutSettings>;
  kind?: RolloutKind;
}

/** Virtual time of the environment's clock. */
export async function virtualNow({ env, clock }: RolloutWorld): Promise<number> {
  return virtualAt(clock, await env.currentTimeMs());
}

/** Records a rollout and starts its workflow, as the client library does. */
export async function startRollout(
  world: RolloutWorld,
  { target, phases, settings, kind = 'platform' }: StartOptions,
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
    startedAt: await virtualNow(world),
  });
  const input: ImageRolloutInput = { v: 1, rolloutId, clock: world.clock, target, phases, settings: all };
  return world.env.client.workflow.start('imageRollout', {
    workflowId: rolloutId,
    taskQueue: TASK_QUEUE,
    args: [input],
  });
}

/** All journal lines of a rollout, in the order in which they happened. */
export async function journalOf({ ledger }: RolloutWorld, rolloutId: string): Promise<RecordedEntry[]> {
  const entries = await ledger.journal.read({ rolloutId });
  return entries.toSorted((a, b) => a.at - b.at || a.seq - b.seq);
}

/** Short waits, for tests that are about something else. */
export const QUICK: Partial<RolloutSettings> = {
  triggerDelay: { min: 0, max: MINUTE },
  firstTriggerDelay: 0,
  bakeTime: MINUTE,
};
