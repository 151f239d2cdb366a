import type { Instant } from '../../domain/clock.ts';
import type { Extension, ExtensionState, OperationError } from '../../domain/scale-set.ts';
import { problemText } from '../../domain/surroundings.ts';
import { extensionOrder } from '../extension-order.ts';
import { problemWith } from './external-resources.ts';
import {
  BEING_CHANGED,
  duration,
  failedAt,
  healthyFrom,
  linesOf,
  operationError,
  versionInPlace,
  type Plan,
  type PlanInput,
} from './plan.ts';
import type { PlannedStep } from './state.ts';

/**
 * Rule B4: the model's extensions run, one after the other, in an order that `provisionAfterExtensions` allows. The
 * first that fails ends it (rule B11 tells why). A set without extensions has nothing to run, and nothing to tell.
 */
export function planExtensions(input: PlanInput): Plan {
  const { scaleSet, before, start } = input;
  const sorted = extensionOrder(scaleSet.extensions);
  const order = 'order' in sorted ? sorted.order : [];
  if (order.length === 0) return { steps: [], endsAt: start };

  const version = versionInPlace(before);
  let states: ExtensionState[] = scaleSet.extensions.map(({ name }) => ({ name, state: 'creating' }));
  const steps: PlannedStep[] = [{ at: start, change: { ...BEING_CHANGED, extensions: states } }];
  let now = start;
  for (const extension of order) {
    const lines = linesOf(null, version, extension.name);
    const error = errorOf(input, extension, now, version ?? '');
    steps.push({ at: now, change: {}, line: lines.started });
    now += duration(input, 'extensionRun', version ?? '', extension.name);
    const ended: ExtensionState =
      error === undefined
        ? { name: extension.name, state: 'succeeded' }
        : { name: extension.name, state: 'failed', error };
    states = states.map((state) => (state.name === extension.name ? ended : state));
    if (error !== undefined) states = states.map(notRunIfWaiting);
    const failed = error === undefined ? {} : failedAt(now);
    steps.push({ at: now, change: { extensions: states, ...failed }, line: lines.ended(error) });
    if (error !== undefined) return { steps, endsAt: now, error };
  }
  steps.push({
    at: now,
    change: {
      provisioning: 'Succeeded',
      configuredAt: now,
      healthyFrom: healthyFrom(input, now, version ?? ''),
    },
  });
  return { steps, endsAt: now };
}

/** None of those that would have come later runs any more. */
function notRunIfWaiting(extension: ExtensionState): ExtensionState {
  return extension.state === 'creating' ? { ...extension, state: 'notRun' } : extension;
}

/** What makes an extension fail that starts at `at`: the model's fault (rule B11), or its own. */
function errorOf(
  { resources, world, subject }: PlanInput,
  extension: Extension,
  at: Instant,
  version: string,
): OperationError | undefined {
  for (const url of extension.externalResources) {
    const found = problemWith(resources, url, at);
    if (found === null) continue;
    const message = `Extension "${extension.name}" needs ${url}, ${problemText(found)}.`;
    if (found.problem === 'gone') {
      const fix = 'Put it back, or name another in the model.';
      return operationError('ExternalResourceUnavailable', `${message} ${fix}`);
    }
    const fix = 'Renew it, and update the extension in the model.';
    return operationError('CredentialExpired', `${message} ${fix}`);
  }
  const fails = world.faults
    .concerning('extensionFails', subject, version)
    .some((fault) => fault.extension.toLowerCase() === extension.name.toLowerCase());
  return fails
    ? operationError('ExtensionFailed', `Extension "${extension.name}" ended with exit code 1.`)
    : undefined;
}
