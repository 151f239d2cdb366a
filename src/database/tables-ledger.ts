import type { Generated } from 'kysely';
import type { RuleDefinition } from '../domain/calendar.ts';
import type { EligibilityWarning } from '../domain/eligibility.ts';
import type { ImageVersion } from '../domain/image.ts';
import type { PhasePlan } from '../domain/phases.ts';
import type { RolloutSettings } from '../domain/policy.ts';
import type { RollingUpgradePolicy } from '../domain/scale-set.ts';
import type { PhaseVerdict, Reason, RolloutParameters } from '../ledger/port.ts';

/** Text that is a `T` as JSON. The property exists for the type checker only. */
export type Json<T> = string & { readonly __json?: T };

/**
 * The ledger's tables. A column `..._key` is the lower-cased id by which rows are found; the id beside it is as it was
 * written.
 */
export interface LedgerTables {
  rollouts: RolloutsTable;
  phases: PhasesTable;
  decisions: DecisionsTable;
  releases: ReleasesTable;
  targets: TargetsTable;
  attempts: AttemptsTable;
  batches: BatchesTable;
  batch_instances: BatchInstancesTable;
  claims: ClaimsTable;
  claim_groups: ClaimGroupsTable;
  orders: OrdersTable;
  order_log: OrderLogTable;
  journal_waits: JournalWaitsTable;
  quarantine: QuarantineTable;
  held_versions: HeldVersionsTable;
  calendar_rules: CalendarRulesTable;
}

export interface RolloutsTable {
  rollout_key: string;
  id: string;
  kind: string;
  image_key: string;
  version: string;
  target: Json<ImageVersion>;
  generation: number;
  status: string;
  reason: Json<Reason> | null;
  phases: Json<PhasePlan[]>;
  settings: Json<RolloutSettings>;
  started_by: string;
  started_at: number;
  ended_at: number | null;
  action: string;
  why: string | null;
  parameters: Json<RolloutParameters> | null;
  /** When its status was decided on. */
  status_as_of: number;
}

export interface PhasesTable {
  rollout_key: string;
  rollout_id: string;
  phase: number;
  round: number;
  started_at: number;
  baking_since: number | null;
  bake_until: number | null;
  judged_at: number | null;
  verdict: Json<PhaseVerdict> | null;
}

/** At most two rows for a phase's round: the first decision, and an `abort` that overrode it. */
export interface DecisionsTable {
  rollout_key: string;
  rollout_id: string;
  phase: number;
  round: number;
  /** 1 for `abort`, else 0. */
  aborts: number;
  decision: string;
  who: string;
  why: string;
  at: number;
}

export interface ReleasesTable {
  image_key: string;
  version: string;
  region_key: string;
  region: string;
  rollout_id: string;
  released_at: number;
}

export interface TargetsTable {
  rollout_key: string;
  rollout_id: string;
  scale_set_key: string;
  scale_set_id: string;
  scale_set_name: string;
  region_key: string;
  region: string;
  phase: number;
  round: number;
  status: string;
  seen_at: number;
  trigger_at: number;
  attempt_id: string | null;
  reason: Json<Reason> | null;
}

export interface AttemptsTable {
  id: string;
  scale_set_key: string;
  scale_set_id: string;
  rollout_key: string;
  rollout_id: string;
  number: number;
  fence: number;
  workflow_id: string;
  run_id: string;
  started_by: string;
  target: Json<ImageVersion>;
  policy: Json<RollingUpgradePolicy>;
  /** 0 or 1. */
  restores_on_failure: number;
  warnings: Json<EligibilityWarning[]> | null;
  status: string;
  reason: Json<Reason> | null;
  successful_count: number;
  failed_count: number;
  in_progress_count: number;
  pending_count: number;
  started_at: number;
  ended_at: number | null;
  kind: string;
  region: string;
}

export interface BatchesTable {
  attempt_id: string;
  number: number;
  zone: string | null;
  update_domain: number | null;
  started_at: number;
  ended_at: number | null;
  action: string;
  to_version: Json<ImageVersion> | null;
}

export interface BatchInstancesTable {
  attempt_id: string;
  instance_key: string;
  instance_id: string;
  batch: number;
  /** Its place in the batch, from 0. */
  position: number;
  zone: string | null;
  update_domain: number | null;
  from_version: Json<ImageVersion> | null;
  outcome: string | null;
  error: string | null;
  /** 0 or 1: how it was when the batch was opened. */
  was_healthy: number;
  restore_error: string | null;
}

export interface ClaimsTable {
  group_key: string;
  group_name: string;
  holder_key: string;
  holder: string;
  rule: string;
  workflow_id: string;
  accepts: Json<string[]>;
  excludes: Json<Record<string, string[]>> | null;
  value: string | null;
  requested_at: number;
  granted_at: number | null;
  seq: number;
}

export interface ClaimGroupsTable {
  group_key: string;
  /** The last place given out in the queue. */
  last_seq: number;
  /** The latest instant at which a held claim was given up. */
  released_at: number | null;
}

/** The order that stands for each scope. */
export interface OrdersTable {
  scope_key: string;
  scope: string;
  state: string;
  who: string;
  why: string;
  at: number;
  /** Its line in `order_log`. */
  seq: number;
}

/** Every order that was ever given. */
export interface OrderLogTable {
  seq: Generated<number>;
  scope_key: string;
  scope: string;
  state: string;
  who: string;
  why: string;
  at: number;
}

/** Which entries of waits the journal has: the journal itself knows of no key. */
export interface JournalWaitsTable {
  attempt_id: string;
  instance_key: string;
  operation: string;
  event: string;
}

export interface QuarantineTable {
  scale_set_key: string;
  instance_key: string;
  attempt_id: string;
  scale_set_id: string;
  instance_id: string;
  since: number;
  error: string;
  released_at: number | null;
  released_by: string | null;
}

export interface HeldVersionsTable {
  scale_set_key: string;
  image_key: string;
  version: string;
  scale_set_id: string;
  target: Json<ImageVersion>;
  who: string;
  why: string;
  since: number;
  lifted_at: number | null;
  lifted_by: string | null;
}

export interface CalendarRulesTable {
  seq: Generated<number>;
  kind: string;
  scope: string;
  definition: Json<RuleDefinition>;
  who: string;
  why: string;
  at: number;
  removed_at: number | null;
  removed_by: string | null;
  removed_why: string | null;
}
