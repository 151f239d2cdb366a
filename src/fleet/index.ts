export type {
  Fleet,
  FleetTimings,
  ImageOffer,
  OperationRequest,
  OperationState,
  OperationStatus,
  ScaleSetFilter,
} from './port.ts';
export { ModelError, type ModelIssue } from './model-error.ts';
export { KEEP_DRIVE_LETTERS_TAG, parseScaleSetId, parseScaleSetModel, type ModelContext } from './model.ts';
export { reachesInstances } from './reaches-instances.ts';
export { redactModel, REDACTED } from './redact-model.ts';
export { isJsonObject, mergeModels, toWireShape, type Json } from './wire-shape.ts';
export { healthSignal } from './health-signal.ts';
export { findResource, resourcePlace, resourceUrl } from './resource-url.ts';
export { AZURE_REGIONS } from './regions.ts';
export { FleetApiError } from './api-error.ts';
export { type CatalogImage, type CatalogVersion, type Replica } from './simulated/catalog.ts';
export { textSchema } from './text-schema.ts';
export { faultSchema, type Fault, type FaultOf, type FaultSpec } from './simulated/faults.ts';
export {
  publishGalleryVersion,
  publishImageVersion,
  PublishError,
  type GalleryVersion,
  type Published,
  type TargetRegion,
} from './simulated/publish.ts';
export { seedFleet, type SeededFleet } from './simulated/seed.ts';
export { fleetSpecSchema, type FleetSpec, type ScaleSetSpec } from './simulated/spec.ts';
export { openSimulatedFleet, type SimulatedFleet } from './simulated/simulated-fleet.ts';
export { generateFleet, type GeneratedFleetOptions } from './simulated/generate.ts';
export { importFleet, type FleetImport, type Imported } from './simulated/import.ts';
export { type InstanceChange } from './simulated/change-instances.ts';
export { type ModelWrite } from './simulated/write-model.ts';
