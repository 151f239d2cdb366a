import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleHandle,
} from '@temporalio/client';
import { MINUTE, SECOND, wallDuration, type Duration, type VirtualClock } from '../domain/clock.ts';
import type { RolloutSettings } from '../domain/policy.ts';
import { TASK_QUEUE, type ImageWatchInput } from '../workflows/messages.ts';

/** The schedule that runs `imageWatch`, and what the ids of its workflows begin with. */
export const IMAGE_WATCH_SCHEDULE = 'image-watch';

/** How often images are looked at, in virtual time. A new version is seen this late at most, unless it is told of. */
export const LOOK_EVERY: Duration = 5 * MINUTE;

/** The server starts nothing more often than that. */
const SHORTEST_INTERVAL = SECOND;

/**
 * Makes the schedule; one that is there gets the interval, or stays as it is.
 * @param options `every`: virtual time between two looks, as usual if absent; `settings` of the rollouts that it starts
 */
export async function ensureImageWatch(
  client: Client,
  clock: VirtualClock,
  { every, settings }: { every?: Duration | undefined; settings?: Partial<RolloutSettings> } = {},
): Promise<void> {
  const spec = {
    intervals: [{ every: Math.max(SHORTEST_INTERVAL, wallDuration(clock, every ?? LOOK_EVERY)) }],
  };
  const action = {
    type: 'startWorkflow' as const,
    workflowType: 'imageWatch',
    workflowId: IMAGE_WATCH_SCHEDULE,
    taskQueue: TASK_QUEUE,
    args: [{ v: 1, ...(settings ? { settings } : {}) } satisfies ImageWatchInput],
    staticSummary: 'looks for image versions that are due',
  };
  // A look that was missed is made up for by the next: it goes by how things are then.
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' };
  try {
    await client.schedule.create({ scheduleId: IMAGE_WATCH_SCHEDULE, spec, action, policies });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    if (every === undefined && settings === undefined) return;
    await handleOf(client).update(({ state }) => ({ spec, action, policies, state }));
  }
}

/** Ends the schedule; what it has started goes on. @returns false when there was none */
export async function endImageWatch(client: Client): Promise<boolean> {
  return wasThere(() => handleOf(client).delete());
}

/** Has the images looked at now; while a look is under way, again right after it. @returns false where there is no schedule */
export async function triggerImageWatch(client: Client): Promise<boolean> {
  return wasThere(() => handleOf(client).trigger(ScheduleOverlapPolicy.BUFFER_ONE));
}

/** The schedule as it is, or null where there is none. */
export function describeImageWatch(client: Client): Promise<ScheduleDescription | null> {
  return ifThere(() => handleOf(client).describe());
}

function handleOf(client: Client): ScheduleHandle {
  return client.schedule.getHandle(IMAGE_WATCH_SCHEDULE);
}

async function wasThere(work: () => Promise<unknown>): Promise<boolean> {
  const done = await ifThere(async () => {
    await work();
    return true;
  });
  return done !== null;
}

async function ifThere<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
}
