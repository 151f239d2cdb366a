import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { REAL_TIME } from '../../src/domain/clock.ts';
import { registerSearchAttributes } from '../../src/temporal/register-search-attributes.ts';
import { imageRolloutId } from '../../src/workflows/ids.ts';
import { TASK_QUEUE, type ImageRolloutInput } from '../../src/workflows/messages.ts';
import { measured, type RolloutFigures } from '../rollout.ts';
import { SETTINGS } from '../settings.ts';
import { IMAGE, NEW_VERSION, type Shape } from '../shape.ts';
import type { Stage } from '../stage.ts';

/** The same tree of workflows with empty activities: the most that this server and worker can do. */
export async function rollOutEmpty(stage: Stage, namespace: string, shape: Shape): Promise<RolloutFigures> {
  const { client, connection } = stage.connected(namespace);
  await registerSearchAttributes(connection, namespace);
  const env = { BENCH_SHAPE: JSON.stringify(shape) };
  const worker = await stage.startWorker(namespace, 'empty/worker.ts', env);
  const target = { image: IMAGE, version: NEW_VERSION };
  const input: ImageRolloutInput = {
    v: 1,
    rolloutId: imageRolloutId(target, 1),
    clock: REAL_TIME,
    target,
    phases: [{ name: 'all', regions: [...shape.regions] }],
    settings: { ...DEFAULT_SETTINGS, ...SETTINGS },
  };
  try {
    return await measured(stage, namespace, {
      vms: shape.vms,
      worker,
      start: async () => {
        await client.workflow.execute('imageRollout', {
          workflowId: input.rolloutId,
          taskQueue: TASK_QUEUE,
          args: [input],
        });
      },
    });
  } finally {
    await worker.stop();
  }
}
