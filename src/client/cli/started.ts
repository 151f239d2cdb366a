import type { Command } from 'commander';
import { ATTEMPT_KINDS } from '../../domain/attempt-kinds.ts';
import type { Duration } from '../../domain/clock.ts';
import { imageLabel } from '../../domain/image.ts';
import { UsageError, type StartedRollout } from '../index.ts';
import { answer, type Cli, type CommonOptions } from './cli.ts';
import type { OpenRollouts } from './open-rollouts.ts';
import { durationOption, reasonOption } from './options.ts';
import { amount } from './text.ts';
import { outcomeJson, outcomeText, watch } from './watching.ts';

/** Options of every command that starts something. */
export interface StartOptions extends CommonOptions {
  wait?: true;
  timeout?: Duration;
  who?: string;
  why?: string;
}

/** The options of `StartOptions`. @param why whether a person must say it */
export function withStart(command: Command, why: 'optional' | 'required'): Command {
  command
    .option('--wait', 'wait for the end: exit 0 completed, 2 halted or faulted, 4 cancelled, 5 timed out')
    .option('--timeout <time>', 'by the wall clock: wait no longer than this', durationOption)
    .option('--who <name>', 'who starts it (default: the user at the terminal)', reasonOption);
  const reason = 'the reason, which is recorded for good';
  return why === 'required'
    ? command.requiredOption('--why <text>', reason, reasonOption)
    : command.option('--why <text>', reason, reasonOption);
}

/** @throws UsageError before anything is started */
export function checkStart({ wait, timeout }: StartOptions): void {
  if (timeout !== undefined && !wait) throw new UsageError('--timeout is how long to wait: give --wait too.');
}

/**
 * Answers with what was started, and waits for its end if that was asked for.
 * @param more what else the answer says: in JSON beside the rollout, as text before it
 */
export async function answerStarted(
  cli: Cli,
  rollouts: OpenRollouts,
  options: StartOptions,
  started: StartedRollout,
  more: { json?: object; text?: string } = {},
): Promise<void> {
  for (const warning of started.warnings) cli.note(`Warning: ${warning}`);
  const text = [...(more.text ? [more.text] : []), startedText(started)].join('\n');
  const whole = { ...more.json, ...startedJson(started) };
  if (!options.wait) {
    answer(cli, options, whole, () => text);
    return;
  }
  if (options.output === 'text') cli.print(text);
  else cli.note(`Started ${started.rolloutId}`);
  const result = await watch(cli, rollouts, started.rolloutId, options);
  const ended = { ...outcomeJson(result), ...whole, status: result.snapshot.status };
  answer(cli, options, ended, () => outcomeText(result));
}

export function startedJson({ rollout, rolloutId, workflowId, runId, mended, warnings }: StartedRollout) {
  const { kind, action, target, generation, status, startedBy, why, startedAt, phases, parameters } = rollout;
  return {
    workflowId,
    rolloutId,
    runId,
    kind,
    action,
    image: imageLabel(target.image),
    version: target.version,
    parameters,
    generation,
    status,
    startedBy,
    why,
    startedAt,
    phases,
    mended,
    warnings,
  };
}

export function startedText({ rollout, rolloutId, mended }: StartedRollout): string {
  const { action, target, phases, kind } = rollout;
  const regions = phases.reduce((sum, phase) => sum + phase.regions.length, 0);
  const where =
    kind === 'manual'
      ? 'of one scale set'
      : `over ${amount(regions, 'region')} in ${amount(phases.length, 'phase')}`;
  const what = action === 'osUpgrade' ? '' : `${ATTEMPT_KINDS[action].name}, `;
  return [
    `Started: ${what}${imageLabel(target.image)} ${target.version} ${where}.`,
    `Id: ${rolloutId}`,
    ...(mended
      ? ['It had been recorded before and never began: it goes by the plan and settings recorded then.']
      : []),
  ].join('\n');
}
