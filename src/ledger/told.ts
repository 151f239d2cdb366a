import { type EventData, type EventKind, MOST_IDS, quoted, type RolloutEvent } from '../domain/events.ts';
import { imageLabel, type ImageVersion } from '../domain/image.ts';
import { failureReason } from '../domain/operation.ts';
import type { AttemptRow } from './attempt-rows.ts';
import type {
  Decision,
  EndedInstance,
  PhaseVerdict,
  Progress,
  Reason,
  Rollout,
  RolloutStatus,
} from './port.ts';
import { fromJson, keyOf, type Tx } from './rows.ts';

/* What watchers are told of changes in the ledger. Keys are made of what the change is of, so that a repeat has the same. */

export function rolloutStarted(rollout: Rollout): RolloutEvent {
  const { kind, action, generation, phases, startedBy, why, startedAt: at } = rollout;
  const by = { startedBy, why: why === null ? null : quoted(why) };
  const data = { kind, action, generation, phases: phases.length, ...by };
  return ofRollout('rollout.started', rollout, at, data, 'started');
}

const STATUS_KINDS: Partial<Record<RolloutStatus, EventKind>> = {
  Halted: 'rollout.halted',
  Completed: 'rollout.completed',
  Faulted: 'rollout.faulted',
  Cancelled: 'rollout.cancelled',
  Superseded: 'rollout.superseded',
};

/** @param before the rollout as it was; what it was already is not told again */
export function statusChanged(
  before: Rollout,
  { status, reason, at, asOf }: { status: RolloutStatus; reason: Reason | null; at: number; asOf: number },
): RolloutEvent[] {
  const kind = STATUS_KINDS[status];
  if (kind === undefined || before.status === status) return [];
  // It halts as often as people let it go on, and ends once.
  const occasion = status === 'Halted' ? `halted/${asOf}` : 'ended';
  return [
    ofRollout(kind, before, at, { kind: before.kind, action: before.action, ...why(reason) }, occasion),
  ];
}

/** The one verdict of a phase's round. */
export async function phaseDone(
  tx: Tx,
  { rolloutId, phase, round }: { rolloutId: string; phase: number; round: number },
  { eligible, succeeded, failed }: PhaseVerdict,
  at: number,
): Promise<RolloutEvent> {
  const rollout = await recorded(tx, rolloutId);
  const data = { phase, round, eligible, succeeded, failed };
  return ofRollout('phase.done', rollout, at, data, `phase/${phase}/${round}`);
}

export async function decided(tx: Tx, decision: Decision): Promise<RolloutEvent> {
  const { rolloutId, phase, round, decision: what, who, why: because, at } = decision;
  const rollout = await recorded(tx, rolloutId);
  const data = { phase, round, decision: what, who, why: quoted(because) };
  return ofRollout('rollout.decided', rollout, at, data, `decided/${phase}/${round}/${what}`);
}

/** An attempt that has ended as faulted, or that was given up, as often as that. */
export function setFaulted(
  row: AttemptRow,
  { reason, progress, at }: { reason: Reason | null; progress: Progress | null; at: number },
  occasion: string,
): RolloutEvent {
  return ofSet('scaleset.faulted', row, at, { ...why(reason), ...progress }, occasion);
}

/** What watchers are told of, of all the ways in which an instance may end. */
const OUTCOME_KINDS = { restored: 'scaleset.restored', restoreFailed: 'scaleset.quarantined' } as const;

export function isTold(outcome: EndedInstance['outcome']): outcome is keyof typeof OUTCOME_KINDS {
  return outcome in OUTCOME_KINDS;
}

/**
 * Instances that were restored, and those that could not be: one event for all that ended alike at the same time.
 * @param ended those whose outcome is new; an instance has one outcome of each kind in an attempt
 */
export function instancesRestored(
  row: AttemptRow,
  ended: readonly EndedInstance[],
  at: number,
): RolloutEvent[] {
  return Object.entries(OUTCOME_KINDS).flatMap(([outcome, kind]) => {
    const alike = ended.filter((one) => one.outcome === outcome);
    const [first] = alike;
    if (first === undefined) return [];
    const instanceIds = alike.slice(0, MOST_IDS).map(({ instanceId }) => instanceId);
    const error = failureReason(first);
    const data = { instances: alike.length, instanceIds, error: error === null ? null : quoted(error) };
    return [ofSet(kind, row, at, data, `${outcome}/${keyOf(first.instanceId)}`)];
  });
}

interface About {
  id: string;
  target: ImageVersion | null;
}

/** Phases and decisions may be recorded of a rollout that is not. */
async function recorded(tx: Tx, rolloutId: string): Promise<About> {
  const row = await tx
    .selectFrom('rollouts')
    .select(['id', 'target'])
    .where('rollout_key', '=', keyOf(rolloutId))
    .executeTakeFirst();
  return { id: row?.id ?? rolloutId, target: row === undefined ? null : fromJson(row.target) };
}

function ofRollout(
  kind: EventKind,
  { id, target }: About,
  at: number,
  data: EventData,
  occasion: string,
): RolloutEvent {
  const about = { rolloutId: id, ...versionOf(target) };
  return { key: `${keyOf(id)}#${occasion}`, kind, subject: id, at, data: { ...about, ...data } };
}

function ofSet(
  kind: EventKind,
  row: AttemptRow,
  at: number,
  data: EventData,
  occasion: string,
): RolloutEvent {
  const about = {
    scaleSetId: row.scale_set_id,
    region: row.region,
    attemptId: row.id,
    action: row.kind,
    rolloutId: row.rollout_id,
    ...versionOf(fromJson(row.target)),
  };
  return { key: `${row.id}#${occasion}`, kind, subject: row.scale_set_id, at, data: { ...about, ...data } };
}

function versionOf(target: ImageVersion | null): EventData {
  return target === null ? {} : { image: imageLabel(target.image), version: target.version };
}

function why(reason: Reason | null): EventData {
  return reason === null ? {} : { code: reason.code, reason: quoted(reason.message) };
}
