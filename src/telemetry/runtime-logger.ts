import { DefaultLogger } from '@temporalio/worker';
import type { Level, Logger } from 'pino';

/** What the SDK says of itself, at info, is for those who debug. Its warnings are for everybody. */
const OF_THE_SDK = new Set(['worker', 'core', 'nexus']);

/** Fields that are the same in every line, or mean something to the server only. */
const SAYS_NOTHING = new Set(['namespace', 'isLocal', 'taskToken', 'activityId']);

/**
 * The logger of Temporal's SDK, of workflows and of activities: lines of `log`, with all that is known of the workflow
 * and the activity as fields.
 */
export function runtimeLogger(log: Logger): DefaultLogger {
  return new DefaultLogger('TRACE', ({ level, message, meta }) => {
    const { sdkComponent, error, ...all } = meta ?? {};
    const fields = Object.fromEntries(Object.entries(all).filter(([name]) => !SAYS_NOTHING.has(name)));
    const own = level.toLowerCase() as Level;
    const quiet = own === 'info' && OF_THE_SDK.has(String(sdkComponent));
    log[quiet ? 'debug' : own]({ ...fields, ...(error === undefined ? {} : { err: error }) }, message);
  });
}
