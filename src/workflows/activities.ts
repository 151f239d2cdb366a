import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { BatchInput } from '../activities/types.ts';
import type { LoopHost } from './loops/host.ts';
import { failureTypes } from './messages.ts';

/*
 * One proxy per way of failing. Everything is bounded per attempt; what must happen for the system to be safe is retried
 * until it does (a store may be down for an hour), what touches instances is bounded in total as well.
 */

const nonRetryableErrorTypes = [failureTypes.NotFound, failureTypes.Fenced];

/**
 * Looks: they read and write the two stores in milliseconds. Local activities, because planning and health are most of
 * the steps and cost the server nothing that way.
 */
export const looks = proxyLocalActivities<Activities>({
  startToCloseTimeout: '60 s',
  localRetryThreshold: '20 s',
  retry: {
    initialInterval: '200 ms',
    backoffCoefficient: 2,
    maximumInterval: '30 s',
    nonRetryableErrorTypes,
  },
});

/** Steps that change instances: real activities, with heartbeats, so that a worker's death is noticed soon. */
export const steps = proxyActivities<Activities>({
  startToCloseTimeout: '10 min',
  heartbeatTimeout: '10 s',
  scheduleToCloseTimeout: '12 h',
  retry: {
    initialInterval: '500 ms',
    backoffCoefficient: 2,
    maximumInterval: '1 min',
    nonRetryableErrorTypes,
  },
});

/** What a loop needs of Temporal. Restores come first: they bring VMs back. */
export function temporalLoop(watch: LoopHost['watch']): LoopHost {
  return {
    watch,
    looks,
    step: (name, input, summary) => {
      const options = name === 'restoreOsDisks' ? { summary, priority: { priorityKey: 1 } } : { summary };
      // Each name goes with its own input, which the type of the union cannot say.
      const step = steps[name] as (typeof steps)['swapOsDisks'];
      return step.executeWithOptions(options, [input as BatchInput]);
    },
  };
}
