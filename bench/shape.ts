import type { FleetSpec } from '../src/fleet/index.ts';
import { AZURE_REGIONS } from '../src/fleet/index.ts';
import { pairedRegions } from '../src/domain/region.ts';
import { fleetSpecOf as fleetSpecOfSets, JAMMY, NEW_VERSION } from '../test/support/fleet.ts';

export { NEW_VERSION };

/** What is rolled out in a bench, and over what. */

export const IMAGE = JAMMY;

/** A fleet by its numbers. Its sets go round the regions one by one; a region that is named more than once gets more. */
export interface Shape {
  vms: number;
  setSize: number;
  /** Over three zones; else regional. */
  zonal: boolean;
  regions: readonly string[];
}

/** Of Azure's regions so many that have three zones, no two of which are a pair: all may upgrade at once (rule D1). */
export function unpairedRegions(count: number): string[] {
  const chosen: string[] = [];
  for (const { name, availabilityZones } of AZURE_REGIONS) {
    if (chosen.length === count) break;
    const isFree = !pairedRegions(AZURE_REGIONS, name).some((pair) => chosen.includes(pair));
    if (availabilityZones.length === 3 && isFree) chosen.push(name);
  }
  if (chosen.length < count)
    throw new Error(`There are only ${chosen.length} regions of which no two are a pair.`);
  return chosen;
}

export interface ShapedSet {
  name: string;
  region: string;
  capacity: number;
}

/** The sets of a shape, the last one smaller if the VMs do not divide. */
export function setsOf({ vms, setSize, regions }: Shape): ShapedSet[] {
  return Array.from({ length: Math.ceil(vms / setSize) }, (_, i) => {
    const region = regions[i % regions.length] as string;
    return { name: `bench-${region}-${i}`, region, capacity: Math.min(setSize, vms - i * setSize) };
  });
}

/** The fleet to seed: everything happens at once in it, so that what is measured is the orchestration. */
export function fleetSpecOf(shape: Shape): FleetSpec {
  const zones = shape.zonal ? ['1', '2', '3'] : [];
  return fleetSpecOfSets(
    setsOf(shape).map((set) => ({ ...set, zones, extensions: [{ name: 'app' }] })),
    { seed: 'bench', behaviour: 'instant', regions: [...new Set(shape.regions)] },
  );
}
