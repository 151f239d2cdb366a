import type { Instant } from '../domain/clock.ts';
import { countsOf, nextSetStep, progressOf, type SetStep } from '../domain/set-planner.ts';
import type { Attempt, Batch, Progress } from '../ledger/port.ts';
import { discardKeptDisks, endOfDeleted, settleEnd } from './attempt-end.ts';
import { reference } from './attempt-reference.ts';
import { claimZone, leaveZone, zoneGroup } from './claims.ts';
import { currentTime, type ActivityDependencies } from './context.ts';
import { existingRollout, openAttempt } from './open-attempt.ts';
import { observe, placeOf, type Observation } from './scale-set-observation.ts';
import type { ScaleSetLook, ScaleSetLookInput } from './types.ts';

/**
 * One look at a scale set: observes fleet and ledger, decides (`nextSetStep`), and records the decision, so that a
 * workflow that takes over continues where this one stood. Safe to repeat: an open batch is answered again.
 */
export async function lookAtScaleSet(
  deps: ActivityDependencies,
  input: ScaleSetLookInput,
): Promise<ScaleSetLook> {
  const at = await currentTime(deps, input.at);
  const { fleet, ledger } = deps;
  const scaleSet = await fleet.scaleSet(input.scaleSetId);
  if (!scaleSet) return endOfDeleted(deps, input, at);
  const opened = await openAttempt(deps, input, scaleSet, at);
  if ('attempt' in opened) return opened;
  // Its end was recorded and the answer lost: what was decided then stands, whatever is seen now.
  const { status, reason, progress } = opened;
  if (status !== 'RollingForward') return settleEnd(deps, input, opened, { status, reason, progress }, at);
  // An attempt that was taken over may be an earlier rollout's: it is wound down by that rollout's rules.
  const rollout = await existingRollout(ledger, opened.rolloutId);
  let observation = await observe(deps, input, rollout, scaleSet, opened, at);
  let step = nextSetStep(observation.seen);
  if (step.kind === 'breach') {
    await ledger.attempts.recordBreach(opened, step.reason);
    observation = { ...observation, seen: { ...observation.seen, breach: step.reason } };
    step = nextSetStep(observation.seen);
  }
  if (step.kind === 'claimZone') {
    // The zone that is done is left first, so that those who wait for another one are woken.
    if (observation.seen.zoneHeld !== null) await leaveZone(deps, opened.id, at);
    const answer = await claimZone(
      deps,
      {
        ...zoneGroup(scaleSet.region, rollout.target),
        holder: opened.id,
        workflowId: input.workflow.id,
        accepts: step.accepts,
      },
      at,
    );
    if (answer.value === null) return waiting(deps, observation, answer.waitingFor, null);
    if (answer.notBefore > at)
      return waiting(deps, observation, `zone ${answer.value} of ${scaleSet.region}`, answer.notBefore);
    observation = { ...observation, seen: { ...observation.seen, zoneHeld: answer.value } };
    step = nextSetStep(observation.seen);
  }
  return record(deps, input, observation, step, at);
}

async function record(
  deps: ActivityDependencies,
  input: ScaleSetLookInput,
  observation: Observation,
  step: SetStep,
  at: Instant,
): Promise<ScaleSetLook> {
  switch (step.kind) {
    case 'resumeBatch':
      return resumedBatch(observation, step.number);
    case 'rollBack': {
      const { attempt } = observation;
      const { rolloutId, target } = attempt;
      const progress = progressOf(observation.seen);
      const { instanceIds } = step;
      return { kind: 'rollBack', attempt: reference(attempt), progress, instanceIds, rolloutId, target };
    }
    case 'batch':
      return openBatch(deps, observation, step, at);
    case 'finish':
      return finish(deps, input, observation, step, at);
    case 'wait':
      // Whoever waits for long leaves the zone to the others (rule D4).
      await leaveZone(deps, observation.attempt.id, at);
      if (step.for === 'resume') return waiting(deps, observation, 'paused: waits for resume', null);
      return step.for === 'window'
        ? waitingForWindow(deps, observation, step, at)
        : waiting(deps, observation, 'the pause between batches', step.until);
    case 'breach':
    case 'claimZone':
      // What it was granted a moment ago is gone again: the next look decides anew.
      return waiting(deps, observation, 'an availability zone', at);
  }
}

