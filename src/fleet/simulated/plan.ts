import type { Instant } from '../../domain/clock.ts';
import type { ImageVersion } from '../../domain/image.ts';
import { operationErrorCodes, type FleetOperation } from '../../domain/operation.ts';
import { scaleSetKey, type OperationError, type ScaleSet } from '../../domain/scale-set.ts';
import type { ExternalResource } from '../../domain/surroundings.ts';
import { healthSignal } from '../health-signal.ts';
import { draw, type Step } from './behaviour.ts';
import type { Subject } from './faults.ts';
import type { InstanceState, PlannedStep, Stop } from './state.ts';
import { delayBy, type World } from './world.ts';

/** All that an operation's course follows from. */
export interface PlanInput {
  world: World;
  scaleSet: ScaleSet;
  subject: Subject;
  /** How the instance is when the operation begins. */
  before: InstanceState;
  start: Instant;
  operation: FleetOperation;
  ordinal: number;
  attemptId: string;
  /** The version that a swap brings. */
  target?: ImageVersion;
  resources: ExternalResources;
  /** How many instances the set has now. */
  setSize: number;
}

/** By URL as `ScaleSet` spells it; null for one whose token nobody knows. One that is not listed is there for all. */
export type ExternalResources = ReadonlyMap<string, ExternalResource | null>;

/** What happens, moment by moment. The last step's time is the operation's end. */
export interface Plan {
  steps: PlannedStep[];
  endsAt: Instant;
  /** Absent when it succeeds. */
  error?: OperationError;
}

export type JournalLine = NonNullable<PlannedStep['line']>;

/** How long a step takes here: the same whenever and however often it is asked. */
export function duration(input: PlanInput, step: Step, version: string, detail = ''): number {
  const { world, subject, ordinal } = input;
  return draw(
    world.behaviour,
    step,
    world.seed,
    scaleSetKey(subject.scaleSetId),
    subject.instanceId,
    version,
    detail,
    ordinal,
  );
}

/** When the application is healthy on `version` after its configuration ended at `configuredAt`; null for never. */
export function healthyFrom(input: PlanInput, configuredAt: Instant, version: string): Instant | null {
  const { world, subject, scaleSet } = input;
  // Without a signal nothing but power and provisioning counts, and both are there.
  if (healthSignal(scaleSet) === null) return configuredAt;
  if (world.faults.concerning('neverHealthy', subject, version).length > 0) return null;
  return (
    configuredAt + duration(input, 'becomeHealthy', version) + delayBy(world, 'slowHealth', subject, version)
  );
}

/** The version on the OS disk in place. */
export function versionInPlace(state: InstanceState): string | null {
  return state.osDisk?.source.version ?? null;
}

/** Journal lines of an operation: how it started and how it ended. */
export function linesOf(
  fromVersion: string | null,
  toVersion: string | null,
  detail: string | null = null,
): { started: JournalLine; ended(error?: OperationError): JournalLine } {
  const base = { fromVersion, toVersion, detail };
  return {
    started: { event: 'started', ...base, error: null },
    ended: (error) =>
      error === undefined
        ? { event: 'succeeded', ...base, error: null }
        : { event: 'failed', ...base, error: `${error.code}: ${error.message}` },
  };
}

/** What an instance is from the moment an operation takes hold of it until it is configured again. */
export const BEING_CHANGED = {
  provisioning: 'Updating',
  configuredAt: null,
  healthyFrom: null,
  stops: [] as Stop[],
} as const;

/** What it is when an operation has failed: its configuration has ended, and it will not get healthy from it. */
export function failedAt(at: Instant) {
  return { provisioning: 'Failed', configuredAt: at, healthyFrom: null } as const;
}

/** Rule B4: the model is applied, and custom data with it. Where there are no extensions, that ends the configuration. */
export function planModelApply(input: PlanInput): Plan {
  const { scaleSet, before, start } = input;
  const version = versionInPlace(before);
  const endsAt = start + duration(input, 'modelApply', version ?? '');
  const lines = linesOf(null, version, scaleSet.hasCustomData ? 'customData' : null);
  const configured =
    scaleSet.extensions.length > 0
      ? {}
      : {
          provisioning: 'Succeeded' as const,
          configuredAt: endsAt,
          healthyFrom: healthyFrom(input, endsAt, version ?? ''),
          extensions: [],
        };
  return {
    endsAt,
    steps: [
      { at: start, change: BEING_CHANGED, line: lines.started },
      {
        at: endsAt,
        change: { appliedModelVersion: scaleSet.modelVersion, ...configured },
        line: lines.ended(),
      },
    ],
  };
}

/** An error with one of the codes of the domain. */
export function operationError(code: keyof typeof operationErrorCodes, message: string): OperationError {
  return { code: operationErrorCodes[code], message };
}
