import { startRollout } from '../src/client/index.ts';
import { imageLabel } from '../src/domain/image.ts';
import { onFleet } from './on-fleet.ts';
import type { RolloutSettings } from '../src/domain/policy.ts';
import type { RolloutFigures } from './rollout.ts';
import { SETTINGS } from './settings.ts';
import { IMAGE, NEW_VERSION, type Shape } from './shape.ts';
import type { Stage } from './stage.ts';

/** This system: its own worker, a fleet and a ledger in a SQLite file, a rollout that is started as a person would. */
export function rollOut(
  stage: Stage,
  namespace: string,
  shape: Shape,
  { countActions = true, settings }: { countActions?: boolean; settings?: Partial<RolloutSettings> } = {},
): Promise<RolloutFigures> {
  return onFleet(stage, namespace, shape, {
    worker: '../src/worker.ts',
    countActions,
    start: async (connected, stores) => {
      const { workflowId } = await startRollout(
        { ...stores, temporal: () => Promise.resolve(connected) },
        {
          image: imageLabel(IMAGE),
          version: NEW_VERSION,
          phases: [{ name: 'all', regions: [...shape.regions] }],
          settings: { ...SETTINGS, ...settings },
          who: 'bench',
        },
      );
      await connected.client.workflow.getHandle(workflowId).result();
    },
  });
}