async function openBatch(
  deps: ActivityDependencies,
  observation: Observation,
  step: Extract<SetStep, { kind: 'batch' }>,
  at: Instant,
): Promise<ScaleSetLook> {
  const { attempt, instances, seen, calendar } = observation;
  const chosen = new Set(step.instanceIds);
  const healthy = new Set(seen.instances.filter((one) => one.healthy).map((one) => one.instanceId));
  const members = instances
    .filter((instance) => chosen.has(instance.instanceId))
    .map(({ instanceId, zone, updateDomain, osDisk }) => ({
      instanceId,
      zone,
      updateDomain,
      from: osDisk?.source ?? null,
      wasHealthy: healthy.has(instanceId),
    }));
  const before = progressOf(seen);
  const progress = {
    ...before,
    inProgressInstanceCount: members.length,
    pendingInstanceCount: before.pendingInstanceCount - members.length,
  };
  const { number, zone, updateDomain, destination } = step;
  const { action, version: to } = destination;
  const override = calendar.overrideFor(placeOf(observation), at);
  const observed = { ...countsOf(seen), ...(override ? { override: override.id } : {}) };
  const { revision } = calendar;
  const batch = {
    ...{ number, zone, updateDomain, action, to, observed, startedAt: at },
    ...(revision === undefined ? {} : { calendar: revision }),
  };
  // What was recorded counts: another worker may have carried out the same look, and seen other instances.
  const recorded = await deps.ledger.attempts.openBatch(attempt, batch, members, progress);
  if (recorded === null)
    return waiting(deps, observation, 'another look: windows or freezes have just been changed', at);
  return batchLook(attempt, recorded, progress);
}

/** A batch that was begun before a take-over: its half-done instances are finished or restored first. */
function resumedBatch({ attempt, batches, seen }: Observation, number: number): ScaleSetLook {
  return batchLook(attempt, batches.find((batch) => batch.number === number) as Batch, progressOf(seen));
}

function batchLook(attempt: Attempt, batch: Batch, progress: Progress): ScaleSetLook {
  return {
    kind: 'batch',
    attempt: reference(attempt),
    progress,
    batch: batch.number,
    zone: batch.zone,
    updateDomain: batch.updateDomain,
    instanceIds: batch.instanceIds,
    action: batch.action,
    rolloutId: attempt.rolloutId,
    target: batch.to ?? attempt.target,
    restoresOnFailure: attempt.restoresOnFailure,
  };
}

/** It may be days away, and somebody may change it meanwhile: it is looked at again although the wake-up was lost. */
function waitingForWindow(
  deps: ActivityDependencies,
  observation: Observation,
  { what, until }: { what: string; until: Instant | null },
  at: Instant,
): Promise<ScaleSetLook> {
  const fallback = at + observation.rollout.settings.fallbackPoll;
  return waiting(deps, observation, what, until, Math.min(until ?? fallback, fallback));
}

async function finish(
  deps: ActivityDependencies,
  input: ScaleSetLookInput,
  { attempt, instances, seen }: Observation,
  { status, reason }: Extract<SetStep, { kind: 'finish' }>,
  at: Instant,
): Promise<ScaleSetLook> {
  const progress = progressOf(seen);
  await discardKeptDisks(deps, attempt, instances, seen, at);
  await deps.ledger.attempts.close(attempt, status, reason, progress, at);
  return settleEnd(deps, input, attempt, { status, reason, progress }, at);
}

/** Waits can be long: whoever looks at the set meanwhile sees how far it is (rule E2). */
async function waiting(
  { ledger }: ActivityDependencies,
  { attempt, seen }: Observation,
  what: string,
  until: Instant | null,
  lookAgainAt?: Instant,
): Promise<ScaleSetLook> {
  const progress = progressOf(seen);
  const counts = Object.keys(progress) as (keyof Progress)[];
  if (counts.some((count) => progress[count] !== attempt.progress[count]))
    await ledger.attempts.setProgress(attempt, progress);
  const wait = { kind: 'wait' as const, attempt: reference(attempt), progress, what, until };
  return lookAgainAt === undefined ? wait : { ...wait, lookAgainAt };
}
