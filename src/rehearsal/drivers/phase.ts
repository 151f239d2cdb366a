import { CANCELLED_THROUGH_TEMPORAL } from '../../domain/cancel.ts';
import type { Reason } from '../../ledger/port.ts';
import { phaseRolloutId, regionRolloutId } from '../../workflows/ids.ts';
import { judge } from '../../workflows/loops/judge.ts';
import type { PhaseRolloutInput, PhaseRolloutResult } from '../../workflows/messages.ts';
import type { Process } from '../process.ts';
import type { Runtime } from '../runtime.ts';
import { startRegion } from './region.ts';

/** Starts a phase, as `phaseRollout` does; null while it runs. */
export function startPhase(runtime: Runtime, input: PhaseRolloutInput): Process | null {
  const id = phaseRolloutId(input.rolloutId, input.phase, input.round);
  return runtime.start(
    id,
    async (process) => {
      const result = await runPhase(runtime, process, input);
      if (process.cancelRequested) {
        await runtime.call(process, 'closeOrphanedRollout', {
          rolloutId: input.rolloutId,
          at: process.now,
        });
      }
      return result;
    },
    input.cancelled,
  );
}

async function runPhase(
  runtime: Runtime,
  process: Process,
  input: PhaseRolloutInput,
): Promise<PhaseRolloutResult> {
  const { rolloutId, phase, round, plan } = input;
  const key = { rolloutId, phase, round };
  await runtime.call(process, 'openPhase', { ...key, regions: plan.regions, at: process.now });
  await runRegions(runtime, process, input);
  const cancelled = await cancelReason(runtime, process, input);
  if (cancelled) return { kind: 'cancelled', reason: cancelled };
  const { until } = await runtime.call(process, 'startBake', { ...key, at: process.now });
  while (process.now < until) {
    const stop = await cancelReason(runtime, process, input);
    if (stop) return { kind: 'cancelled', reason: stop };
    await process.waitFor('the bake time', until);
  }
  const judged = await judge(
    process,
    { ...key, at: process.now },
    (given) => runtime.call(process, 'judgePhase', given),
    runtime.onWait(process, 'judgePhase'),
  );
  return { kind: 'judged', ...judged };
}

async function runRegions(runtime: Runtime, process: Process, input: PhaseRolloutInput): Promise<void> {
  const running = new Set(input.plan.regions);
  let failure: unknown = null;
  const start = (region: string) => {
    const { rolloutId, clock, target, phase, round, settings } = input;
    const child = startRegion(runtime, process.id, {
      v: 1,
      rolloutId,
      clock,
      target,
      phase,
      round,
      region,
      settings,
      cancelled: process.cancelRequested,
    });
    // One of an earlier run of this phase may still wind down: its end is waited for as well.
    if (child !== null) process.adopt(child, 'cancel');
    const regionRun = child ?? runtime.find(regionRolloutId(process.id, region));
    regionRun?.onEnd((end) => {
      if (end.kind === 'failed') failure = end.error;
      else if (child !== null && end.kind === 'ended') running.delete(region);
      else if (process.isOpen) start(region);
      process.wake();
    });
  };
  for (const region of input.plan.regions) start(region);
  while (running.size > 0) {
    if (failure !== null) throw failure;
    if (process.cancelRequested) {
      for (const region of running) {
        const child = runtime.find(regionRolloutId(process.id, region));
        if (child && !child.cancelRequested) child.cancel();
      }
    }
    await process.waitForWake(`the regions ${[...running].join(', ')}`);
  }
}

async function cancelReason(
  runtime: Runtime,
  process: Process,
  { rolloutId, phase }: PhaseRolloutInput,
): Promise<Reason | null> {
  if (process.cancelRequested) return CANCELLED_THROUGH_TEMPORAL;
  const order = await runtime.call(process, 'readOrder', { rolloutId, phase });
  return order.state === 'cancelled' ? order.reason : null;
}
