import { describe, expect, it } from 'vitest';
import { workerSettings } from '../../src/temporal/worker-settings.ts';

describe("a worker's settings", () => {
  it('are those that were measured, when none are set or all are empty', () => {
    const usual = {
      workflows: true,
      regions: [],
      workflowSlots: 40,
      activitySlots: 100,
      lookSlots: 50,
      cachedWorkflows: 2_000,
      pollers: 'autoscaling',
      imageWatch: false,
    };
    expect(workerSettings({})).toEqual(usual);
    expect(workerSettings({ WORKER_REGIONS: '', WORKER_POLLERS: '', WORKER_WORKFLOWS: '' })).toEqual(usual);
  });

  it('name regions as people write them, each once, or all', () => {
    const given = { WORKER_REGIONS: ' East US, westus2,,eastus ', WORKER_WORKFLOWS: 'false' };
    expect(workerSettings(given)).toMatchObject({ regions: ['eastus', 'westus2'], workflows: false });
    expect(workerSettings({ WORKER_REGIONS: ' * ' }).regions).toBe('all');
  });

  it('have the image watch switched on', () => {
    expect(workerSettings({ WORKER_IMAGE_WATCH: 'true' }).imageWatch).toBe(true);
    expect(() => workerSettings({ WORKER_IMAGE_WATCH: 'maybe' })).toThrow('give true or false');
  });

  it('take numbers of slots and pollers', () => {
    const given = { WORKER_ACTIVITY_SLOTS: '1', WORKER_LOOK_SLOTS: '7', WORKER_POLLERS: '4' };
    expect(workerSettings(given)).toMatchObject({ activitySlots: 1, lookSlots: 7, pollers: 4 });
  });

  it.each([
    [{ WORKER_ACTIVITY_SLOTS: '0' }, 'WORKER_ACTIVITY_SLOTS is "0": give a whole number from 1 to 10000.'],
    [{ WORKER_LOOK_SLOTS: '1e3' }, 'WORKER_LOOK_SLOTS is "1e3": give a whole number from 1 to 10000.'],
    [
      { WORKER_POLLERS: 'many' },
      'WORKER_POLLERS is "many": give "autoscaling", or a whole number from 1 to 100.',
    ],
    [{ WORKER_WORKFLOWS: 'maybe' }, 'WORKER_WORKFLOWS is "maybe": give true or false.'],
    [{ WORKER_WORKFLOWS: 'false' }, 'this worker would do nothing. Give it regions, or "*" for all.'],
  ])('are refused when they make no sense: %j', (given, message) => {
    expect(() => workerSettings(given)).toThrow(message);
  });

  it('tell all that is wrong at once', () => {
    const given = { WORKER_ACTIVITY_SLOTS: '-1', WORKER_CACHED_WORKFLOWS: 'x' };
    expect(() => workerSettings(given)).toThrow(/WORKER_ACTIVITY_SLOTS.*WORKER_CACHED_WORKFLOWS/);
  });
});
