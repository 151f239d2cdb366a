import { WorkflowExecutionAlreadyStartedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { workflowIdOf } from '../../src/workflows/ids.ts';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { awaitedBy } from '../../src/client/gates.ts';
import { workflowsIn } from '../../src/activities/workflows-in-scope.ts';
import { MINUTE, type Instant, type VirtualClock } from '../../src/domain/clock.ts';
import { openSimulatedFleet, type SimulatedFleet } from '../../src/fleet/index.ts';
import { openLedger } from '../../src/ledger/index.ts';
import type { Decision, DecisionKind, Ledger, Rollout } from '../../src/ledger/port.ts';
import type { RehearsalEnd } from '../../src/rehearsal/rehearsal.ts';
import { workflowDirectory } from '../../src/temporal/workflow-directory.ts';
import {
  TASK_QUEUE,
  decideUpdate,
  statusQuery,
  type ScaleSetRolloutInput,
} from '../../src/workflows/messages.ts';
import { temporaryDatabase } from '../support/database.ts';
import { EPOCH } from '../support/fleet.ts';
import { terminateAll, workflowIdsOf } from '../support/rollout.ts';
import { SkippedTime } from '../support/skipped-time.ts';
import type { Engine, OpenEngine } from './engine.ts';
import { START, fleetOfCase } from './fleet.ts';
import type { RealWorker } from './real-worker.ts';
import { Turnstile } from './turnstile.ts';
import { watchedActivities } from './watched-activities.ts';

/** Virtual time between two looks at whether it is over, or waits for a decision. */
const LOOK = 5 * MINUTE;

/**
 * Rollouts by the workflows, on a worker and a server that skips time. Terminations are left out of a case: that server
 * tells no parent that a child was terminated, so that nobody would go on.
 */
export function realWorkflows(real: RealWorker): OpenEngine {
  const { env } = real;
  return async (options) => {
    const database = await temporaryDatabase();
    const fleet = await openSimulatedFleet(database);
    await fleet.seed(fleetOfCase(options.given), (await env.currentTimeMs()) - (START - EPOCH));
    const ledger = openLedger(database);
    const workflows = workflowDirectory(env.client);
    const turnstile = new Turnstile();
    const worker = await real.serve(
      watchedActivities({ fleet: fleet.overApi(), ledger, workflows }, turnstile, options),
    );
    const clock = await fleet.clock();
    const time = new SkippedTime(env, worker, clock, START);
    const world = { env, fleet, ledger, workflows, turnstile, clock, time, limit: START + options.limit };
    return new RealWorkflows(world, async () => {
      await terminateAll({ env, ledger });
      await database.remove();
    });
  };
}

interface World extends Pick<Engine, 'fleet' | 'ledger' | 'workflows'> {
  env: TestWorkflowEnvironment;
  clock: VirtualClock;
  time: SkippedTime;
  turnstile: Turnstile;
  limit: Instant;
}

class RealWorkflows implements Engine {
  readonly fleet: SimulatedFleet;
  readonly ledger: Ledger;
  readonly workflows: Engine['workflows'];
  readonly close: Engine['close'];
  readonly #world: World;
  /** In the order in which they are to happen. */
  #actions: { moment: Instant; action: () => Promise<void> | void }[] = [];

  constructor(world: World, close: Engine['close']) {
    this.#world = world;
    this.fleet = world.fleet;
    this.ledger = world.ledger;
    this.workflows = world.workflows;
    this.close = close;
  }

  get now(): Instant {
    return this.#world.time.now;
  }

  at(moment: Instant, action: () => Promise<void> | void): void {
    this.#actions.push({ moment, action });
    this.#actions = this.#actions.toSorted((a, b) => a.moment - b.moment);
  }

  async start(rollout: Rollout, scaleSet?: { id: string; region: string }): Promise<void> {
    const { id: rolloutId, target, settings, phases } = rollout;
    const input = { v: 1 as const, rolloutId, clock: this.#world.clock, target, settings };
    const { workflow } = this.#world.env.client;
    const options = { workflowId: workflowIdOf(rollout), taskQueue: TASK_QUEUE };
    if (!scaleSet) {
      await workflow.start('imageRollout', { ...options, args: [{ ...input, phases }] });
      return;
    }
    const { id: scaleSetId, region } = scaleSet;
    const args: [ScaleSetRolloutInput] = [{ ...input, scaleSetId, phase: null, region }];
    try {
      await workflow.start('scaleSetRollout', { ...options, args });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      // Its region began it a moment before (rule B12).
      const reason = { code: 'OperationNotAllowed', message: error.message };
      await this.ledger.rollouts.setStatus(rolloutId, 'Cancelled', this.now, reason);
    }
  }

  async wakeAll(): Promise<void> {
    await this.workflows.wake(await workflowsIn(this.ledger, { kind: 'all' }));
  }

  async cancel(isMeant: (workflowId: string) => boolean): Promise<void> {
    const meant = (await workflowsIn(this.ledger, { kind: 'all' })).filter(isMeant);
    const cancel = (id: string) => this.#world.env.client.workflow.getHandle(id).cancel();
    await Promise.all(meant.map((id) => cancel(id).catch(() => undefined)));
  }

  async decide(
    rolloutId: string,
    decision: DecisionKind,
    who: string,
    why: string,
  ): Promise<Decision | null> {
    const rollout = await this.ledger.rollouts.get(rolloutId);
    const awaited = rollout && awaitedBy(rollout, await this.ledger.phases.list(rolloutId));
    if (!awaited) return null;
    const { phase, round } = awaited;
    try {
      const handle = this.#world.env.client.workflow.getHandle(rolloutId);
      return await handle.executeUpdate(decideUpdate, { args: [{ decision, who, why, phase, round }] });
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) return null;
      throw error;
    }
  }

  async run(): Promise<RehearsalEnd> {
    for (;;) {
      const next = this.#actions[0];
      await this.#world.time.passUntil(next?.moment ?? this.now + LOOK);
      if (next) {
        this.#actions.shift();
        await this.#world.turnstile.alone(next.action);
        continue;
      }
      const end = await this.#end();
      if (end !== null) return end;
    }
  }

  async waits(): Promise<string[]> {
    const ask = async (id: string) => {
      const { doing, waitingFor } = await this.#world.env.client.workflow.getHandle(id).query(statusQuery);
      return `${id}: ${waitingFor?.what ?? doing}`;
    };
    return Promise.all((await this.#open()).map(ask));
  }

  /** Null while things go on without anybody. */
  async #end(): Promise<RehearsalEnd | null> {
    const rollouts = await this.ledger.rollouts.list();
    const unended = rollouts.filter(({ endedAt }) => endedAt === null);
    if (unended.every(({ status }) => status === 'Halted')) {
      const waiting = new Set(unended.map(({ id }) => id));
      const open = await this.#open();
      if (open.every((id) => waiting.has(id))) return open.length === 0 ? 'ended' : 'waitsForDecision';
    }
    return this.now > this.#world.limit ? 'outOfTime' : null;
  }

  async #open(): Promise<string[]> {
    const ids = await workflowIdsOf(this.ledger);
    const open = await Promise.all(ids.map((id) => this.workflows.isOpen(id)));
    return ids.filter((_, i) => open[i]);
  }
}
