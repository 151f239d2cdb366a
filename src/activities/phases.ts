import type { Instant } from '../domain/clock.ts';
import { exceedsPercent } from '../domain/health.ts';
import { gateOf, type PhaseGate } from '../domain/phase-gate.ts';
import { scopesOf } from '../domain/scopes.ts';
import { stopCodes } from '../domain/stop-codes.ts';
import type { Decision, Reason, Rollout, RolloutStatus } from '../ledger/port.ts';
import { currentTime, type ActivityDependencies } from './context.ts';
import { notFound } from './failures.ts';
import { holdIfEnded, judgeCanary, liftIfAccepted } from './held-everywhere.ts';
import { holdBackEverywhere } from './hold-back.ts';
import { endByOrder } from './standing-order.ts';
import type { JudgeInput, JudgeResult, OrderLook, PhaseKey } from './types.ts';
import { readVerdict } from './verdict.ts';

/** Records that a phase (or a further round of it) begins, and releases the version in its regions (rule D6). */
export async function openPhase(
  deps: ActivityDependencies,
  input: PhaseKey & { regions: string[]; at: Instant },
): Promise<void> {
  const rollout = await existing(deps, input.rolloutId);
  const at = await currentTime(deps, input.at);
  // Once, and in all regions at once: what a person lifts in the middle of it stays lifted.
  const isFirst = input.phase === 1 && input.round === 1;
  if (rollout.action === 'revert' && isFirst) await holdBackEverywhere(deps, rollout, at);
  // A revert takes a version back: it releases nothing.
  const regions = rollout.action === 'revert' ? [] : input.regions;
  await deps.ledger.phases.open({ ...input, regions, at, target: rollout.target });
}

/** Records the beginning of the bake time; asked again, it answers with the same end (rule D3). */
export async function startBake(
  deps: ActivityDependencies,
  input: PhaseKey & { at: Instant },
): Promise<{ until: Instant }> {
  const rollout = await existing(deps, input.rolloutId);
  const before = await phaseRecord(deps, input);
  if (before?.bakeUntil) return { until: before.bakeUntil };
  const at = await currentTime(deps, input.at);
  const until = at + gateIn(rollout, input).bakeTime;
  await deps.ledger.phases.bake(input, at, until);
  return { until };
}

/** Reads the health of the phase's VMs after the bake and judges it (rules D2, D3). */
export async function judgePhase(deps: ActivityDependencies, input: JudgeInput): Promise<JudgeResult> {
  const rollout = await existing(deps, input.rolloutId);
  const at = await currentTime(deps, input.at);
  const verdict = await readVerdict(deps, rollout, input, at);
  await deps.ledger.phases.judge(input, verdict, at);
  const tolerance = gateIn(rollout, input).failureTolerancePercent;
  const result = { verdict, withinTolerance: !exceedsPercent(verdict.failed, verdict.eligible, tolerance) };
  await judgeCanary(deps, rollout, { phase: input.phase, ...result }, at);
  return result;
}

/** The order in force for a rollout, or for one of its phases. */
export async function readOrder(
  deps: ActivityDependencies,
  input: { rolloutId: string; phase?: number },
): Promise<OrderLook> {
  const order = await deps.ledger.orders.inForce(scopesOf(input));
  if (!order) return { state: 'running', reason: null };
  const end = endByOrder(order);
  if (end) return { state: 'cancelled', reason: end };
  const verb = order.state === 'paused' ? 'Paused' : 'Resumed';
  const reason = { code: verb, message: `${verb} by ${order.who}: ${order.why}` };
  return { state: order.state, reason };
}

/** Records a person's decision for good; answers with the one in force (rule D2). */
export async function recordDecision(
  deps: ActivityDependencies,
  input: Omit<Decision, 'at'> & { at: Instant },
): Promise<Decision> {
  const rollout = await existing(deps, input.rolloutId);
  const at = await currentTime(deps, input.at);
  const decision = await deps.ledger.phases.decide({ ...input, at });
  await liftIfAccepted(deps, rollout, decision, at);
  return decision;
}

export async function setRolloutStatus(
  deps: ActivityDependencies,
  input: { rolloutId: string; status: RolloutStatus; reason: Reason | null; at: Instant },
): Promise<void> {
  const { rolloutId, status, reason, at: asOf } = input;
  await close(deps, { rolloutId, status, reason, at: await currentTime(deps, asOf), asOf });
}

/** Sets the status; a rollout that ends leaves none of its scale sets waiting. */
async function close(
  deps: ActivityDependencies,
  change: { rolloutId: string; status: RolloutStatus; reason: Reason | null; at: Instant; asOf?: Instant },
): Promise<void> {
  const { rolloutId, status, reason, at, asOf } = change;
  const { ledger } = deps;
  const recorded = reason?.code === stopCodes.superseded ? 'Superseded' : status;
  if (status === 'Cancelled') await holdIfEnded(deps, await existing(deps, rolloutId), reason, at);
  await ledger.rollouts.setStatus(rolloutId, recorded, at, reason, asOf);
  if (status === 'Running' || status === 'Halted') return;
  const why = reason ?? {
    code: stopCodes.cancelRequested,
    message: 'Its region was cancelled through Temporal.',
  };
  for (const target of await ledger.targets.list({ rolloutId, status: ['waiting'] })) {
    await ledger.targets.update(target, { status: 'stopped', reason: why });
  }
}

/** A phase that is being cancelled because its rollout's workflow was terminated closes the rollout in its place. */
export async function closeOrphanedRollout(
  deps: ActivityDependencies,
  input: { rolloutId: string; at: Instant },
): Promise<void> {
  const rollout = await existing(deps, input.rolloutId);
  if (rollout.endedAt !== null || (await deps.workflows.isOpen(rollout.id))) return;
  const reason = {
    code: stopCodes.interrupted,
    message: 'The workflow of the rollout was terminated; what was half done has been finished.',
  };
  await close(deps, {
    rolloutId: rollout.id,
    status: 'Cancelled',
    reason,
    at: await currentTime(deps, input.at),
  });
}

/** What holds for a phase of a rollout: its plan's word, or the rollout's settings. */
function gateIn({ phases, settings }: Rollout, { phase }: Pick<PhaseKey, 'phase'>): PhaseGate {
  return gateOf(phases[phase - 1], settings);
}

async function existing({ ledger }: ActivityDependencies, id: string): Promise<Rollout> {
  const rollout = await ledger.rollouts.get(id);
  if (!rollout) throw notFound(`Rollout ${id}`);
  return rollout;
}

async function phaseRecord({ ledger }: ActivityDependencies, { rolloutId, phase, round }: PhaseKey) {
  return (await ledger.phases.list(rolloutId)).find(
    (record) => record.phase === phase && record.round === round,
  );
}
