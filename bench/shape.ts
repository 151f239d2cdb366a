import type { FleetSpec } from '../src/fleet/index.ts';
import { AZURE_REGIONS } from '../src/fleet/index.ts';
import { pairedRegions } from '../src/domain/region.ts';
import type { PlatformImage } from '../src/domain/image.ts';

/** What is rolled out in a bench, and over what. */

export const IMAGE: PlatformImage = {
  kind: 'platform',
  publisher: 'Canonical',
  offer: '0001-com-ubuntu-server-jammy',
  sku: '22_04-lts',
};
export const OLD_VERSION = '22.04.202511010';
export const NEW_VERSION = '22.04.202512050';

/** A fleet by its numbers. Its sets go round the regions one by one. */
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
  return {
    seed: 'bench',
    behaviour: 'instant',
    regions: [...shape.regions],
    images: [{ ...IMAGE_NAMES, versions: [{ version: OLD_VERSION }, { version: NEW_VERSION }] }],
    scaleSets: setsOf(shape).map((set) => ({
      ...set,
      image: IMAGE_NAMES,
      version: OLD_VERSION,
      zones: shape.zonal ? ['1', '2', '3'] : [],
      extensions: [{ name: 'app' }],
    })),
  };
}

const IMAGE_NAMES = { publisher: IMAGE.publisher, offer: IMAGE.offer, sku: IMAGE.sku };
