/** A region of the cloud (rule A2). */
export interface Region {
  name: string;
  displayName: string;
  geography: string;
  /** The pair that the region itself names. Pairs are directional in the data and undirected in every rule: see `pairedRegions`. */
  pairedRegion: string | null;
  /** `['1', '2', '3']`, or none. */
  availabilityZones: string[];
}

/**
 * The regions that share a geo-pair with a region, in the order of their names (rule A2). A pair is an undirected
 * edge: some regions name a partner that names another one, so a region can have several and pairs can form chains.
 * @param name in any spelling: `East US` is `eastus`
 * @returns normalised names; empty for a region without a pair, and for one that is not known
 */
export function pairedRegions(regions: readonly Region[], name: string): string[] {
  const wanted = normaliseRegionName(name);
  const partners = new Set<string>();
  for (const region of regions) {
    if (region.pairedRegion === null) continue;
    const from = normaliseRegionName(region.name);
    const to = normaliseRegionName(region.pairedRegion);
    if (from === wanted) partners.add(to);
    if (to === wanted) partners.add(from);
  }
  partners.delete(wanted);
  return [...partners].toSorted();
}

/** True when the two regions are a geo-pair, whichever of them names the other (rules A2, D1). */
export function arePaired(regions: readonly Region[], a: string, b: string): boolean {
  return pairedRegions(regions, a).includes(normaliseRegionName(b));
}

/** A region's name as the rules compare it: lower case, no blanks. `West US 3` becomes `westus3`. */
export function normaliseRegionName(text: string): string {
  return text.toLowerCase().replaceAll(/\s/g, '');
}

/** Every geo-pair among the regions, once, whichever side names it (rule A2). */
export function geoPairs(regions: readonly Region[]): [string, string][] {
  const pairs = new Map<string, [string, string]>();
  for (const { name, pairedRegion } of regions) {
    if (pairedRegion === null) continue;
    const pair = [name, pairedRegion].toSorted() as [string, string];
    pairs.set(pair.join(' '), pair);
  }
  return [...pairs.values()];
}
