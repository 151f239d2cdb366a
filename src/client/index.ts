export { auditRollout, type RolloutAudit } from './audit.ts';
export { readWindow, requireMoment, requireZone, type WindowText } from './calendar/input.ts';
export { listRules, viewRule, type RuleList, type RuleState, type RuleView } from './calendar/list.ts';
export { addRule, removeRule, type AddRuleRequest, type ChangedRule } from './calendar/rules.ts';
export { currentInstant, currentUser, type ClientContext } from './context.ts';
export { decide, type DecideRequest } from './decide.ts';
export { parseDuration } from './durations.ts';
export { ClientError, EXIT, UsageError, type ClientErrorCode } from './errors.ts';
export { explain } from './explain/explain.ts';
export type {
  Advice,
  ExplainedInstance,
  ExplainedReason,
  ExplainedSet,
  ExplainedWait,
  ExplainRequest,
  Explanation,
  InstanceGroup,
} from './explain/types.ts';
export {
  renewResources,
  viewResources,
  type RenewedResource,
  type RenewRequest,
  type ResourcesView,
  type ResourceSummary,
} from './external-resources.ts';
export { changeInstances, type ChangedInstances } from './fleet-changes.ts';
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
export {
  lookAtImagesNow,
  switchImageWatchOff,
  switchImageWatchOn,
  tellImageWatch,
  viewImageWatch,
  type ImageWatchView,
} from './image-watch.ts';
export {
  viewImages,
  type ImageCatalog,
  type ImageSummary,
  type OfferState,
  type VersionOffer,
  type VersionSummary,
} from './image-catalog.ts';
export { readHistory, type History, type HistoryEntry } from './history.ts';
export { changeNodeType, type ChangedNodeType, type NodeTypeRequest } from './node-types.ts';
export { journalLine, readJournal, type JournalFilter, type JournalLine } from './journal.ts';
export {
  MODEL_API_VERSION,
  setModel,
  showModel,
  type ModelChange,
  type SetModelRequest,
  type ShownModel,
} from './model/set-model.ts';
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
export type { Difference } from './rehearsal/differences.ts';
export { rehearse, type Outcome, type Rehearsed, type RehearsedAction } from './rehearsal/rehearse.ts';
export type { SetResult } from './rehearsal/results.ts';
export { PLAIN_SCENARIO, readScenario, type Scenario } from './rehearsal/scenario.ts';
export { repair, type Finding, type Repair, type RepairRequest } from './repair.ts';
export { listHeld, type HeldBack } from './revert/held.ts';
export { lift, prepareRevert, type LiftRequest, type Revert, type RevertRequest } from './revert/revert.ts';
export type { RevertPlan, SetRevertPlan } from './revert/plan.ts';
export { rolloutSettings, type SettingsOverrides } from './settings.ts';
export { startRollout, type StartedRollout, type StartRequest } from './start.ts';
export { startScaleSet, type StartScaleSetRequest } from './start-scale-set.ts';
export {
  placedWaits,
  rolloutStatus,
  type PlacedWait,
  type SetWarning,
  type StatusReport,
  type TemporalReport,
} from './status.ts';
export {
  addWatcher,
  listWatchers,
  removeWatcher,
  retryWatcher,
  testWatcher,
  type AddWatcherRequest,
  type ShownWatcher,
  type TestedWatcher,
} from './watchers.ts';
export { updateInstances, type UpdatedInstances, type UpdateInstancesRequest } from './update-instances.ts';
