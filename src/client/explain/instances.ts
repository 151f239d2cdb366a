import { planBatches, zonesOf, type BatchPlan } from '../../domain/batching.ts';
import { isoTime } from '../../domain/clock.ts';
import { healthProblems } from '../../domain/health-problems.ts';
import { imageLabel } from '../../domain/image.ts';
import { observedInstance } from '../../domain/observed-instance.ts';
import { failureReason } from '../../domain/operation.ts';
import type { Instance } from '../../domain/scale-set.ts';
import { remainingInstances, type ObservedInstance } from '../../domain/set-planner.ts';
import { batchText } from '../view/words.ts';
import { openUpgrade, type Facts } from './facts.ts';
import { standingReasons } from './reasons.ts';
import { instanceCommand } from './commands.ts';
import type { ExplainedInstance, InstanceState } from './types.ts';

/** How every instance of the set stands, in the order of their ids. */
export function explainInstances(facts: Facts): ExplainedInstance[] {
  const turns = turnsOf(facts);
  return facts.reach.instances.map((instance) => explainInstance(facts, instance, turns));
}

/** The instances as a decision about the upgrade would see them. */
export function observed({ reach, scaleSet, readings }: Facts): ObservedInstance[] {
  return reach.instances.map((instance) => observedInstance(reach.goal, scaleSet, instance, readings));
}

type Turn = BatchPlan & { number: number };

/**
 * In which batch each instance would be, if every one succeeded and the set got its zones in their order (rules B2, B3); none of a
 * set that is not to be upgraded.
 */
function turnsOf(facts: Facts): ReadonlyMap<string, Turn> {
  const { reach, policy } = facts;
  const upgrade = openUpgrade(facts);
  if (standingReasons(facts).length > 0) return new Map();
  const taken = (upgrade?.taken ?? []).map((one) => ({ ...one, fatal: false }));
  const candidates = remainingInstances({ instances: observed(facts), taken });
  const last = upgrade?.batches.at(-1);
  const zones = zonesOf(candidates);
  const first = zones.filter((zone) => zone === last?.zone);
  const batches = planBatches({
    candidates,
    instanceCount: reach.instances.length,
    policy,
    zones: [...first, ...zones.filter((zone) => !first.includes(zone))],
    openUpdateDomain: first.length > 0 ? (last?.updateDomain ?? null) : null,
  });
  const turns = batches.map((batch, i) => ({ ...batch, number: (last?.number ?? 0) + i + 1 }));
  return new Map(turns.flatMap((turn) => turn.instanceIds.map((id) => [id, turn] as const)));
}

interface Standing {
  state: InstanceState;
  /** Follows on `is`. */
  text: string;
}

function explainInstance(
  facts: Facts,
  instance: Instance,
  turns: ReadonlyMap<string, Turn>,
): ExplainedInstance {
  const { instanceId, zone, updateDomain, faultDomain, osDisk } = instance;
  const problems = healthProblems(instance, facts.readings);
  const turn = turns.get(instanceId) ?? null;
  const lastTry = lastTryOf(facts, instanceId);
  const standing = standingOf(facts, instance, turn, lastTry);
  const isQuarantined = facts.quarantined.some((one) => one.instanceId === instanceId);
  return {
    instanceId,
    zone,
    updateDomain,
    faultDomain,
    image: osDisk && imageLabel(osDisk.source.image),
    version: osDisk && osDisk.source.version,
    ...standing,
    rule: RULES[standing.state],
    command: instanceCommand(facts.called, standing.state, [instanceId]),
    healthy: problems.length === 0 && !isQuarantined,
    problems,
    turn: turn && {
      number: turn.number,
      zone: turn.zone,
      updateDomain: turn.updateDomain,
      size: turn.instanceIds.length,
    },
    lastTry,
  };
}

/** The rule by which an instance stands as it does, where it is one of the numbered ones. */
const RULES: Record<InstanceState, string> = {
  inBatch: 'B3',
  pending: '',
  failed: 'B6',
  quarantined: '',
  stopped: 'B3',
  protected: '',
  behindModel: 'C9',
  onVersion: 'B10',
};

function standingOf(facts: Facts, instance: Instance, turn: Turn | null, lastTry: LastTry): Standing {
  const { instanceId } = instance;
  return (
    inBatch(facts, instanceId) ??
    quarantined(facts, instanceId) ??
    leftAlone(facts, instance) ??
    (isWanted(facts, instanceId) ? null : { state: 'onVersion', text: 'on the version' }) ??
    failed(facts, turn, lastTry) ?? {
      state: 'pending',
      text: `not on the version yet${turn === null ? '' : `: its turn is ${batchText(turn)}`}`,
    }
  );
}

function inBatch({ open }: Facts, instanceId: string): Standing | null {
  const batch = open?.batches.at(-1);
  if (batch === undefined || batch.endedAt !== null || !batch.instanceIds.includes(instanceId)) return null;
  return { state: 'inBatch', text: `in ${batchText(batch)}, since ${isoTime(batch.startedAt)}` };
}

function quarantined({ quarantined: all }: Facts, instanceId: string): Standing | null {
  const record = all.find((one) => one.instanceId === instanceId);
  if (record === undefined) return null;
  return {
    state: 'quarantined',
    text: `in quarantine since ${isoTime(record.since)}, untouched until it is repaired: ${clause(record.error)}`,
  };
}

/** Off the version, and none that an upgrade would touch. */
function leftAlone({ reach }: Facts, { instanceId, powerState }: Instance): Standing | null {
  if (reach.protected.includes(instanceId))
    return { state: 'protected', text: 'protected by its owner, and never touched' };
  if (reach.behindModel.includes(instanceId))
    return {
      state: 'behindModel',
      text: 'behind the model, which upgrade mode Manual leaves to its owner',
    };
  if (reach.stopped.includes(instanceId))
    return { state: 'stopped', text: `${powerState}, and so not touched` };
  return null;
}

function isWanted({ reach }: Facts, instanceId: string): boolean {
  return reach.acts.some((act) => act.instanceId === instanceId);
}

type LastTry = ExplainedInstance['lastTry'];

/** What became of it in the newest upgrade to the version that took it. */
function lastTryOf({ tries }: Facts, instanceId: string): LastTry {
  for (const { attempt, taken } of tries) {
    const one = taken.find((each) => each.instanceId === instanceId);
    if (one === undefined) continue;
    const { batch, outcome } = one;
    return { attempt: attempt.number, batch, outcome, error: failureReason(one) };
  }
  return null;
}

/** The newest attempt has failed on it, and no other one is about to take it. */
function failed(facts: Facts, turn: Turn | null, lastTry: LastTry): Standing | null {
  if (lastTry === null || lastTry.outcome === null || lastTry.outcome === 'upgraded') return null;
  const isDue = facts.course?.target?.status === 'waiting' || (openUpgrade(facts) !== null && turn !== null);
  if (isDue) return null;
  const { attempt, outcome, error } = lastTry;
  const what = outcome === 'restored' ? 'restored' : 'failed';
  const why = error === null ? '' : ` (${clause(error)})`;
  return { state: 'failed', text: `not on the version: ${what} in attempt ${attempt}${why}` };
}

/** A sentence as a part of another one. */
function clause(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
