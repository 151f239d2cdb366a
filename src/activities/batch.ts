import { sameImageVersion } from '../domain/image.ts';
import { operationErrorCodes, type FleetOperation } from '../domain/operation.ts';
import type { OperationRequest, OperationState } from '../fleet/port.ts';
import { FencedError } from '../ledger/errors.ts';
import { currentTime, type ActivityDependencies } from './context.ts';
import { whileBeating } from './heartbeats.ts';
import type { BatchInput, RollBackInput, StepResult } from './types.ts';

/*
 * The steps of a batch that change instances. Each begins what has not begun and answers with how things stand. Repeating
 * one is free of harm: the fleet knows every operation by its key, and what stands in the fleet counts, not what an
 * earlier try believed. A step does not confirm its own end: the next one looks before it begins.
 */

/** Step 1 (rule B4): begins to replace the OS disk of every instance of a chunk with one made from the target version. */
export async function swapOsDisks(deps: ActivityDependencies, input: BatchInput): Promise<StepResult> {
  return summed(await operate(deps, input, 'osDisk.swap', input.instanceIds));
}

/**
 * Step 2 (rule B4): on the instances whose disk was really replaced, applies the model with its custom data, and has the
 * extensions run in sequence after it. Success means that the instance was seen on the target, not that a call returned.
 */
export async function configureInstances(deps: ActivityDependencies, input: BatchInput): Promise<StepResult> {
  const onTarget = await instancesOnTarget(deps, input);
  const swaps =
    input.action === 'swap' ? await operate(deps, input, 'osDisk.swap', others(input, onTarget)) : [];
  const configured = await operate(deps, input, 'model.apply', onTarget, ['extension.run']);
  const unfinished = swaps.filter((state) => state.status === 'running');
  return { ...summed([...configured, ...unfinished]), incomplete: unfinished.length > 0 };
}

function others({ instanceIds }: BatchInput, some: readonly string[]): string[] {
  const excluded = new Set(some);
  return instanceIds.filter((id) => !excluded.has(id));
}

/** Rule B6: puts the previous OS disk back. */
export async function restoreOsDisks(deps: ActivityDependencies, input: RollBackInput): Promise<StepResult> {
  const result = summed(await operate(deps, input, 'osDisk.restore', input.instanceIds));
  return { ...result, incomplete: result.pendingUntil !== null };
}

/** Why restores that were begun have failed, by instance: asking for them again begins nothing. */
export async function restoreErrors(
  deps: ActivityDependencies,
  input: RollBackInput,
  instanceIds: string[],
): Promise<Map<string, string>> {
  if (instanceIds.length === 0) return new Map();
  const states = await deps.fleet.operate(await requestOf(deps, input, 'osDisk.restore', instanceIds));
  return new Map(
    states.flatMap(({ instanceId, error }) =>
      error ? [[instanceId, `${error.code}: ${error.message}`]] : [],
    ),
  );
}

async function instancesOnTarget(deps: ActivityDependencies, input: BatchInput): Promise<string[]> {
  const at = await currentTime(deps, input.at);
  const instances = await deps.fleet.instances(input.scaleSetId, at, input.instanceIds);
  return instances
    .filter(({ osDisk }) => osDisk !== null && sameImageVersion(osDisk.source, input.target))
    .map((instance) => instance.instanceId);
}

async function operate(
  deps: ActivityDependencies,
  input: RollBackInput,
  operation: FleetOperation,
  instanceIds: string[],
  then?: FleetOperation[],
): Promise<OperationState[]> {
  if (instanceIds.length === 0) return [];
  const request = await requestOf(deps, input, operation, instanceIds);
  const states = await whileBeating(deps, { operation, instances: instanceIds.length }, () =>
    deps.fleet.operate(then ? { ...request, then } : request),
  );
  const refused = states.find((state) => state.error?.code === operationErrorCodes.Fenced);
  if (refused)
    throw new FencedError(`${operation} on instance ${refused.instanceId}: ${refused.error?.message}`);
  return states;
}

async function requestOf(
  deps: ActivityDependencies,
  input: RollBackInput,
  operation: FleetOperation,
  instanceIds: string[],
): Promise<OperationRequest> {
  const { scaleSetId, attempt, rolloutId, target } = input;
  return {
    scaleSetId,
    instanceIds,
    operation,
    ordinal: 0,
    attemptId: attempt.id,
    rolloutId,
    fence: attempt.fence,
    at: await currentTime(deps, input.at),
    ...(operation === 'osDisk.swap' ? { target } : {}),
  };
}

function summed(states: readonly OperationState[]): StepResult {
  const running = states.filter((state) => state.status === 'running');
  const pendingUntil = running.length === 0 ? null : Math.max(...running.map((state) => state.endsAt));
  return { pendingUntil, incomplete: false };
}
