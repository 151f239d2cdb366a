import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import {
  at,
  batchInput,
  configuredBatch,
  healthInput,
  oneSet,
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
