import { randomUUID } from 'node:crypto';
import { HOUR, SECOND, virtualAt, type Duration, type Instant } from '../domain/clock.ts';
import { registerSearchAttributes } from '../temporal/register-search-attributes.ts';
import {
  describeImageWatch,
  endImageWatch,
  ensureImageWatch,
  IMAGE_WATCH_SCHEDULE,
  LOOK_EVERY,
  triggerImageWatch,
} from '../temporal/image-watch-schedule.ts';
import { TASK_QUEUE } from '../workflows/messages.ts';
import type { ClientContext } from './context.ts';
import { UsageError } from './errors.ts';
import { rolloutSettings, type SettingsOverrides } from './settings.ts';

/** The image watch: how often it looks, and when. */
export interface ImageWatchView {
  isOn: boolean;
  /** Virtual time between two looks; null while it is off. */
  every: Duration | null;
  nextAt: Instant | null;
  /** The last looks, newest first: their workflows, and when they began. */
  last: { workflowId: string; at: Instant }[];
}

/** Shorter than that a look would follow the other. Longer than a first trigger may take, an upgrade would come too late (rule D6). */
const SHORTEST = SECOND;
const LONGEST = 3 * HOUR;

/**
 * Switches the watch on, or gives it another interval: from then on versions are picked up by themselves (rule D6).
 * @param options `settings` of the rollouts that it starts, where they differ from the defaults
 * @throws UsageError for an interval or settings that make no sense; TemporalUnreachableError
 */
export async function switchImageWatchOn(
  context: ClientContext,
  { every = LOOK_EVERY, settings = {} }: { every?: Duration | undefined; settings?: SettingsOverrides } = {},
): Promise<ImageWatchView> {
  if (every < SHORTEST || every > LONGEST) {
    throw new UsageError(
      'Look at images every second to every 3 hours: the first upgrade of a set is to begin within 3 hours (rule D6).',
    );
  }
  rolloutSettings(settings);
  const { client, connection } = await context.temporal();
  // What it starts is found by them.
  await registerSearchAttributes(connection, client.options.namespace);
  await ensureImageWatch(client, await context.fleet.clock(), { every, settings });
  await triggerImageWatch(client);
  return viewImageWatch(context);
}

/** Switches the watch off. Rollouts under way go on. @returns false when it was off */
export async function switchImageWatchOff(context: ClientContext): Promise<boolean> {
  const { client } = await context.temporal();
  return endImageWatch(client);
}

/** Has all images looked at once, at once, whether the watch is on or not. @returns the workflow to look at; null where the watch runs it */
export async function lookAtImagesNow(context: ClientContext): Promise<{ workflowId: string | null }> {
  const { client, connection } = await context.temporal();
  await registerSearchAttributes(connection, client.options.namespace);
  if (await triggerImageWatch(client)) return { workflowId: null };
  const workflowId = `${IMAGE_WATCH_SCHEDULE}-${randomUUID()}`;
  await client.workflow.start('imageWatch', { workflowId, taskQueue: TASK_QUEUE, args: [{ v: 1 }] });
  return { workflowId };
}

/** How the watch is set, and when it has looked. */
export async function viewImageWatch(context: ClientContext): Promise<ImageWatchView> {
  const { client } = await context.temporal();
  const schedule = await describeImageWatch(client);
  if (schedule === null) return { isOn: false, every: null, nextAt: null, last: [] };
  const clock = await context.fleet.clock();
  const toVirtual = (date: Date) => virtualAt(clock, date.getTime());
  const [interval] = schedule.spec.intervals ?? [];
  const { nextActionTimes, recentActions } = schedule.info;
  return {
    isOn: !schedule.state.paused,
    every: interval === undefined ? null : interval.every * clock.speed,
    nextAt: nextActionTimes[0] === undefined ? null : toVirtual(nextActionTimes[0]),
    last: recentActions
      .flatMap(({ action, takenAt }) =>
        action.type === 'startWorkflow'
          ? [{ workflowId: action.workflow.workflowId, at: toVirtual(takenAt) }]
          : [],
      )
      .toReversed(),
  };
}

/**
 * Tells the watch of a version that was just published.
 * @returns what came of it, for people; null where nothing is worth a word
 */
export async function tellImageWatch(context: ClientContext): Promise<string | null> {
  try {
    const { client } = await context.temporal();
    return (await triggerImageWatch(client))
      ? 'The image watch looks at it now.'
      : 'The image watch is off: start its rollout by `rollouts start`, or switch the watch on by `rollouts image-watch on`.';
  } catch (error) {
    return `The image watch could not be told: ${(error as Error).message} Where it is on, it looks within some minutes by itself.`;
  }
}
