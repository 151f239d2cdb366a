import type { Command } from 'commander';
import { planRollout } from '../../index.ts';
import { answer, withCommon, type Cli } from '../cli.ts';
import { planRequest, withPlan, type PlanOptions } from '../plan-request.ts';
import { planText } from '../plan-text.ts';

/** `rollouts plan`: what a rollout would do, and how long it would take. */
export function addPlanCommand(program: Command, cli: Cli): void {
  const command = program
    .command('plan')
    .summary('what a rollout would do and how long it would take; changes nothing')
    .description(
      'Shows the phases, regions, scale sets and batches of a rollout, who would be left out and why, and how long it would take. Changes nothing.',
    )
    .argument('[image]', "publisher:offer:sku, or a gallery image's ARM id")
    .argument('[version]', 'default: the newest that is offered')
    .option('--details', 'every scale set, also of a large fleet')
    .action(async (image: string | undefined, version: string | undefined, options: Options) => {
      const request = await planRequest(image, version, options);
      const plan = await cli.with((rollouts) => planRollout(rollouts, request));
      answer(cli, options, plan, (value) => planText(value, options.details ?? false));
    });
  withCommon(withPlan(command), [
    'plan Canonical:0001-com-ubuntu-server-jammy:22_04-lts',
    'plan Canonical:0001-com-ubuntu-server-jammy:22_04-lts 22.04.202512050 --region eastus --bake 30m',
    'plan --plan plan.json --output json',
  ]);
}

interface Options extends PlanOptions {
  details?: true;
}
