import type { InstanceChange, SimulatedFleet } from '../fleet/index.ts';
import { currentInstant, type ClientContext } from './context.ts';
import { UsageError } from './errors.ts';
import { findScaleSet } from './find.ts';

/** What people do to a simulated fleet beside upgrades. */
export interface FleetChangeContext extends ClientContext {
  fleet: SimulatedFleet;
}

export interface ChangedInstances {
  scaleSetId: string;
  name: string;
  instanceIds: string[];
}

/**
 * Protects instances from every upgrade, or stops and starts them.
 * @throws UsageError that lists the instances that are not there, and then nothing was done
 */
export async function changeInstances(
  context: FleetChangeContext,
  id: string,
  instanceIds: readonly string[],
  change: InstanceChange,
): Promise<ChangedInstances> {
  const scaleSet = await findScaleSet(context, id);
  const at = await currentInstant(context);
  const instances = await context.fleet.instances(scaleSet.id, at);
  const wanted = [...new Set(instanceIds)];
  requireInstances(scaleSet, instances, wanted);
  await context.fleet.changeInstances(scaleSet.id, wanted, change, at);
  return { scaleSetId: scaleSet.id, name: scaleSet.name, instanceIds: wanted };
}

/** @throws UsageError that lists those that the set does not have */
export function requireInstances(
  { name, region }: { name: string; region: string },
  instances: readonly { instanceId: string }[],
  wanted: readonly string[],
): void {
  const there = new Set(instances.map((instance) => instance.instanceId));
  const unknown = wanted.filter((id) => !there.has(id));
  if (unknown.length === 0) return;
  throw new UsageError(
    `${name} in ${region} has no instance ${unknown.join(', ')}. Nothing was done. ` +
      `\`rollouts fleet show --scale-set ${name} --instances\` lists its instances.`,
  );
}
