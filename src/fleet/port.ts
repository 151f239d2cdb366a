import type { Duration, Instant, VirtualClock } from '../domain/clock.ts';
import type { Image, ImageVersion } from '../domain/image.ts';
import type { FleetOperation } from '../domain/operation.ts';
import type { Region } from '../domain/region.ts';
import type { Instance, OperationError, ScaleSet } from '../domain/scale-set.ts';
import type { Surroundings } from '../domain/surroundings.ts';

/**
 * One operation on some instances of one scale set. Each instance's operation is known by
 * `attemptId:instanceId:operation:ordinal`: asking again for one that was begun begins nothing and answers with its state.
 */
export interface OperationRequest {
  scaleSetId: string;
  instanceIds: string[];
  operation: FleetOperation;
  /** What follows it on the same instances, in order: each is begun in the same call where the one before runs or has succeeded. */
  then?: FleetOperation[];
  ordinal: number;
  attemptId: string;
  rolloutId: string;
  /**
   * The attempt's fencing number. A new operation is refused when the scale set has been fenced with a higher one, or
   * when the instance has already seen a later operation of the same fence (`OPERATION_ORDER`): a zombie does no harm.
   */
  fence: number;
  /** Virtual time of the request. A fleet never takes a scale set back in time: it uses its own latest time if that is later. */
  at: Instant;
  /** The version that a swap brings. */
  target?: ImageVersion;
}

export type OperationStatus = 'running' | 'succeeded' | 'failed' | 'refused';

/** How an operation on one instance stands; of several that follow each other, the last that was begun or refused. */
export interface OperationState {
  instanceId: string;
  status: OperationStatus;
  startedAt: Instant;
  /** When it ended, or when a running one is expected to end. Of a refused one: when it was refused. */
  endsAt: Instant;
  error?: OperationError;
}

export interface ImageOffer {
  version: string;
  publishedAt: Instant;
  /** Gallery versions that are kept out of `latest` (rule C3). Always false for platform versions. */
  excludedFromLatest: boolean;
}

/** How long things usually take on this fleet, for the estimate of a plan; per instance. */
export interface FleetTimings {
  osDiskSwap: { min: Duration; max: Duration };
  modelApply: { min: Duration; max: Duration };
  extensionRun: { min: Duration; max: Duration };
  becomeHealthy: { min: Duration; max: Duration };
  osDiskRestore: { min: Duration; max: Duration };
}

export interface ScaleSetFilter {
  region?: string;
  /** Sets whose model refers to this image, ignoring case. */
  image?: Image;
}

/**
 * What any cloud must offer to be upgraded. Reads and writes carry virtual time `at`; a simulated fleet makes its
 * changes at their exact simulated moments, a real one ignores `at`. An adapter writes each operation's start and end
 * to the journal in the same step that performs it (rule E4).
 *
 * Errors: a method rejects with `FleetApiError` for faults of the cloud's API (worth a retry), which says whether the call was about
 * one scale set, and with anything else when the adapter itself is at fault. What went wrong with one instance is a value.
 */
export interface Fleet {
  clock(): Promise<VirtualClock>;
  regions(): Promise<Region[]>;
  timings(): Promise<FleetTimings>;
  scaleSets(filter?: ScaleSetFilter): Promise<ScaleSet[]>;
  /** The scale set, or null if there is none of that id (ids ignore case). */
  scaleSet(id: string): Promise<ScaleSet | null>;
  /**
   * The instances as they are at `at`, in the order of their ids; all of them, or only those named that exist. An id is
   * never given to another VM, also not in a set that is deleted and made again: the ledger knows VMs by their ids.
   */
  instances(scaleSetId: string, at: Instant, instanceIds?: readonly string[]): Promise<Instance[]>;
  /** What is around a set and not in its model, as it is at `at`, that its eligibility goes by (rules C4, C5, C8). */
  surroundings(scaleSet: ScaleSet, at: Instant): Promise<Surroundings>;
  /** Versions of an image that a region offers: published, and replicated there if it is a gallery's (rule E3). Newest first. */
  imageOffers(image: Image, region: string, at: Instant): Promise<ImageOffer[]>;
  /** From now on operations of a lower fence are refused on the set. Lower or equal fences change nothing. */
  fence(scaleSetId: string, fence: number): Promise<void>;
  /**
   * Begins operations that were not begun yet; answers with the state of each, in the order asked. One that is asked for
   * while another runs on the instance begins when that ends, and fails if it failed. On a protected instance an attempt begins
   * nothing (`InstanceProtected`), unless it has begun something there before: that is finished, or put back.
   */
  operate(request: OperationRequest): Promise<OperationState[]>;
  /** Gives up the previous OS disks that are kept for a restore. Idempotent. */
  discardPreviousOsDisks(scaleSetId: string, instanceIds: readonly string[], at: Instant): Promise<void>;
}
