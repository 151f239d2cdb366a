import { describe, expect, it } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { MINUTE } from '../../src/domain/clock.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { testSetId } from '../support/fleet.ts';
import {
  ROLLOUT_ID,
  activityWorld,
  asBatch,
  at,
  batchInput,
  configuredBatch,
  healthInput,
  oneSet,
  regionLook,
  removeWorldsAfterEach,
  setLook,
} from './support.ts';

removeWorldsAfterEach();

/** A first batch that is configured, and another run of the set's workflow that has taken the attempt over since. */
async function overtaken() {
  const { world, id } = await oneSet();
  const { look, configuredAt } = await configuredBatch(world, id);
  const workflow = { ...setLook(id).workflow, runId: 'a later run' };
  const later = await world.activities.lookAtScaleSet(setLook(id, { workflow, at: configuredAt }));
  expect(later.attempt.fence).toBeGreaterThan(look.attempt.fence);
  return { world, id, look, later, configuredAt };
}

describe('an attempt that was taken over', () => {
  it('stops the batch of the run before, which would wait for health for ever', async () => {
    const { world, id, look, configuredAt } = await overtaken();
    const check = world.activities.checkHealth(healthInput(id, look, configuredAt + MINUTE));
    await expect(check).rejects.toMatchObject({ type: 'Fenced', nonRetryable: true });
  });

  it('lets no look of the run before open a batch', async () => {
    const { world, id, look } = await overtaken();
    const stale = world.activities.lookAtScaleSet(setLook(id, { attempt: look.attempt, at: at(600) }));
    await expect(stale).rejects.toMatchObject({ type: 'Fenced', nonRetryable: true });
  });

  it('refuses steps of the run before that were not begun', async () => {
    const { world, id, look, configuredAt } = await overtaken();
    const others = { ...batchInput(id, look, configuredAt), instanceIds: ['1', '6'] };
    await expect(world.activities.swapOsDisks(others)).rejects.toMatchObject({ type: 'Fenced' });
  });
});

describe('a worker that was away in the middle of a look at a region', () => {
  it('begins no set that another has upgraded meanwhile, and keeps the region for nobody (D1)', async () => {
    const world = await activityWorld([{ name: 'front', region: 'eastus', capacity: 3 }]);
    const { claims, targets } = world.ledger;
    await world.activities.lookAtRegion(regionLook({}));
    const key = { rolloutId: ROLLOUT_ID, scaleSetId: testSetId('front') };
    const request: typeof claims.request = async (...args) => {
      await targets.update(key, { status: 'upgraded' });
      return claims.request(...args);
    };
    const activities = createActivities({
      fleet: world.fleet,
      ledger: { ...world.ledger, claims: { ...claims, request } },
      workflows: { isOpen: async () => true, wake: async () => undefined, windDown: async () => undefined },
    });
    const late = at(0) + DEFAULT_SETTINGS.triggerDelay.max;
    expect(await activities.lookAtRegion(regionLook({ at: late }))).toMatchObject({ start: [] });
    expect(await targets.get(key.rolloutId, key.scaleSetId)).toMatchObject({ status: 'upgraded' });
    expect(await claims.list()).toEqual([]);
  });
});

describe('two workers that look at a set at the same time', () => {
  it('carry out one batch: the one that was recorded first (B2, B3)', async () => {
    const { world, id } = await oneSet();
    const { attempts } = world.ledger;
    // Just before this worker records its batch, another one has recorded its own, of what it saw.
    const openBatch: typeof attempts.openBatch = async (attempt, batch, instances, progress) => {
      const others = ['1', '6'].map((instanceId) => ({ instanceId, zone: null, updateDomain: 1 }));
      const seen = others.map((one) => ({ ...one, from: null, wasHealthy: true }));
      await attempts.openBatch(attempt, { ...batch, updateDomain: 1 }, seen, progress);
      return attempts.openBatch(attempt, batch, instances, progress);
    };
    const activities = createActivities({
      fleet: world.fleet,
      ledger: { ...world.ledger, attempts: { ...attempts, openBatch } },
      workflows: { isOpen: async () => true, wake: async () => undefined, windDown: async () => undefined },
    });
    const look = asBatch(await activities.lookAtScaleSet(setLook(id)));
    expect(look).toMatchObject({ batch: 1, updateDomain: 1, instanceIds: ['1', '6'] });
    expect(await attempts.instances(look.attempt.id)).toHaveLength(2);
  });
});
