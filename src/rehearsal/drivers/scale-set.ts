import type { AttemptRef } from '../../activities/types.ts';
import { batchUpgradeId, scaleSetRolloutId } from '../../workflows/ids.ts';
import { upgradeBatch } from '../../workflows/loops/batch.ts';
import { upgradeScaleSet } from '../../workflows/loops/scale-set.ts';
import type {
  BatchUpgradeInput,
  ScaleSetRolloutInput,
  ScaleSetRolloutResult,
} from '../../workflows/messages.ts';
import type { Process } from '../process.ts';
import type { Runtime } from '../runtime.ts';

/** Starts the upgrade of a set, as `scaleSetRollout` does; null while one runs. */
export function startScaleSet(runtime: Runtime, input: ScaleSetRolloutInput): Process | null {
  return runtime.start(scaleSetRolloutId(input.scaleSetId), (process) => run(runtime, process, input));
}

async function run(
  runtime: Runtime,
  process: Process,
  input: ScaleSetRolloutInput,
): Promise<ScaleSetRolloutResult> {
  for (let given = input; ;) {
    try {
      return await upgradeScaleSet(given, {
        ...runtime.loopHost(process),
        workflow: { id: process.id, runId: process.runId },
        runBatch: (batch) => runBatch(runtime, process, batch),
        handOver: async (attempt) => {
          if (runtime.continuesAsNew(process)) throw new ContinuedAsNew(attempt);
        },
      });
    } catch (error) {
      if (!(error instanceof ContinuedAsNew)) throw error;
      given = { ...input, ...(error.attempt ? { attempt: error.attempt } : {}) };
    }
  }
}

/** Leaves the loop, which begins anew with what it is handed. */
class ContinuedAsNew extends Error {
  readonly attempt: AttemptRef | undefined;

  constructor(attempt: AttemptRef | undefined) {
    super('continued as new');
    this.attempt = attempt;
  }
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
