import type { Mutation } from './mutation.ts';
import { batches } from './rules/batches.ts';
import { instances } from './rules/disks.ts';
import { eligibility } from './rules/eligibility.ts';
import { ends } from './rules/ends.ts';
import { fleetWide } from './rules/fleet-wide.ts';
import { imageWatch } from './rules/image-watch.ts';
import { health } from './rules/health.ts';
import { healthSources } from './rules/health-sources.ts';
import { models } from './rules/models.ts';
import { oneAtATime } from './rules/one-at-a-time.ts';
import { replay } from './replay.ts';
import { policies } from './rules/policies.ts';
import { serviceFabric } from './rules/service-fabric.ts';
import { thresholds } from './rules/thresholds.ts';
import { windows } from './rules/windows.ts';

/** All of them, in the order of the rules. */
export const MUTATIONS: readonly Mutation[] = [
  ...batches,
  ...instances,
  ...health,
  ...thresholds,
  ...ends,
  ...oneAtATime,
  ...policies,
  ...eligibility,
  ...healthSources,
  ...serviceFabric,
  ...models,
  ...fleetWide,
  ...windows,
  ...imageWatch,
  ...replay,
];
