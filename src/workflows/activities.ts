import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { BatchInput } from '../activities/types.ts';
import type { Instant } from '../domain/clock.ts';
import { dispatchOf, type Place } from './dispatch.ts';
import type { LoopHost } from './loops/host.ts';
import { patiently } from './loops/patience.ts';
import { NON_RETRYABLE_TYPES } from './messages.ts';

/*
 * One proxy per way of failing. Everything is bounded per attempt. A store or a whole fleet that is down is tried again until it
 * is back: looks without end, what touches instances for 12 hours. Of one scale set's calls the workflow decides when to
 * try again, and when to give the set up (`patiently`).
 */

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
    nonRetryableErrorTypes: NON_RETRYABLE_TYPES,
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
    nonRetryableErrorTypes: NON_RETRYABLE_TYPES,
  },
});

/** What a loop needs of Temporal. */
export function temporalLoop(watch: LoopHost['watch'], place: Place): LoopHost {
  const look =
    <I extends { scaleSetId: string; at: Instant }, R>(call: (input: I) => Promise<R>) =>
    (input: I) =>
      patiently(watch, input.scaleSetId, input, call);
  return {
    watch,
    looks: {
      lookAtScaleSet: look(looks.lookAtScaleSet),
      checkHealth: look(looks.checkHealth),
      closeBatch: look(looks.closeBatch),
      closeRollBack: look(looks.closeRollBack),
      giveUpScaleSet: looks.giveUpScaleSet,
    },
    step: (name, input, summary) => {
      const options = { summary, ...dispatchOf(name, place) };
      // Each name goes with its own input, which the type of the union cannot say.
      const step = steps[name] as (typeof steps)['swapOsDisks'];
      return patiently(watch, input.scaleSetId, input as BatchInput, (given) =>
        step.executeWithOptions(options, [given]),
      );
    },
  };
}
