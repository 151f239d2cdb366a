import {
  CancellationScope,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { CANCELLED_THROUGH_TEMPORAL } from '../domain/cancel.ts';
import { imageLabel } from '../domain/image.ts';
import type { Reason } from '../ledger/port.ts';
import { attributesOf, searchAttributes } from '../temporal/search-attributes.ts';
import { looks } from './activities.ts';
import { Children } from './children.ts';
import { turnOf } from './dispatch.ts';
import { regionRolloutId } from './ids.ts';
import { judge } from './loops/judge.ts';
import type { PhaseRolloutInput, PhaseRolloutResult, RegionRolloutResult } from './messages.ts';
import { regionRollout } from './region-rollout.ts';
import { Watch } from './watch.ts';

/** One phase: releases the version in its regions, waits for them, lets it bake, and judges (rules D1 to D3, D6). */
export async function phaseRollout(input: PhaseRolloutInput): Promise<PhaseRolloutResult> {
  const watch = new Watch(input.clock, 'phase', 'starting', input.cancelled);
  return CancellationScope.nonCancellable(async () => {
    const result = await runPhase(input, watch);
    const status =
      result.kind === 'cancelled' ? 'Cancelled' : result.withinTolerance ? 'Completed' : 'Faulted';
    upsertSearchAttributes([{ key: searchAttributes.status, value: status }]);
    if (watch.cancelRequested)
      await looks.closeOrphanedRollout({ rolloutId: input.rolloutId, at: watch.now });
    return result;
  });
}

async function runPhase(input: PhaseRolloutInput, watch: Watch): Promise<PhaseRolloutResult> {
  const { rolloutId, phase, round } = input;
  const key = { rolloutId, phase, round };
  const { regions } = input.plan;
  await looks.openPhase({ ...key, regions, at: watch.now });
  watch.doing(`Upgrading ${regions.join(', ')}`);
  await runRegions(input, watch);
  const cancelled = await cancelReason(input, watch);
  if (cancelled) return { kind: 'cancelled', reason: cancelled };

  const { until } = await looks.startBake({ ...key, at: watch.now });
  while (watch.now < until) {
    const stop = await cancelReason(input, watch);
    if (stop) return { kind: 'cancelled', reason: stop };
    await watch.waitFor(
      'the bake time, after which the VMs are judged',
      until,
      `${regions.join(', ')} upgraded`,
    );
  }
  watch.doing('Judging the health of the VMs');
  return { kind: 'judged', ...(await judge(watch, { ...key, at: watch.now }, looks.judgePhase)) };
}

/**
 * Runs the regions at once. One that was cancelled alone ends like any other: its VMs are judged with the rest, and a
 * person decides.
 */
async function runRegions(input: PhaseRolloutInput, watch: Watch): Promise<void> {
  const running = new Set(input.plan.regions);
  const children = new Children(watch);
  const ended = Promise.all(
    input.plan.regions.map(async (region) => {
      await runRegion(input, region, watch, children);
      running.delete(region);
      watch.wake();
    }),
  );
  while (running.size > 0) {
    await children.passCancelOn();
    if (running.size > 0) await watch.waitForWake(`the regions ${[...running].join(', ')}`);
  }
  await ended;
}

/** A region whose workflow is terminated by hand is started again: it finds in the ledger where things stand. */
async function runRegion(
  input: PhaseRolloutInput,
  region: string,
  watch: Watch,
  children: Children,
): Promise<RegionRolloutResult> {
  const { rolloutId, clock, target, phase, round, settings } = input;
  for (;;) {
    const result = await children.run(() =>
      startChild(regionRollout, {
        workflowId: regionRolloutId(workflowInfo().workflowId, region),
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        // Whoever terminates a phase wants it to stop: its regions stop at the end of the batches.
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        staticSummary: `${region}: ${imageLabel(target.image)} ${target.version}`,
        priority: turnOf(region),
        typedSearchAttributes: [
          ...attributesOf(target),
          { key: searchAttributes.region, value: region },
          { key: searchAttributes.phase, value: phase },
        ],
        args: [
          {
            v: 1,
            rolloutId,
            clock,
            target,
            phase,
            round,
            region,
            settings,
            cancelled: watch.cancelRequested,
          },
        ],
      }),
    );
    if (result) return result;
  }
}

async function cancelReason(input: PhaseRolloutInput, watch: Watch): Promise<Reason | null> {
  if (watch.cancelRequested) return CANCELLED_THROUGH_TEMPORAL;
  const order = await looks.readOrder({ rolloutId: input.rolloutId, phase: input.phase });
  return order.state === 'cancelled' ? order.reason : null;
}
