/** What metrics are made of: counts of everything that was ever recorded, and how long what is open has been so. */

import type { AttemptKind } from '../domain/attempt-kinds.ts';
import type { Instant } from '../domain/clock.ts';
import type { AttemptStatus, DesiredState, InstanceOutcome, RolloutStatus, TargetStatus } from './records.ts';

/** What all counts of upgrades are told apart by. */
export interface UpgradeGroup {
  imageKey: string;
  region: string;
  kind: AttemptKind;
}

/**
 * How an instance of a batch ended, for good: `left` only when its attempt has ended, since it may be restored until then
 * (rule B7); `abandoned`, when its attempt ended without an outcome of it. Otherwise it is `inProgress`.
 */
export type FinalOutcome = InstanceOutcome | 'abandoned' | 'inProgress';

/** Batches that ended, by how long they took: as many at most as long as each bound, and all of them. */
export interface BatchDurations {
  kind: AttemptKind;
  /** In the order of the bounds that were asked for. */
  atMost: number[];
  count: number;
  /** Virtual milliseconds, of all together. */
  sum: number;
}

/** What scale sets, regions, phases and rollouts wait for now. */
export interface Wait {
  kind: 'trigger' | 'turn' | 'zone' | 'geoPair' | 'betweenBatches' | 'bake' | 'decision';
  count: number;
  /** When the one that has waited longest began to. */
  since: Instant;
}

export interface LedgerStatistics {
  rollouts: { imageKey: string; action: AttemptKind; status: RolloutStatus; count: number }[];
  /** `code`: why it ended or will end; null if nothing is to be said. */
  attempts: (UpgradeGroup & { status: AttemptStatus; code: string | null; count: number; since: Instant })[];
  instances: (UpgradeGroup & { outcome: FinalOutcome; count: number })[];
  batches: (UpgradeGroup & { opened: number; closed: number })[];
  batchDurations: BatchDurations[];
  /** Of rollouts that have not ended. `isDue`: its trigger has come (rule D6). `since`: when the first was seen. */
  targets: { region: string; status: TargetStatus; isDue: boolean; count: number; since: Instant }[];
  /** At most one of each kind. */
  waits: Wait[];
  /** Those in force that stop something. */
  orders: { state: DesiredState; count: number }[];
  quarantined: { region: string; count: number; since: Instant }[];
  heldVersions: { imageKey: string; count: number }[];
  /** Who is told: how many events each has yet to get, and since when, by the clock on the wall, it has accepted none. */
  watchers: { name: string; pending: number; failingSince: number | null; isDisabled: boolean }[];
  /** `recordedAt` of the last line, by the clock on the wall; null of an empty journal. */
  journal: { lines: number; lastRecordedAt: number | null };
}

export interface StatisticsRequest {
  /** Virtual: what has come due by then. */
  now: Instant;
  /** Virtual milliseconds, rising. */
  batchDurationBounds: readonly number[];
}

/** What metrics are made of. */
export interface Statistics {
  /** A few statements, none of which locks or waits for anybody: what they count may be a moment apart. */
  read(request: StatisticsRequest): Promise<LedgerStatistics>;
}
