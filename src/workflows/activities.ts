import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
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
