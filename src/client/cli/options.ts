import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Duration } from '../../domain/clock.ts';
import { ACTIVITY_QUEUES, type ActivityQueues } from '../../domain/policy.ts';
import { LONGEST_REASON, problemOfText } from '../../domain/plain-text.ts';
import { DURATION_EXAMPLES, parseDuration } from '../durations.ts';
import { UsageError } from '../errors.ts';
import { defined } from '../plan-file.ts';
import type { SettingsOverrides } from '../settings.ts';

/** Of anything on the command line: a change of a model may be a whole list in JSON. */
const LONGEST_ARGUMENT = 32_768;

/** @throws UsageError for an argument that no command can mean */
export function checkArguments(args: readonly string[]): void {
  for (const [index, arg] of args.entries()) {
    const problem = problemOfText(arg, LONGEST_ARGUMENT);
    if (problem !== null) throw new UsageError(`Argument ${index + 1} of the command ${problem}.`);
  }
}

/** Parsers of option values: commander puts the option's name before their message. */

/** Who does something, and why: recorded for good, and read by others. */
export function reasonOption(text: string): string {
  const problem = problemOfText(text, LONGEST_REASON);
  if (problem === null) return text;
  throw new InvalidArgumentError(`The text ${problem}.`);
}

export function durationOption(text: string): Duration {
  const duration = parseDuration(text);
  if (duration === null) throw new InvalidArgumentError(`Give a length of time: ${DURATION_EXAMPLES}.`);
  return duration;
}

/** A parser of whole numbers from `min` to `max`. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`;
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Give a whole number ${range}.`);
  };
}

/** A parser of decimal numbers above or from `min` to `max`. */
export function decimalNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Give a number from ${min} to ${max}.`);
  };
}

function delayRange(text: string): { min: Duration; max: Duration } {
  const [min = '', max = min, ...rest] = text.split('..');
  if (rest.length > 0) throw new InvalidArgumentError('Give one or two lengths of time, such as 30m..60m.');
  const range = { min: durationOption(min), max: durationOption(max) };
  if (range.min > range.max) throw new InvalidArgumentError('Give the shorter one first, such as 30m..60m.');
  return range;
}

/** The options of `withSettings`, as commander hands them over. */
export interface SettingsFlags {
  tolerance?: number;
  bake?: Duration;
  triggerDelay?: { min: Duration; max: Duration };
  firstTriggerDelay?: Duration;
  healthTimeout?: Duration;
  healthyReadings?: number;
  healthPoll?: Duration;
  chunkSize?: number;
  maxConcurrent?: number;
  activityQueues?: ActivityQueues;
}

/** Settings of a rollout: each overrides what a plan file says. */
export function withSettings(command: Command): Command {
  const options = [
    new Option('--tolerance <percent>', "share of a phase's VMs that may fail (default: 0)").argParser(
      decimalNumber(0, 100),
    ),
    new Option('--bake <time>', 'how long a phase runs before it is judged (default: 1h)').argParser(
      durationOption,
    ),
    new Option(
      '--trigger-delay <from..to>',
      'delay of an upgrade after it is due (default: 30m..60m)',
    ).argParser(delayRange),
    new Option(
      '--first-trigger-delay <time>',
      "longest delay of a set's first upgrade (default: 3h)",
    ).argParser(durationOption),
    new Option('--health-timeout <time>', 'how long a VM may take to get healthy (default: 5m)').argParser(
      durationOption,
    ),
    new Option(
      '--healthy-readings <count>',
      'readings of its health signal that a VM must pass one after the other (default: 2)',
    ).argParser(wholeNumber(1, 24)),
    new Option('--health-poll <time>', 'between two looks at the health (default: 30s)').argParser(
      durationOption,
    ),
    new Option('--chunk-size <instances>', 'instances that one activity acts on (default: 20)').argParser(
      wholeNumber(1, 1_000),
    ),
    new Option(
      '--max-concurrent <sets>',
      'scale sets of a region under way at a time (default: 50)',
    ).argParser(wholeNumber(1, 5_000)),
    new Option(
      '--activity-queues <which>',
      'whose workers change VMs: any, or those of their region (default: $ACTIVITY_QUEUES, or shared)',
    ).choices(ACTIVITY_QUEUES),
  ];
  for (const option of options) command.addOption(option.helpGroup('Settings (times are virtual):'));
  return command;
}

/** What of the settings was given. */
export function settingsOf(flags: SettingsFlags): SettingsOverrides {
  return defined({
    failureTolerancePercent: flags.tolerance,
    bakeTime: flags.bake,
    triggerDelay: flags.triggerDelay,
    firstTriggerDelay: flags.firstTriggerDelay,
    healthTimeout: flags.healthTimeout,
    healthyReadings: flags.healthyReadings,
    healthPollInterval: flags.healthPoll,
    chunkSize: flags.chunkSize,
    maxConcurrentScaleSets: flags.maxConcurrent,
    activityQueues: flags.activityQueues,
  });
}
