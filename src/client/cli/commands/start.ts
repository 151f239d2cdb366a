import type { Command } from 'commander';
import { imageLabel } from '../../../domain/image.ts';
import {
  startRollout,
  startScaleSet,
  UsageError,
  type PlanRequest,
  type StartedRollout,
} from '../../index.ts';
import { answer, withCommon, type Cli } from '../cli.ts';
import { durationOption, settingsOf } from '../options.ts';
import type { OpenRollouts } from '../open-rollouts.ts';
import { planRequest, withPlan, type PlanOptions } from '../plan-request.ts';
import { amount } from '../text.ts';
import { outcomeJson, outcomeText, watch } from '../watching.ts';

interface Options extends PlanOptions {
  scaleSet?: string;
  wait?: true;
  timeout?: number;
  who?: string;
}

/** `rollouts start`: a rollout over the fleet, or the upgrade of one scale set. */
export function addStartCommand(program: Command, cli: Cli): void {
  const command = program
    .command('start')
    .summary('start a rollout over the fleet, or the upgrade of one scale set')
    .description(
      'Starts a rollout of a version: phase after phase over all regions, over some, or of one scale set at once. It goes on by itself; --wait waits for its end.',
    )
    .argument(
      '[image]',
      "publisher:offer:sku, or a gallery image's ARM id; with --scale-set, the set's own by default",
    )
    .argument('[version]', 'default: the newest that is offered')
    .option(
      '--scale-set <id>',
      'upgrade this scale set alone, by name or ARM id: at once, and without a restore',
    )
    .option('--wait', 'wait for the end: exit 0 completed, 2 halted or faulted, 4 cancelled, 5 timed out')
    .option('--timeout <time>', 'by the wall clock: wait no longer than this', durationOption)
    .option('--who <name>', 'who starts it (default: the user at the terminal)')
    .action((image: string | undefined, version: string | undefined, options: Options) =>
      runStart(cli, image, version, options),
    );
  withCommon(withPlan(command), [
    'start Canonical:0001-com-ubuntu-server-jammy:22_04-lts --wait --timeout 10m',
    'start Canonical:0001-com-ubuntu-server-jammy:22_04-lts 22.04.202512050 --region eastus --tolerance 2',
    'start --scale-set web --wait',
    'start --plan plan.json --output json',
  ]);
}

async function runStart(
  cli: Cli,
  image: string | undefined,
  version: string | undefined,
  options: Options,
): Promise<void> {
  if (options.timeout !== undefined && !options.wait) {
    throw new UsageError('--timeout is how long to wait: give --wait too.');
  }
  const start = await startOf(image, version, options);
  await cli.with(async (rollouts) => {
    const started = await start(rollouts);
    for (const warning of started.warnings) cli.note(`Warning: ${warning}`);
    if (!options.wait) {
      answer(cli, options, startedJson(started), () => startedText(started));
      return;
    }
    if (options.output === 'text') cli.print(startedText(started));
    else cli.note(`Started ${started.rolloutId}`);
    const result = await watch(cli, rollouts, started.rolloutId, options);
    const ended = { ...outcomeJson(result), ...startedJson(started), status: result.snapshot.status };
    answer(cli, options, ended, () => outcomeText(result));
  });
}

type Start = (rollouts: OpenRollouts) => Promise<StartedRollout>;

async function startOf(
  image: string | undefined,
  version: string | undefined,
  options: Options,
): Promise<Start> {
  const { scaleSet, who } = options;
  if (scaleSet === undefined) {
    const request: PlanRequest = await planRequest(image, version, options);
    return (rollouts) => startRollout(rollouts, { ...request, who });
  }
  if (options.region !== undefined || options.plan !== undefined) {
    throw new UsageError('A scale set alone has no phases and regions: leave --plan and --region out.');
  }
  const settings = settingsOf(options);
  return (rollouts) => startScaleSet(rollouts, { scaleSet, image, version, settings, who });
}

function startedJson({ rollout, rolloutId, workflowId, runId, mended, warnings }: StartedRollout) {
  const { kind, target, generation, status, startedBy, startedAt, phases } = rollout;
  return {
    workflowId,
    rolloutId,
    runId,
    kind,
    image: imageLabel(target.image),
    version: target.version,
    generation,
    status,
    startedBy,
    startedAt,
    phases,
    mended,
    warnings,
  };
}

function startedText({ rollout, rolloutId, mended }: StartedRollout): string {
  const { target, phases, kind } = rollout;
  const regions = phases.reduce((sum, phase) => sum + phase.regions.length, 0);
  const where =
    kind === 'manual'
      ? 'of one scale set'
      : `over ${amount(regions, 'region')} in ${amount(phases.length, 'phase')}`;
  return [
    `Started: ${imageLabel(target.image)} ${target.version} ${where}.`,
    `Id: ${rolloutId}`,
    ...(mended
      ? ['It had been recorded before and never began: it goes by the plan and settings recorded then.']
      : []),
  ].join('\n');
}
