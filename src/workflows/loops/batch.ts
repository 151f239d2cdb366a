import type { BatchInput, HealthInput, HealthResult } from '../../activities/types.ts';
import type { Instant } from '../../domain/clock.ts';
import type { BatchUpgradeInput, BatchUpgradeResult } from '../messages.ts';
import { eachChunk } from './chunks.ts';
import type { LoopHost } from './host.ts';

type Batch = BatchUpgradeInput & Pick<BatchInput, 'action'>;

/**
 * The instances of one batch (rules B4 to B6): disks, model and extensions, the wait for health, and restores. It is never
 * interrupted: whoever wants to stop waits for its end, so that no VM is left without an OS disk.
 */
export async function upgradeBatch(given: BatchUpgradeInput, host: LoopHost): Promise<BatchUpgradeResult> {
  const input: Batch = { ...given, action: given.action ?? 'swap' };
  const { watch, looks } = host;
  const size = `${input.instanceIds.length} VM${input.instanceIds.length === 1 ? '' : 's'}`;
  if (input.action === 'swap') await swap(input, host, size);
  if (input.action === 'restore') {
    watch.doing(`Restoring the kept OS disks of ${size}`);
    await restore(input, input.instanceIds, host);
  } else {
    await configure(input, host, size);
  }

  watch.doing(`Waiting for ${size} to become healthy`);
  const judged = await waitForHealth(input, host);
  if (judged.toRestore.length === 0) return { upgraded: judged.healthy, restored: 0, failed: judged.left };

  watch.doing(`Restoring the previous OS disks of ${judged.toRestore.length} VMs`);
  const failed = judged.toRestore.map((one) => one.instanceId);
  await restore(input, failed, host);
  const closed = await looks.closeBatch({ ...healthInput(input, watch.now), failures: judged.toRestore });
  return { upgraded: judged.healthy, ...closed };
}

async function swap(input: Batch, { watch, step }: LoopHost, size: string): Promise<void> {
  const { version } = input.target;
  watch.doing(`Replacing the OS disks of ${size} with ${version}`);
  await eachChunk(watch, input.instanceIds, input.settings.chunkSize, 'OS disks', (ids, at) =>
    step('swapOsDisks', batchInput(input, ids, at), `${ids.length} disks to ${version}`),
  );
}

async function configure(input: Batch, { watch, step }: LoopHost, size: string): Promise<void> {
  watch.doing(`Applying the model and running the extensions on ${size}`);
  await eachChunk(watch, input.instanceIds, input.settings.chunkSize, 'model and extensions', (ids, at) =>
    step('configureInstances', batchInput(input, ids, at), `model and extensions on ${ids.length} VMs`),
  );
}

async function restore(input: Batch, instanceIds: string[], { watch, step }: LoopHost): Promise<void> {
  await eachChunk(watch, instanceIds, input.settings.chunkSize, 'restored OS disks', (ids, at) =>
    step('restoreOsDisks', batchInput(input, ids, at), `restore ${ids.length} disks`),
  );
}

/** Check, sleep, check ... until every instance is judged (rule B5). */
async function waitForHealth(input: Batch, { watch, looks }: LoopHost): Promise<HealthResult> {
  for (;;) {
    const look = await looks.checkHealth(healthInput(input, watch.now));
    if (look.nextLookAt === null) return look;
    await watch.sleepUntil(look.nextLookAt, `health of ${look.waiting} VMs (${look.healthy} healthy)`);
  }
}

function batchInput(input: Batch, instanceIds: string[], at: Instant): BatchInput {
  const { rolloutId, scaleSetId, attempt, batch, action, target } = input;
  return { rolloutId, scaleSetId, attempt, batch, action, target, instanceIds, at };
}

function healthInput(input: Batch, at: Instant): HealthInput {
  const { healthTimeout, healthPollInterval, healthyReadings } = input.settings;
  return {
    ...batchInput(input, input.instanceIds, at),
    restoresOnFailure: input.restoresOnFailure,
    settings: { healthTimeout, healthPollInterval, healthyReadings },
  };
}
