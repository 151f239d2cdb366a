import { Context } from '@temporalio/activity';
import type { ActivityDependencies } from './context.ts';

/** Often enough for the 10 s after which a worker counts as gone, seldom enough to cost nothing where a step takes milliseconds. */
export const HEARTBEAT_EVERY_MS = 3_000;

/** Tells Temporal that the worker lives, for as long as the work takes: a cloud may take minutes to answer. */
export async function whileBeating<T>(
  deps: Pick<ActivityDependencies, 'heartbeat'>,
  details: unknown,
  work: () => Promise<T>,
): Promise<T> {
  const beat = deps.heartbeat ?? beatOf(Context.current());
  const timer = setInterval(() => beat(details), HEARTBEAT_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

function beatOf(context: Context): (details: unknown) => void {
  return (details) => context.heartbeat(details);
}
