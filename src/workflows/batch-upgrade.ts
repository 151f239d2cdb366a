import { CancellationScope } from '@temporalio/workflow';
import type { BatchInput, StepResult } from '../activities/types.ts';
import type { Instant } from '../domain/clock.ts';
import { looks, steps } from './activities.ts';
import type { BatchUpgradeInput, BatchUpgradeResult } from './messages.ts';
import { Watch } from './watch.ts';

/**
 * Upgrades the instances of one batch (rules B4 to B6): disks, model and extensions, the wait for health, and restores.
 * It is never interrupted: whoever wants to stop waits for its end, so that no VM is left without an OS disk.
 */
export async function batchUpgrade(input: BatchUpgradeInput): Promise<BatchUpgradeResult> {
  const watch = new Watch(input.clock, 'batch', 'replacing OS disks');
  return CancellationScope.nonCancellable(() => upgrade(input, watch));
}

async function upgrade(input: BatchUpgradeInput, watch: Watch): Promise<BatchUpgradeResult> {
  const chunks = chunked(input.instanceIds, input.settings.chunkSize);
  const size = `${input.instanceIds.length} VM${input.instanceIds.length === 1 ? '' : 's'}`;

  watch.doing(`Replacing the OS disks of ${size} with ${input.target.version}`);
  await eachChunk(input, chunks, watch, 'OS disks', (chunk) =>
    steps.swapOsDisks.executeWithOptions(
      { summary: `${chunk.instanceIds.length} disks to ${input.target.version}` },
      [chunk],
    ),
  );

  watch.doing(`Applying the model and running the extensions on ${size}`);
  await eachChunk(input, chunks, watch, 'model and extensions', (chunk) =>
    steps.configureInstances.executeWithOptions(
      { summary: `model and extensions on ${chunk.instanceIds.length} VMs` },
      [chunk],
    ),
  );

  watch.doing(`Waiting for ${size} to become healthy`);
  const judged = await waitForHealth(input, watch);
  if (judged.toRestore.length === 0) return { upgraded: judged.healthy, restored: 0, failed: judged.left };

  const restoring = chunked(
    judged.toRestore.map((one) => one.instanceId),
    input.settings.chunkSize,
  );
  watch.doing(`Restoring the previous OS disks of ${judged.toRestore.length} VMs`);
  await eachChunk(input, restoring, watch, 'restored OS disks', (chunk) =>
    steps.restoreOsDisks.executeWithOptions(
      { summary: `restore ${chunk.instanceIds.length} disks`, priority: { priorityKey: 1 } },
      [chunk],
    ),
  );
  const closed = await looks.closeBatch({ ...healthInput(input, watch.now), failures: judged.toRestore });
  return { upgraded: judged.healthy, ...closed };
}

/** Check, sleep, check ... until every instance is judged (rule B5). */
async function waitForHealth(input: BatchUpgradeInput, watch: Watch) {
  for (;;) {
    const look = await looks.checkHealth(healthInput(input, watch.now));
    if (look.nextLookAt === null) return look;
    await watch.sleepUntil(look.nextLookAt, `health of ${look.waiting} VMs (${look.healthy} healthy)`);
  }
}

/** Runs a step on all chunks at once, waits for what it began, and repeats it on chunks that were not complete. */
async function eachChunk(
  input: BatchUpgradeInput,
  chunks: string[][],
  watch: Watch,
  what: string,
  step: (chunk: BatchInput) => Promise<StepResult>,
): Promise<void> {
  let open = chunks;
  while (open.length > 0) {
    const results = await Promise.all(
      open.map(async (ids) => ({ ids, ...(await step(batchInput(input, ids, watch.now))) })),
    );
    const pending = results.map((result) => result.pendingUntil).filter((until) => until !== null);
    if (pending.length > 0) await watch.sleepUntil(Math.max(...pending), what);
    open = results.filter((result) => result.incomplete).map((result) => result.ids);
  }
}

function batchInput(input: BatchUpgradeInput, instanceIds: string[], at: Instant): BatchInput {
  const { rolloutId, scaleSetId, attempt, batch, action, target } = input;
  return { rolloutId, scaleSetId, attempt, batch, action, target, instanceIds, at };
}

function healthInput(input: BatchUpgradeInput, at: Instant) {
  const { healthTimeout, healthPollInterval } = input.settings;
  return {
    ...batchInput(input, input.instanceIds, at),
    restoresOnFailure: input.restoresOnFailure,
    settings: { healthTimeout, healthPollInterval },
  };
}

function chunked(ids: string[], size: number): string[][] {
  const chunks: string[][] = [];
  for (let i = 0; i < ids.length; i += size) chunks.push(ids.slice(i, i + size));
  return chunks;
}
