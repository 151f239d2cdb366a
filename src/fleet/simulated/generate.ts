import { uniform, uniformInt } from '../../domain/random.ts';
import { AZURE_REGIONS, azureRegions } from '../regions.ts';
import type { FleetSpec, ScaleSetSpec } from './spec.ts';

const JAMMY = { publisher: 'Canonical', offer: '0001-com-ubuntu-server-jammy', sku: '22_04-lts' };

export interface GeneratedFleetOptions {
  seed: string;
  /** Names, or how many of Azure's. */
  regions: string[] | number;
  scaleSets: number;
  /** In all; each set gets its share, give or take half, and at most 1000. */
  instances: number;
  /** Share of the sets that spread over zones, where their region has zones. */
  zonalShare?: number;
  image?: { publisher: string; offer: string; sku: string };
  /** The version that all instances start on. */
  version?: string;
  /** Extensions of each set. */
  extensions?: number;
  behaviour?: FleetSpec['behaviour'];
  speed?: number;
  epochVirtual?: number | string;
}

/** Describes a fleet by numbers: the same for the same seed. All its sets are eligible. */
export function generateFleet(options: GeneratedFleetOptions): FleetSpec {
  const { seed, zonalShare = 0.5, image = JAMMY, version = '22.04.202511010', extensions = 1 } = options;
  const regions =
    typeof options.regions === 'number'
      ? AZURE_REGIONS.slice(0, options.regions)
      : azureRegions(options.regions);
  if (regions.length === 0) throw new Error('A fleet needs a region.');
  const capacities = spread(seed, options.instances, options.scaleSets);
  const scaleSets = capacities.map((capacity, i): ScaleSetSpec => {
    const region = regions[i % regions.length] as (typeof regions)[number];
    return {
      name: `ss-${region.name}-${String(i).padStart(4, '0')}`,
      region: region.name,
      zones: uniform(seed, 'zonal', i) < zonalShare ? region.availabilityZones : [],
      capacity,
      image,
      version,
      extensions: Array.from({ length: extensions }, (_, n) => ({ name: `app-${n + 1}` })),
    };
  });
  return {
    seed,
    regions: regions.map(({ name }) => name),
    images: [{ ...image, versions: [{ version }] }],
    scaleSets,
    ...(options.behaviour === undefined ? {} : { behaviour: options.behaviour }),
    ...(options.speed === undefined ? {} : { speed: options.speed }),
    ...(options.epochVirtual === undefined ? {} : { epochVirtual: options.epochVirtual }),
  };
}

/** Splits a number into parts of unlike size, each from 1 to 1000, that add up to it. */
function spread(seed: string, total: number, parts: number): number[] {
  if (total < parts || total > parts * 1000) {
    throw new Error(`${total} instances do not fit ${parts} scale sets of 1 to 1000.`);
  }
  const mean = total / parts;
  const sizes = Array.from({ length: parts }, (_, i) =>
    uniformInt(Math.max(1, Math.ceil(mean / 2)), Math.min(1000, Math.ceil(mean * 1.5)), seed, 'size', i),
  );
  // The draws miss the total by a little: what is over or missing goes round the sets one by one.
  let missing = total - sizes.reduce((sum, size) => sum + size, 0);
  for (let i = 0; missing !== 0; i = (i + 1) % parts) {
    const size = (sizes[i] as number) + Math.sign(missing);
    if (size < 1 || size > 1000) continue;
    sizes[i] = size;
    missing -= Math.sign(missing);
  }
  return sizes;
}
