/** What the worker bundles: the workflows, by the names under which clients start them. */
export { batchUpgrade } from './batch-upgrade.ts';
export { imageRollout } from './image-rollout.ts';
export { imageWatch } from './image-watch.ts';
export { phaseRollout } from './phase-rollout.ts';
export { regionRollout } from './region-rollout.ts';
export { scaleSetRollout } from './scale-set-rollout.ts';
