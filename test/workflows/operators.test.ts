import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { virtualAt } from '../../src/domain/clock.ts';
import { ALL, rolloutScope, scaleSetScope } from '../../src/domain/scopes.ts';
import type { DesiredState } from '../../src/ledger/port.ts';
import { scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { lookAgainSignal, statusQuery } from '../../src/workflows/messages.ts';
import { NEW_VERSION, OLD_VERSION, testSetId } from '../support/fleet.ts';
import {
  QUICK,
  passTimeUntil,
  rolloutWorld,
  startRollout,
  versionsOf,
  type RolloutWorld,
  expectNothingHalfDone,
  inBatch,
  useTimeSkippingServer,
} from '../support/rollout.ts';

const env = useTimeSkippingServer();

const PHASES = [{ name: 'canary', regions: ['eastus'] }];
const FRONT = testSetId('front');

/** One set of nine: nine batches of one VM, of two minutes and more each. */
function nineVms(capacity = 9) {
  return rolloutWorld(env, [{ name: 'front', region: 'eastus', capacity }]);
}

const batchesDone = async (world: RolloutWorld) => {
  const [attempt] = await world.ledger.attempts.listOf({ scaleSetId: FRONT });
  if (!attempt) return 0;
  return (await world.ledger.attempts.batches(attempt.id)).filter((batch) => batch.endedAt !== null).length;
};

async function order(
  world: RolloutWorld,
  scope: string,
  state: DesiredState,
  ...wake: WorkflowHandle[]
): Promise<void> {
  await world.ledger.orders.set({ scope, state, who: 'ada', why: 'because', at: 0 });
  for (const handle of wake) await handle.signal(lookAgainSignal);
}

describe('pause and resume', () => {
  for (const [level, scope] of [
    ['everything', () => ALL],
    ['the rollout', (id: string) => rolloutScope(id)],
    ['the scale set', () => scaleSetScope(FRONT)],
  ] as const) {
    it(`pauses ${level} at the end of a batch and goes on where it stood`, async () => {
      const world = await nineVms();
      const result = await world.worker.runUntil(async () => {
        const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
        const set = env.client.workflow.getHandle(scaleSetRolloutId(FRONT));
        await passTimeUntil(world, () => inBatch(world, 'front', 3));
        await order(world, scope(handle.workflowId), 'paused', set);
        await env.sleep('3 hours');
        expect(await batchesDone(world)).toBe(3);
        expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 3, [OLD_VERSION]: 6 });
        expect((await set.query(statusQuery)).waitingFor?.what).toContain('paused');
        expect(await world.ledger.claims.list({ group: 'zones/eastus' })).toEqual([]);
        await order(world, scope(handle.workflowId), 'running', set);
        return handle.result();
      });
      expect(result.status).toBe('Completed');
      expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 9 });
    });
  }

  it('needs no wake-up: a paused set looks again by itself', async () => {
    const world = await nineVms(3);
    const result = await world.worker.runUntil(async () => {
      await order(world, ALL, 'paused');
      const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
      await env.sleep('5 hours');
      expect(await versionsOf(world, 'front')).toEqual({ [OLD_VERSION]: 3 });
      await order(world, ALL, 'running');
      return handle.result();
    });
    expect(result.status).toBe('Completed');
  });
});

describe('a scale set that is deleted in mid-upgrade', () => {
  it('ends its attempt, holds no zone, and leaves the sum of its phase', async () => {
    const zones = ['1', '2', '3'];
    const world = await rolloutWorld(env, [
      { name: 'front', region: 'eastus', capacity: 9, zones },
      { name: 'other', region: 'eastus', capacity: 6, zones },
    ]);
    const result = await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
      await passTimeUntil(world, () => inBatch(world, 'front', 2));
      await world.fleet.deleteScaleSet(FRONT, virtualAt(world.clock, await env.currentTimeMs()));
      return handle.result();
    });
    expect(result.status).toBe('Completed');
    expect(await versionsOf(world, 'other')).toEqual({ [NEW_VERSION]: 6 });
    expect(await world.ledger.claims.list()).toEqual([]);
    expect(await world.ledger.attempts.listOpen()).toEqual([]);
  });
});

describe('cancel', () => {
  it('by an order stops at the end of the batch and ends the rollout as Cancelled', async () => {
    const world = await nineVms();
    const handle = await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
      await passTimeUntil(world, () => inBatch(world, 'front', 2));
      await order(
        world,
        rolloutScope(handle.workflowId),
        'cancelled',
        env.client.workflow.getHandle(scaleSetRolloutId(FRONT)),
      );
      expect(await handle.result()).toMatchObject({
        status: 'Cancelled',
        reason: { message: 'Cancelled by ada: because' },
      });
      return handle;
    });
    expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 2, [OLD_VERSION]: 7 });
    expect((await world.ledger.rollouts.get(handle.workflowId))?.status).toBe('Cancelled');
    await expectNothingHalfDone(world, handle.workflowId, 'front');
  });

  for (const level of ['rollout', 'phase', 'region', 'scale set'] as const) {
    it(`by Temporal's Cancel of the ${level} stops at the end of the batch`, async () => {
      const world = await nineVms();
      const handle = await world.worker.runUntil(async () => {
        const handle = await startRollout(world, {
          phases: PHASES,
          settings: { ...QUICK, failureTolerancePercent: 100 },
        });
        const ids = {
          rollout: handle.workflowId,
          phase: `${handle.workflowId}/phase-1`,
          region: `${handle.workflowId}/phase-1/eastus`,
          'scale set': scaleSetRolloutId(FRONT),
        };
        await passTimeUntil(world, () => inBatch(world, 'front', 2));
        await env.client.workflow.getHandle(ids[level]).cancel();
        const result = await handle.result();
        expect(result.status).toBe(level === 'scale set' || level === 'region' ? 'Completed' : 'Cancelled');
        return handle;
      });
      expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 2, [OLD_VERSION]: 7 });
      const [attempt] = await world.ledger.attempts.listOf({ scaleSetId: FRONT });
      expect(attempt).toMatchObject({ status: 'Cancelled', reason: { code: 'CancelRequested' } });
      await expectNothingHalfDone(world, handle.workflowId, 'front');
    });
  }
});
