import type { Instant } from '../../domain/clock.ts';
import type { FleetOperation, JournalEntry } from '../../domain/operation.ts';
import type {
  DataDisk,
  ExtensionState,
  OsDisk,
  PowerState,
  ProvisioningState,
  VmIdentity,
} from '../../domain/scale-set.ts';

/** What goes with an OS disk, and comes back with it when it is restored. */
export interface KeptDisk {
  disk: OsDisk;
  extensions: ExtensionState[];
  /** By data disk: Windows keeps them in its registry, on the OS disk. */
  driveLetters: (string | null)[];
  appliedModelVersion: number;
}

/** A time in which its owner had an instance stopped; `to` is null while he has. */
export interface Stop {
  from: Instant;
  to: Instant | null;
}

/** An instance as the fleet keeps it: how it is, and what is planned to become of it. */
export interface InstanceState {
  /** For life. */
  identity: VmIdentity;
  osDisk: OsDisk | null;
  previous: KeptDisk | null;
  dataDisks: (DataDisk & { driveLetter: string | null })[];
  extensions: ExtensionState[];
  power: PowerState;
  provisioning: ProvisioningState;
  protected: boolean;
  appliedModelVersion: number;
  configuredAt: Instant | null;
  /**
   * When the application gets healthy, seen from its own side; null if it never does, or if it cannot be told yet.
   * Outages from outside come on top: see `view.ts`.
   */
  healthyFrom: Instant | null;
  /** When its owner had it stopped since its last configuration began; the last may last. */
  stops: Stop[];
  /** How often each fault that has a number of times has hit it: see `Faults.hit`. */
  hits: Record<string, number>;
  /** Operations begun and not ended yet, in order: an instance does one after the other. */
  planned: PlannedOperation[];
}

/** An operation's course, fixed when it begins. */
export interface PlannedOperation {
  operation: FleetOperation;
  rolloutId: string;
  attemptId: string;
  /** In order of time; what has happened is taken off. */
  steps: PlannedStep[];
}

export interface PlannedStep {
  at: Instant;
  /** What changes at that moment. */
  change: Partial<Omit<InstanceState, 'planned' | 'identity'>>;
  /** What the journal says of it. */
  line?: Pick<JournalEntry, 'event' | 'fromVersion' | 'toVersion' | 'detail' | 'error' | 'observed'>;
}

/** A journal line without what only the instance's row and set know. */
export type HappenedLine = Pick<JournalEntry, 'at' | 'operation' | 'rolloutId' | 'attemptId'> &
  NonNullable<PlannedStep['line']>;

/**
 * Lets everything happen that is planned up to `until`, each change at its own moment.
 * @returns the state then, and what the journal has to say of it, in order; the same state if nothing was due
 */
export function settle(
  state: InstanceState,
  until: Instant,
): { state: InstanceState; happened: HappenedLine[] } {
  if ((dueAt(state) ?? Infinity) > until) return { state, happened: [] };
  const next = { ...state };
  const happened: HappenedLine[] = [];
  const planned: PlannedOperation[] = [];
  for (const { steps, ...operation } of state.planned) {
    const due = steps.filter((step) => step.at <= until);
    for (const { at, change, line } of due) {
      Object.assign(next, change);
      if (line !== undefined) happened.push({ at, ...operation, ...line });
    }
    if (due.length < steps.length) planned.push({ ...operation, steps: steps.slice(due.length) });
  }
  return { state: { ...next, planned }, happened };
}

/** When the next planned change is due, or null. */
export function dueAt(state: InstanceState): Instant | null {
  return state.planned[0]?.steps[0]?.at ?? null;
}

/** When all that is planned has happened, or null if nothing is planned. */
export function busyUntil(state: InstanceState): Instant | null {
  return state.planned.at(-1)?.steps.at(-1)?.at ?? null;
}
