import type { Region } from '../domain/region.ts';
import data from './data/regions.json' with { type: 'json' };

/** Azure's public regions, with their pairs and zones (rule A2). */
export const AZURE_REGIONS: readonly Region[] = data;

/** The named regions, or all. @throws Error that says which name is unknown */
export function azureRegions(names: 'all' | readonly string[]): Region[] {
  if (names === 'all') return [...AZURE_REGIONS];
  return [...new Set(names)].map((name) => {
    const region = AZURE_REGIONS.find((candidate) => candidate.name === name);
    if (region === undefined) {
      throw new Error(
        `There is no region "${name}": give names such as ${AZURE_REGIONS[0]?.name}, or "all".`,
      );
    }
    return region;
  });
}
