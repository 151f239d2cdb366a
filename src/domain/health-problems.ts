import { humanDuration, isoTime } from './clock.ts';
import type { Instance } from './scale-set.ts';

/** One cause for which an instance is not healthy. */
export interface HealthProblem {
  code:
    | 'NotRunning'
    | 'Starting'
    | 'NoOsDisk'
    | 'Provisioning'
    | 'ProvisioningFailed'
    | 'ExtensionRunning'
    | 'ExtensionFailed'
    | 'ExtensionNotRun'
    | 'ApplicationUnhealthy'
    | 'ApplicationUnknown'
    | 'ApplicationInitializing'
    | 'TooFewReadings';
  message: string;
}

/**
 * Every cause for which an instance is not steadily healthy (rule B5), the one that explains the others first; empty exactly when
 * it is, see `isSteadilyHealthy`.
 * @param readings of its health signal that must be healthy one after the other
 */
export function healthProblems(instance: Instance, readings: number): HealthProblem[] {
  const problems = [
    ...powerProblems(instance),
    ...(instance.osDisk === null ? [problem('NoOsDisk', 'It has no OS disk at the moment.')] : []),
    ...provisioningProblems(instance),
    ...extensionProblems(instance),
    ...applicationProblems(instance),
  ];
  return problems.length > 0 ? problems : readingProblems(instance, readings);
}

function problem(code: HealthProblem['code'], message: string): HealthProblem {
  return { code, message };
}

function powerProblems({ powerState }: Instance): HealthProblem[] {
  if (powerState === 'running') return [];
  return powerState === 'starting'
    ? [problem('Starting', 'Its VM starts.')]
    : [problem('NotRunning', `Its VM is ${powerState}.`)];
}

function provisioningProblems({ provisioningState }: Instance): HealthProblem[] {
  if (provisioningState === 'Succeeded') return [];
  return provisioningState === 'Failed'
    ? [problem('ProvisioningFailed', 'Its provisioning has failed.')]
    : [problem('Provisioning', `Its provisioning state is ${provisioningState}.`)];
}

function extensionProblems({ extensions }: Instance): HealthProblem[] {
  return extensions.flatMap(({ name, state, error }) => {
    if (state === 'succeeded') return [];
    if (state === 'creating') return [problem('ExtensionRunning', `Extension ${name} still runs.`)];
    if (state === 'notRun') {
      return [problem('ExtensionNotRun', `Extension ${name} was not run: one before it has failed.`)];
    }
    const why = error === undefined ? '' : ` with ${error.code}: ${error.message}`;
    return [problem('ExtensionFailed', `Extension ${name} has failed${why}`.replace(/[^.]$/, '$&.'))];
  });
}

function applicationProblems({ applicationHealth }: Instance): HealthProblem[] {
  switch (applicationHealth) {
    case 'healthy':
    case 'none':
      return [];
    case 'unhealthy':
      return [problem('ApplicationUnhealthy', 'Its health signal says that the application is unhealthy.')];
    case 'initializing':
      return [problem('ApplicationInitializing', 'Its health signal says that the application initializes.')];
    default:
      return [problem('ApplicationUnknown', 'Its health signal does not know about the application.')];
  }
}

/** Healthy at the moment, and not for long enough: a signal that flaps is not healthy. */
function readingProblems(
  { healthyStretches, readingInterval, seenAt }: Instance,
  readings: number,
): HealthProblem[] {
  const last = healthyStretches.at(-1);
  if (last === undefined || last.to !== null) {
    return [problem('TooFewReadings', 'It has not been read as healthy since its last change.')];
  }
  const steadyAt = last.from + (readings - 1) * readingInterval;
  if (steadyAt <= seenAt) return [];
  const message =
    `It is healthy since ${isoTime(last.from)}, and needs ${readings} healthy readings in a row ` +
    `(one every ${humanDuration(readingInterval)}): healthy at ${isoTime(steadyAt)} if it stays so.`;
  return [problem('TooFewReadings', message)];
}
