import { CANCELLED_THROUGH_TEMPORAL } from '../domain/cancel.ts';
import type { Instant } from '../domain/clock.ts';
import { pairedRegions } from '../domain/region.ts';
import { scopesOf } from '../domain/scopes.ts';
import { stopCodes } from '../domain/stop-codes.ts';
import type { Order, Reason, Rollout, Target } from '../ledger/port.ts';
import { scaleSetRolloutId } from '../workflows/ids.ts';
import type { RegionCounts } from '../workflows/messages.ts';
import { claimRegion, releaseRegion } from './claims.ts';
import { currentTime, type ActivityDependencies } from './context.ts';
import { notFound } from './failures.ts';
import { NONE_HELD, takeDue, type HeldTargets } from './region-due.ts';
import { scanRegion } from './region-scan.ts';
import { endByOrder } from './standing-order.ts';
import type { RegionLook, RegionLookInput } from './types.ts';

/**
 * One look at a region: what is due, running and done, from the ledger; with `scan` also which sets the fleet has
 * (rule D6: a set created, opted in or repaired since is found). Marks the sets that the workflow is to start now.
 */
export async function lookAtRegion(deps: ActivityDependencies, input: RegionLookInput): Promise<RegionLook> {
  const at = await currentTime(deps, input.at);
  const rollout = await deps.ledger.rollouts.get(input.rolloutId);
  if (!rollout) throw notFound(`Rollout ${input.rolloutId}`);
  const order = await deps.ledger.orders.inForce(
    scopesOf({ rolloutId: rollout.id, phase: input.phase, region: input.region }),
  );
  const cancelled = cancelReason(input, order);
  if (input.scan && !cancelled) await scanRegion(deps, input, rollout, at);
  if (cancelled && endByOrder(order)) await cancelWaiting(deps, input, cancelled);
  const { targets: seen, strangers } = await findStrangers(deps, input, await settleTargets(deps, input));
  const begins = !cancelled && order?.state !== 'paused';
  const { due, held, targets } = begins
    ? await takeDue(deps, rollout, seen, at)
    : { due: [], held: NONE_HELD, targets: seen };
  const running = targets.filter(isUpgrading);
  const view = { input, rollout, targets, running, held, cancelled, at };
  // What is half done is finished whatever was ordered: the set's own workflow stops at the end of its batch.
  return answer(deps, view, strangers, [...orphansOf(view, strangers), ...due], order);
}

interface RegionView {
  input: RegionLookInput;
  rollout: Rollout;
  targets: Target[];
  /** Targets whose upgrade was begun and has not ended. */
  running: Target[];
  held: HeldTargets;
  cancelled: Reason | null;
  at: Instant;
}

function cancelReason(input: RegionLookInput, order: Order | null): Reason | null {
  if (input.cancelRequested) return CANCELLED_THROUGH_TEMPORAL;
  return endByOrder(order);
}

/** Why sets stop when their region is cancelled through Temporal; `interrupted` where their workflows were terminated as well. */
const STOPPED_WITH_REGION: readonly string[] = [stopCodes.cancelRequested, stopCodes.interrupted];

/**
 * A region's workflow that was cancelled may be run again: the phase above it was terminated, say. What stopped only
 * because of that is due then. If it was the rollout that was cancelled, its closing settles these targets.
 */
async function keepForNextRun(
  { ledger }: ActivityDependencies,
  targets: readonly Target[],
  at: Instant,
): Promise<void> {
  for (const target of targets) {
    if (target.status !== 'stopped' || !STOPPED_WITH_REGION.includes(target.reason?.code ?? '')) continue;
    await ledger.targets.update(target, { status: 'waiting', triggerAt: at, reason: null });
  }
}

async function cancelWaiting(
  { ledger }: ActivityDependencies,
  input: RegionLookInput,
  reason: Reason,
): Promise<void> {
  const waiting = await ledger.targets.list({
    rolloutId: input.rolloutId,
    region: input.region,
    status: ['waiting'],
  });
  for (const target of waiting) await ledger.targets.update(target, { status: 'stopped', reason });
}

/** The region's targets, after sets whose workflow keeps failing have been given up. */
async function settleTargets({ ledger }: ActivityDependencies, input: RegionLookInput): Promise<Target[]> {
  for (const scaleSetId of input.giveUp) {
    const message =
      'Its workflow failed three times; see it in the Temporal Web UI. The rest of the region goes on.';
    await ledger.targets.update(
      { rolloutId: input.rolloutId, scaleSetId },
      { status: 'stopped', reason: { code: 'WorkflowFailed', message } },
    );
  }
  return ledger.targets.list({ rolloutId: input.rolloutId, region: input.region });
}

const isUpgrading = (target: Target) => target.status === 'upgrading';

/**
 * Sets being upgraded by a workflow that this run did not start: a former run's, or a person's manual upgrade. A workflow
 * writes down how it ended before it closes: where one is closed, the targets are read once more, and what they say counts.
 */
async function findStrangers(
  { ledger, workflows }: ActivityDependencies,
  input: RegionLookInput,
  targets: Target[],
): Promise<{ targets: Target[]; strangers: string[] }> {
  const mine = new Set(input.mine);
  const strangers: string[] = [];
  let anyClosed = false;
  for (const { scaleSetId } of targets.filter(isUpgrading)) {
    if (mine.has(scaleSetId)) continue;
    if (await workflows.isOpen(scaleSetRolloutId(scaleSetId))) strangers.push(scaleSetId);
    else anyClosed = true;
  }
  if (!anyClosed) return { targets, strangers };
  const now = await ledger.targets.list({ rolloutId: input.rolloutId, region: input.region });
  return { targets: now, strangers };
}

