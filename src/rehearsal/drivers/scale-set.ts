import { batchUpgradeId, scaleSetRolloutId } from '../../workflows/ids.ts';
import { upgradeBatch } from '../../workflows/loops/batch.ts';
import { upgradeScaleSet } from '../../workflows/loops/scale-set.ts';
import type { BatchUpgradeInput, ScaleSetRolloutInput } from '../../workflows/messages.ts';
import type { Process } from '../process.ts';
import type { Runtime } from '../runtime.ts';

/** Starts the upgrade of a set, as `scaleSetRollout` does; null while one runs. */
export function startScaleSet(runtime: Runtime, input: ScaleSetRolloutInput): Process | null {
  const id = scaleSetRolloutId(input.scaleSetId);
  return runtime.start(id, (process) =>
    upgradeScaleSet(input, {
      ...runtime.loopHost(process),
      workflow: { id, runId: process.runId },
      runBatch: (batch) => runBatch(runtime, process, batch),
      // There is no history that could grow too long.
      handOver: async () => {},
    }),
  );
}

/** A batch that is terminated, or that fails since it was overtaken, is left to the set's next look. */
async function runBatch(runtime: Runtime, process: Process, batch: BatchUpgradeInput): Promise<void> {
  const id = batchUpgradeId(process.id, batch.attempt.number, batch.batch);
  const child = runtime.start(id, (own) => upgradeBatch(batch, runtime.loopHost(own)));
  if (child === null) throw new Error(`${id} runs already.`);
  process.adopt(child, 'terminate');
  const end = await runtime.join(process, child);
  if (end.kind === 'failed') throw end.error;
}
