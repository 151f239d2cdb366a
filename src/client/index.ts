export { currentInstant, currentUser, type ClientContext } from './context.ts';
export { decide, type DecideRequest } from './decide.ts';
export { parseDuration } from './durations.ts';
export { ClientError, EXIT, UsageError, type ClientErrorCode } from './errors.ts';
export { findRollout, findScaleSet, type Place } from './find.ts';
export {
  DEFAULT_FLEET,
  importFiles,
  publish,
  seed,
  type FleetSetupContext,
  type GenerateRequest,
  type PublishedVersion,
  type PublishRequest,
  type SeedRequest,
} from './fleet-setup.ts';
export {
  viewFleet,
  type FleetView,
  type FleetViewRequest,
  type InstanceSummary,
  type RegionSummary,
  type ScaleSetSummary,
} from './fleet-view.ts';
export { journalLine, readJournal, type JournalFilter, type JournalLine } from './journal.ts';
export { giveOrder, type GivenOrder, type OrderRequest } from './orders.ts';
export { planRollout } from './plan.ts';
export { readPlanFile, type PlanFile } from './plan-file.ts';
export type {
  PlannedBatch,
  PlannedPhase,
  PlannedRegion,
  PlannedScaleSet,
  PlanRequest,
  PlanTotals,
  RolloutPlan,
  SkippedScaleSet,
} from './plan-types.ts';
export { rolloutSettings, type SettingsOverrides } from './settings.ts';
export { startRollout, type StartedRollout, type StartRequest } from './start.ts';
export { startScaleSet, type StartScaleSetRequest } from './start-scale-set.ts';
export {
  placedWaits,
  rolloutStatus,
  type PlacedWait,
  type StatusReport,
  type TemporalReport,
} from './status.ts';
