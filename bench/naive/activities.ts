import type { FleetOperation } from '../../src/domain/operation.ts';
import type { Fleet } from '../../src/fleet/index.ts';
import { IMAGE, NEW_VERSION } from '../shape.ts';

export interface Vm {
  scaleSetId: string;
  instanceId: string;
}

export type NaiveActivities = ReturnType<typeof createNaiveActivities>;

/** One step on one VM each, on the same fleet that this system upgrades. */
export function createNaiveActivities(fleet: Fleet) {
  const operate = async ({ scaleSetId, instanceId }: Vm, operation: FleetOperation) => {
    const [state] = await fleet.operate({
      scaleSetId,
      instanceIds: [instanceId],
      operation,
      ordinal: 0,
      attemptId: `naive-${scaleSetId}`,
      rolloutId: 'naive',
      fence: 1,
      at: Date.now(),
      ...(operation === 'osDisk.swap' ? { target: { image: IMAGE, version: NEW_VERSION } } : {}),
    });
    if (state?.status !== 'succeeded') throw new Error(`${operation} on ${instanceId}: ${state?.status}`);
  };
  return {
    swapOsDisk: (vm: Vm) => operate(vm, 'osDisk.swap'),
    applyModel: (vm: Vm) => operate(vm, 'model.apply'),
    runExtensions: (vm: Vm) => operate(vm, 'extension.run'),
    async checkHealth({ scaleSetId, instanceId }: Vm): Promise<void> {
      const [instance] = await fleet.instances(scaleSetId, Date.now(), [instanceId]);
      if (instance?.applicationHealth !== 'healthy') throw new Error(`${instanceId} is not healthy.`);
    },
  };
}
