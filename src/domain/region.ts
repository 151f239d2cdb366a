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
