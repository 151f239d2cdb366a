import type { Command } from 'commander';
import {
  startRollout,
  startScaleSet,
  UsageError,
  type PlanRequest,
  type StartedRollout,
} from '../../index.ts';
import { withCommon, type Cli } from '../cli.ts';
import { settingsOf } from '../options.ts';
import type { OpenRollouts } from '../open-rollouts.ts';
import { planRequest, withPlan, type PlanOptions } from '../plan-request.ts';
import { answerStarted, checkStart, withStart, type StartOptions } from '../started.ts';

interface Options extends PlanOptions, StartOptions {
  scaleSet?: string;
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
    .action((image: string | undefined, version: string | undefined, options: Options) =>
      runStart(cli, image, version, options),
    );
  withCommon(withPlan(withStart(command, 'optional')), [
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
  checkStart(options);
  const start = await startOf(image, version, options);
  await cli.with(async (rollouts) => {
    const started = await start(rollouts);
    await answerStarted(cli, rollouts, options, started);
  });
}

type Start = (rollouts: OpenRollouts) => Promise<StartedRollout>;

async function startOf(
  image: string | undefined,
  version: string | undefined,
  options: Options,
): Promise<Start> {
  const { scaleSet, who, why } = options;
  if (scaleSet === undefined) {
    const request: PlanRequest = await planRequest(image, version, options);
    return (rollouts) => startRollout(rollouts, { ...request, who, why });
  }
  if (options.region !== undefined || options.plan !== undefined) {
    throw new UsageError('A scale set alone has no phases and regions: leave --plan and --region out.');
  }
  const settings = settingsOf(options);
  return (rollouts) => startScaleSet(rollouts, { scaleSet, image, version, settings, who, why });
}
