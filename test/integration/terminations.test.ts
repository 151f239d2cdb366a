import { describe, expect, it, vi } from 'vitest';
import { scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { NEW_VERSION, OLD_VERSION, testSetId } from '../support/fleet.ts';
import {
  useRealServer,
  QUICK,
  expectNothingHalfDone,
  inBatch,
  journalOf,
  passTimeUntil,
  rolloutWorld,
  startRollout,
  versionsOf,
  type RolloutWorld,
} from '../support/rollout.ts';

/*
 * A real server: the time-skipping one never skips again after a workflow with a running activity was terminated.
 * A virtual minute is 0.2 s here.
 */
const env = useRealServer();

const PHASES = [{ name: 'canary', regions: ['eastus'] }];
const FRONT = testSetId('front');

function nineVms() {
  return rolloutWorld(env, [{ name: 'front', region: 'eastus', capacity: 9 }], { speed: 300 });
}

async function expectSwappedOnce(world: RolloutWorld, rolloutId: string): Promise<void> {
  const swaps = (await journalOf(world, rolloutId)).filter(
    (line) => line.operation === 'osDisk.swap' && line.event === 'started',
  );
  expect(swaps).toHaveLength(9);
  expect(new Set(swaps.map((line) => line.instanceId)).size).toBe(9);
}

describe('terminate, by hand in the Web UI', () => {
  for (const level of ['batch', 'scale set', 'region', 'phase'] as const) {
    it(`of the ${level} in the middle of a batch costs nothing: the rollout completes and no VM is swapped twice`, async () => {
      const world = await nineVms();
      const handle = await world.worker.runUntil(async () => {
        const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
        const ids = {
          batch: `${scaleSetRolloutId(FRONT)}/1/batch-2`,
          'scale set': scaleSetRolloutId(FRONT),
          region: `${handle.workflowId}/phase-1/eastus`,
          phase: `${handle.workflowId}/phase-1`,
        };
        await passTimeUntil(world, () => inBatch(world, 'front', 2), '20 ms', 2_000);
        // The batch is recorded a moment before its workflow starts.
        await vi.waitFor(() => env.client.workflow.getHandle(ids[level]).terminate('by hand'), 5_000);
        expect((await handle.result()).status).toBe('Completed');
        return handle;
      });
      expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 9 });
      await expectSwappedOnce(world, handle.workflowId);
      await expectNothingHalfDone(world, handle.workflowId, 'front');
    });
  }

  it('Reset of the scale set in the middle of a batch: the old batch gives way, and the new run finishes its work', async () => {
    const world = await nineVms();
    const handle = await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
      await passTimeUntil(world, () => inBatch(world, 'front', 2), '20 ms', 2_000);
      const workflowId = scaleSetRolloutId(FRONT);
      const { events } = await env.client.workflow.getHandle(workflowId).fetchHistory();
      const firstTask = events?.find((event) => event.workflowTaskCompletedEventAttributes);
      await env.client.workflowService.resetWorkflowExecution({
        namespace: 'default',
        workflowExecution: { workflowId },
        workflowTaskFinishEventId: firstTask?.eventId,
        reason: 'by hand',
        requestId: workflowId,
      });
      expect((await handle.result()).status).toBe('Completed');
      return handle;
    });
    expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 9 });
    await expectSwappedOnce(world, handle.workflowId);
    await expectNothingHalfDone(world, handle.workflowId, 'front');
  });

  it('of the rollout itself stops its sets at the end of the batch and closes its record; a new start completes', async () => {
    const world = await nineVms();
    await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
      await passTimeUntil(world, () => inBatch(world, 'front', 2), '20 ms', 2_000);
      await handle.terminate('by hand');
      await passTimeUntil(
        world,
        async () => (await world.ledger.rollouts.get(handle.workflowId))?.status === 'Cancelled',
        '20 ms',
        2_000,
      );
      expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 2, [OLD_VERSION]: 7 });
      await expectNothingHalfDone(world, handle.workflowId, 'front');
      const again = await startRollout(world, { phases: PHASES, settings: QUICK });
      expect((await again.result()).status).toBe('Completed');
    });
    expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 9 });
  });

  it('of everything at once leaves nothing that the next start does not finish', async () => {
    const world = await nineVms();
    await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: PHASES, settings: QUICK });
      await passTimeUntil(world, () => inBatch(world, 'front', 2), '20 ms', 2_000);
      const set = scaleSetRolloutId(FRONT);
      for (const id of [
        set,
        `${handle.workflowId}/phase-1/eastus`,
        `${handle.workflowId}/phase-1`,
        handle.workflowId,
      ]) {
        await env.client.workflow.getHandle(id).terminate('by hand');
      }
      expect(await world.ledger.attempts.listOpen()).toHaveLength(1);
      const again = await startRollout(world, { phases: PHASES, settings: QUICK });
      expect((await again.result()).status).toBe('Completed');
      const attempts = await world.ledger.attempts.listOf({ scaleSetId: FRONT });
      expect(attempts.map((attempt) => [attempt.status, attempt.reason?.code ?? null])).toEqual([
        ['Completed', null],
        ['Cancelled', 'Interrupted'],
      ]);
      await expectNothingHalfDone(world, again.workflowId, 'front');
    });
    expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 9 });
  });
});
