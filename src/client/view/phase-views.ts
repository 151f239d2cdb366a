import { failureReason } from '../../domain/operation.ts';
import { gateOf } from '../../domain/phase-gate.ts';
import { normaliseRegionName } from '../../domain/region.ts';
import { scaleSetKey } from '../../domain/scale-set.ts';
import type { Attempt, AttemptInstance, Batch, PhaseRecord, Target } from '../../ledger/port.ts';
import { awaitedBy } from '../gates.ts';
import { addInstances, countSets, instancesOf, sumSets } from './counts.ts';
import type { BatchView, FailureView, PhaseState, PhaseView, RegionView, ScaleSetView } from './types.ts';
import { regionWaits, scaleSetWait, type Holds } from './waits.ts';

/** An attempt with what the ledger knows of its course. */
export interface AttemptDetails {
  batches: Batch[];
  instances: AttemptInstance[];
}

export interface ViewInput {
  holds: Holds;
  records: readonly PhaseRecord[];
  targets: readonly Target[];
  /** The rollout's attempts by the key of their set, the newest last. */
  attempts: ReadonlyMap<string, Attempt[]>;
  /** Details of those attempts that are worth reading: see `snapshot.ts`. */
  details: ReadonlyMap<string, AttemptDetails>;
}

/** The phases of the rollout's plan, with everything that has come of them so far. */
export function phaseViews(input: ViewInput): PhaseView[] {
  const { rollout } = input.holds;
  const highest = Math.max(rollout.phases.length, ...input.targets.map((target) => target.phase));
  return Array.from({ length: highest }, (_, index) => phaseView(input, index + 1));
}

function phaseView(input: ViewInput, phase: number): PhaseView {
  const plan = input.holds.rollout.phases[phase - 1];
  const record = input.records.filter((one) => one.phase === phase).at(-1);
  const targets = input.targets.filter((target) => target.phase === phase);
  const regions = regionNames(plan?.regions ?? [], targets).map((name) =>
    regionView(input, name, targets, record),
  );
  return {
    phase,
    name: plan?.name ?? 'regions',
    state: phaseState(input, phase, record),
    gate: gateOf(plan, input.holds.rollout.settings),
    round: record?.round ?? 1,
    startedAt: record?.startedAt ?? null,
    bakingSince: record?.bakingSince ?? null,
    bakeUntil: record?.bakeUntil ?? null,
    judgedAt: record?.judgedAt ?? null,
    verdict: record?.verdict ?? null,
    regions,
    scaleSets: sumSets(regions.map((region) => region.scaleSets)),
    instances: addInstances(regions.map((region) => region.instances)),
  };
}

function regionNames(planned: readonly string[], targets: readonly Target[]): string[] {
  return [...new Set([...planned, ...targets.map((target) => target.region)].map(normaliseRegionName))];
}

/** A phase that was judged is over, unless it is the one that the rollout has halted at, or would be the next. */
function phaseState({ holds, records }: ViewInput, phase: number, record?: PhaseRecord): PhaseState {
  const { rollout } = holds;
  const awaited = awaitedBy(rollout, records);
  if (awaited?.phase === phase) return awaited.kind === 'approval' ? 'awaitsApproval' : 'halted';
  if (record === undefined) return 'pending';
  const isLast = !records.some((other) => other.phase > phase);
  if (isLast && rollout.endedAt !== null && rollout.status !== 'Completed') return 'stopped';
  if (record.judgedAt !== null) return 'done';
  return record.bakeUntil === null ? 'running' : 'baking';
}

function regionView(
  input: ViewInput,
  name: string,
  phaseTargets: readonly Target[],
  record?: PhaseRecord,
): RegionView {
  const targets = phaseTargets.filter((target) => normaliseRegionName(target.region) === name);
  const sets = targets.map((target) => scaleSetView(input, target));
  const scaleSets = countSets(targets);
  const open = scaleSets.waiting + scaleSets.upgrading > 0;
  // A region without targets has nothing to do, which is known once its phase has left the upgrades behind.
  const done = record !== undefined && !open && (targets.length > 0 || record.bakeUntil !== null);
  const state = record === undefined ? 'pending' : done ? 'done' : 'running';
  const ends = sets.map((set) => set.endedAt).filter((end) => end !== null);
  return {
    name,
    state,
    endedAt: done && ends.length > 0 ? Math.max(...ends) : null,
    waits: state === 'running' ? regionWaits(input.holds, name, targets) : [],
    scaleSets,
    instances: addInstances(sets.map((set) => set.instances)),
    sets,
  };
}

function scaleSetView(input: ViewInput, target: Target): ScaleSetView {
  const attempts = input.attempts.get(scaleSetKey(target.scaleSetId)) ?? [];
  return {
    ...attemptView(input, attempts),
    id: target.scaleSetId,
    name: target.scaleSetName,
    status: target.status,
    seenAt: target.seenAt,
    triggerAt: target.triggerAt,
    reason: target.reason,
  };
}

/** What the attempts of one set tell, the newest last. */
function attemptView(
  { holds, details }: ViewInput,
  attempts: readonly Attempt[],
): Omit<ScaleSetView, 'id' | 'name' | 'status' | 'seenAt' | 'triggerAt' | 'reason'> {
  const newest = attempts.at(-1);
  const known = newest && details.get(newest.id);
  const last = known?.batches.at(-1);
  const isOpen = newest?.status === 'RollingForward';
  return {
    startedAt: newest?.startedAt ?? null,
    endedAt: newest?.endedAt ?? null,
    batch: isOpen && last && last.endedAt === null ? batchView(last) : null,
    batches: known?.batches.length ?? null,
    instances: instancesOf(attempts, known?.instances ?? null),
    wait: isOpen ? scaleSetWait(holds, newest, last) : null,
    failures: (known?.instances ?? []).flatMap(failureView),
  };
}

export function batchView({ number, zone, updateDomain, instanceIds, startedAt }: Batch): BatchView {
  return { number, zone, updateDomain, size: instanceIds.length, startedAt };
}

function failureView(instance: AttemptInstance): FailureView[] {
  const { instanceId, outcome } = instance;
  if (outcome === null || outcome === 'upgraded') return [];
  return [{ instanceId, outcome, error: failureReason(instance) }];
}
