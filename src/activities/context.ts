import { virtualAt, type Instant } from '../domain/clock.ts';
import type { Fleet } from '../fleet/port.ts';
import type { Attempt, Ledger } from '../ledger/port.ts';
import type { ScaleSetRolloutInput } from '../workflows/messages.ts';

/** What activities ask of Temporal itself: whether a workflow runs, and to wake one. */
export interface WorkflowDirectory {
  /** False when no workflow of that id runs; true when one does, or when that cannot be told. */
  isOpen(workflowId: string): Promise<boolean>;
  /** Sends "look again" to each; one that is gone is passed over. */
  wake(workflowIds: readonly string[]): Promise<void>;
  /** Starts the workflow of a scale set to finish what a terminated one left half done; does nothing if one runs. */
  windDown(input: ScaleSetRolloutInput): Promise<void>;
}

/** How a VM's wait for health ended (rule B5). */
export interface HealthWait {
  /** Virtual milliseconds. */
  duration: number;
  isHealthy: boolean;
}

/** Hears of what no answer of an activity tells. An activity that is repeated may tell it again. */
export interface Listener {
  takenOver?(attempt: Attempt): void;
  healthWaitEnded?(wait: HealthWait): void;
}

export interface ActivityDependencies {
  fleet: Fleet;
  ledger: Ledger;
  workflows: WorkflowDirectory;
  /** Tells whoever waits for an activity that it lives; Temporal's own if absent. */
  heartbeat?: (details: unknown) => void;
  listener?: Listener;
}

/**
 * Virtual time now: what the workflow knew when it asked, or what the clock says if that is later (the activity
 * waited for a worker). Under time skipping the workflow's clock is always ahead of this machine's.
 */
export async function currentTime({ fleet }: ActivityDependencies, at: Instant): Promise<Instant> {
  return Math.max(at, virtualAt(await fleet.clock(), Date.now()));
}
