import { describe, expect, it } from 'vitest';
import { rolloutScope } from '../../src/domain/scopes.ts';
import { scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { NEW_VERSION, OLD_VERSION, testSetId } from '../support/fleet.ts';
import {
  useRealServer,
  QUICK,
  expectNothingHalfDone,
  inBatch,
  passTimeUntil,
  rolloutWorld,
  startRollout,
  versionsOf,
} from '../support/rollout.ts';

const env = useRealServer();

/** The server refuses a task that starts a child and cancels it: a workflow that tries is stuck for ever. */
describe("a child that is terminated after Temporal's Cancel of its rollout", () => {
  for (const level of ['phase', 'region'] as const) {
    it(`begins anew as the ${level}, is cancelled as well, and the rollout ends`, async () => {
      const world = await rolloutWorld(env, [{ name: 'front', region: 'eastus', capacity: 9 }], {
        speed: 300,
      });
      const handle = await world.worker.runUntil(async () => {
        const handle = await startRollout(world, {
          phases: [{ name: 'canary', regions: ['eastus'] }],
          settings: QUICK,
        });
        await passTimeUntil(world, () => inBatch(world, 'front', 2), '20 ms', 2_000);
        await handle.cancel();
        const ids = { phase: `${handle.workflowId}/phase-1`, region: `${handle.workflowId}/phase-1/eastus` };
        await env.client.workflow.getHandle(ids[level]).terminate('by hand');
        expect((await handle.result()).status).toBe('Cancelled');
        return handle;
      });
      expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 2, [OLD_VERSION]: 7 });
      await expectNothingHalfDone(world, handle.workflowId, 'front');
    });
  }
});

describe('a scale set that is terminated while its rollout is being cancelled', () => {
  it('is finished to the end of its batch, and the rollout ends', async () => {
    const world = await rolloutWorld(env, [{ name: 'front', region: 'eastus', capacity: 9 }], { speed: 300 });
    const handle = await world.worker.runUntil(async () => {
      const handle = await startRollout(world, {
        phases: [{ name: 'canary', regions: ['eastus'] }],
        settings: QUICK,
      });
      await passTimeUntil(world, () => inBatch(world, 'front', 2), '20 ms', 2_000);
      // Nobody is woken: the termination itself is what has the region look, and see the cancel.
      const scope = rolloutScope(handle.workflowId);
      await world.ledger.orders.set({ scope, state: 'cancelled', who: 'ada', why: 'because', at: 0 });
      await env.client.workflow.getHandle(scaleSetRolloutId(testSetId('front'))).terminate('by hand');
      expect((await handle.result()).status).toBe('Cancelled');
      return handle;
    });
    expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 2, [OLD_VERSION]: 7 });
    await expectNothingHalfDone(world, handle.workflowId, 'front');
  });
});
