export { plainLines } from './plain.ts';
export { readSnapshot, snapshotReader, type SnapshotReader, type SnapshotSources } from './snapshot.ts';
export { renderTree, type TreeOptions } from './tree.ts';
export type {
  BatchView,
  FailureView,
  InstanceCounts,
  PhaseState,
  PhaseView,
  RegionState,
  RegionView,
  RolloutSnapshot,
  ScaleSetCounts,
  ScaleSetView,
  Wait,
  WaitHolder,
  WaitKind,
} from './types.ts';
export {
  wantsColor,
  watchRollout,
  type WatchOptions,
  type WatchOutcome,
  type WatchResult,
} from './watch-rollout.ts';
