import { expect, it } from 'vitest';
import { createActivities, type HealthWait } from '../../src/activities/index.ts';
import { MINUTE, SECOND } from '../../src/domain/clock.ts';
import { NEW_VERSION } from '../support/fleet.ts';
import {
  activityWorld,
  configuredBatch,
  healthInput,
  removeWorldsAfterEach,
  setLook,
  type ActivityWorld,
} from './support.ts';

removeWorldsAfterEach();

/** Activities of the same fleet and ledger, whose listener writes down what it hears. */
function heard(world: ActivityWorld) {
  const waits: HealthWait[] = [];
  const takenOver: string[] = [];
  const workflows = {
    isOpen: async () => true,
    wake: async () => undefined,
    windDown: async () => undefined,
  };
  const listener = {
    takenOver: (attempt: { id: string }) => void takenOver.push(attempt.id),
    healthWaitEnded: (wait: HealthWait) => void waits.push(wait),
  };
  const { fleet, ledger } = world;
  return { waits, takenOver, activities: createActivities({ fleet, ledger, workflows, listener }) };
}

it('whoever listens hears of an attempt that is taken over, and not of one that the same run asks for again', async () => {
  const world = await activityWorld([{ name: 'web', region: 'eastus', capacity: 5 }]);
  const id = world.scaleSetIds[0] ?? '';
  const { takenOver, activities } = heard(world);
  const { attempt } = await activities.lookAtScaleSet(setLook(id));
  await activities.lookAtScaleSet(setLook(id));
  expect(takenOver).toEqual([]);
  await activities.lookAtScaleSet(setLook(id, { workflow: { ...setLook(id).workflow, runId: 'later' } }));
  expect(takenOver).toEqual([attempt.id]);
});

it('whoever listens hears how long VMs waited for health, once all of a batch have ended (rule B5)', async () => {
  const faults = [{ kind: 'neverHealthy' as const, version: NEW_VERSION, instances: ['5'] }];
  const world = await activityWorld([{ name: 'web', region: 'eastus', capacity: 10 }], { faults });
  const id = world.scaleSetIds[0] ?? '';
  const { look, configuredAt } = await configuredBatch(world, id);
  const { waits, activities } = heard(world);
  await activities.checkHealth(healthInput(id, look, configuredAt + MINUTE));
  expect(waits).toEqual([]);
  await activities.checkHealth(healthInput(id, look, configuredAt + 6 * MINUTE));
  expect(waits).toHaveLength(look.instanceIds.length);
  expect(waits.filter(({ isHealthy }) => !isHealthy)).toEqual([{ duration: 5 * MINUTE, isHealthy: false }]);
  for (const { duration } of waits.filter(({ isHealthy }) => isHealthy))
    expect(duration).toBeGreaterThanOrEqual(15 * SECOND);
});