/** Of the strangers those that are upgraded for this rollout: a cancel of the region concerns them. */
async function ownStrangers(
  { ledger }: ActivityDependencies,
  rollout: Rollout,
  strangers: readonly string[],
): Promise<string[]> {
  const own: string[] = [];
  for (const scaleSetId of strangers) {
    const attempt = await ledger.attempts.openOf(scaleSetId);
    // An attempt of a rollout that has ended is being wound down, by this rollout's workflow as like as not.
    const other =
      attempt && attempt.rolloutId !== rollout.id ? await ledger.rollouts.get(attempt.rolloutId) : null;
    if (other?.endedAt !== null) own.push(scaleSetId);
  }
  return own;
}

/** Sets that were begun and whose workflow is gone (terminated): started again, it takes over what is half done. */
function orphansOf({ input, running }: RegionView, strangers: readonly string[]): Target[] {
  const active = new Set([...input.mine, ...strangers]);
  return running.filter((target) => !active.has(target.scaleSetId));
}

async function answer(
  deps: ActivityDependencies,
  { input, rollout, targets, running, held, cancelled, at }: RegionView,
  strangers: string[],
  next: Target[],
  order: Order | null,
): Promise<RegionLook> {
  const waiting = targets.filter((target) => target.status === 'waiting');
  const counts = countTargets(targets);
  const done = cancelled ? running.length === 0 : waiting.length + running.length === 0;
  const paused = order?.state === 'paused';
  const own = input.cancelRequested ? await ownStrangers(deps, rollout, strangers) : [];
  const base = { counts, strangers, own, done, cancelled, start: [] as RegionLook['start'] };
  if (done && input.cancelRequested) await keepForNextRun(deps, targets, at);
  // Where nothing may begin, nobody else of the pair is kept from it, unless something is half way.
  const isClosed = waiting.length > 0 && waiting.every((target) => held.targets.has(target));
  if (done || ((paused || isClosed) && running.length === 0))
    await releaseRegion(deps, rollout.id, input.region, at);
  if (done) return { ...base, waitingFor: '', nextAt: null };
  const resume = paused ? `resume (paused by ${order.who}: ${order.why})` : null;
  if (resume && next.length === 0) return { ...base, waitingFor: resume, nextAt: null };
  // A cancelled region begins nothing: what it has still to finish is from before, and needs no leave.
  if (next.length > 0 && rollout.kind === 'platform' && !cancelled) {
    const answered = await claimRegion(
      deps,
      rollout.id,
      input.workflowId,
      input.region,
      pairedRegions(await deps.fleet.regions(), input.region),
      at,
    );
    if (answered.waitingFor) return { ...base, waitingFor: answered.waitingFor, nextAt: null };
    if (answered.notBefore > at)
      return { ...base, waitingFor: 'its paired region', nextAt: answered.notBefore };
  }
  const begun = await begin(deps, input, next, at);
  const started = new Set(begun);
  const left = waiting.filter((target) => !started.has(target));
  const upgrading = running.length + begun.filter((target) => target.status === 'waiting').length;
  const comes = whatComes(left, held, upgrading > 0, at);
  return {
    ...base,
    counts: {
      ...counts,
      waiting: left.length,
      upgrading,
    },
    start: begun.map((target) => ({ scaleSetId: target.scaleSetId, name: target.scaleSetName })),
    ...(resume === null ? comes : { waitingFor: resume, nextAt: null }),
  };
}

/** What the region waits for, of sets that were not begun: the first trigger, or when the first of those that are held may begin. */
function whatComes(
  left: readonly Target[],
  { targets: held, first }: HeldTargets,
  isUpgrading: boolean,
  at: Instant,
): Pick<RegionLook, 'waitingFor' | 'nextAt'> {
  const triggers = left.filter((target) => !held.has(target)).map((target) => target.triggerAt);
  const trigger = triggers.length > 0 ? Math.min(...triggers) : null;
  const moments = [trigger, first?.until ?? null].filter((moment) => moment !== null && moment > at);
  const upgrades = first === null || isUpgrading ? 'the upgrades of its scale sets' : first.what;
  return {
    waitingFor: trigger === null ? upgrades : 'the next trigger',
    nextAt: moments.length > 0 ? Math.min(...(moments as Instant[])) : null,
  };
}

/**
 * Marks sets that are begun now. One that has been begun or has ended since it was read is left out: this worker was away, and
 * another has looked in its place. Where nothing is left to do, the region is kept for nobody.
 */
async function begin(
  deps: ActivityDependencies,
  { rolloutId, region }: RegionLookInput,
  next: readonly Target[],
  at: Instant,
): Promise<Target[]> {
  const { targets } = deps.ledger;
  const begun: Target[] = [];
  for (const target of next) {
    if (await targets.update(target, { status: 'upgrading', reason: null }, target.status))
      begun.push(target);
  }
  if (begun.length < next.length) {
    const open = await targets.list({ rolloutId, region, status: ['waiting', 'upgrading'] });
    if (open.length === 0) await releaseRegion(deps, rolloutId, region, at);
  }
  return begun;
}

function countTargets(targets: readonly Target[]): RegionCounts {
  const of = (status: Target['status']) => targets.filter((target) => target.status === status).length;
  return {
    waiting: of('waiting'),
    upgrading: of('upgrading'),
    upgraded: of('upgraded'),
    stopped: of('stopped'),
    skipped: of('skipped'),
  };
}
