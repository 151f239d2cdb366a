import type { RolloutSnapshot } from './types.ts';

export interface TreeOptions {
  columns: number;
  /** The most lines; as many as it takes if not given. */
  rows?: number;
  color: boolean;
}

/** The rollout as a tree of phases, regions and scale sets, cut to the terminal. */
export function renderTree(snapshot: RolloutSnapshot, options: TreeOptions): string {
  const lines = [
    `${snapshot.image} ${snapshot.version}: ${snapshot.status}`,
    ...snapshot.phases.flatMap((phase) => [
      `  phase ${phase.phase} (${phase.name}): ${phase.state}`,
      ...phase.regions.map(
        (region) =>
          `    ${region.name}: ${region.state}, ${region.instances.upgraded} upgraded, ${region.instances.failed} failed`,
      ),
    ]),
  ];
  return lines
    .slice(0, options.rows)
    .map((line) => line.slice(0, options.columns))
    .join('\n');
}
