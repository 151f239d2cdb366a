import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HEARTBEAT_EVERY_MS, whileBeating } from '../../src/activities/heartbeats.ts';
import { asBatch, at, batchInput, oneSet, removeWorldsAfterEach, setLook } from './support.ts';

removeWorldsAfterEach();
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Runs work that ends when it is told to, in an activity. */
function hangingActivity() {
  const beats: unknown[] = [];
  const environment = new MockActivityEnvironment();
  environment.on('heartbeat', (details) => beats.push(details));
  let end: (error?: Error) => void = () => undefined;
  const work = () =>
    new Promise<string>((resolve, reject) => {
      end = (error) => (error ? reject(error) : resolve('done'));
    });
  const activity = environment.run(() => whileBeating({}, { of: 2 }, work));
  return { activity, beats, end: (error?: Error) => end(error) };
}

it('tells the server that the worker lives for as long as the cloud takes, and no longer', async () => {
  const { activity, beats, end } = hangingActivity();
  vi.advanceTimersByTime(2 * HEARTBEAT_EVERY_MS);
  expect(beats).toEqual([{ of: 2 }, { of: 2 }]);
  end();
  expect(await activity).toBe('done');
  vi.advanceTimersByTime(2 * HEARTBEAT_EVERY_MS);
  expect(beats).toHaveLength(2);
});

it('is silent after work that failed', async () => {
  const { activity, beats, end } = hangingActivity();
  end(new Error('the cloud is away'));
  await expect(activity).rejects.toThrow('the cloud is away');
  vi.advanceTimersByTime(2 * HEARTBEAT_EVERY_MS);
  expect(beats).toEqual([]);
});

it('costs nothing where a step is answered at once', async () => {
  const { world, id } = await oneSet();
  const look = asBatch(await world.activities.lookAtScaleSet(setLook(id)));
  await world.activities.swapOsDisks(batchInput(id, look, at(0)));
  expect(world.heartbeats).toEqual([]);
});
