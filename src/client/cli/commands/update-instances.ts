import type { Command } from 'commander';
import { updateInstances, UsageError } from '../../index.ts';
import { answer, withCommon, type Cli } from '../cli.ts';
import { answerStarted, checkStart, withStart, type StartOptions } from '../started.ts';
import { amount } from '../text.ts';

interface Options extends StartOptions {
  all?: true;
}

/** `rollouts update-instances`: Azure's `manualupgrade` (rules B14, C9). */
export function addUpdateInstancesCommand(program: Command, cli: Cli): void {
  const command = program
    .command('update-instances')
    .summary("bring instances to their scale set's model, at once")
    .description(
      'Brings instances to the model that are behind it, or that failed while it was applied: all at once, without batches and thresholds, in every upgrade mode.',
    )
    .argument('<scale-set>', 'name or ARM id')
    .argument('[instances...]', 'ids of instances')
    .option('--all', 'every instance of the set that is behind')
    .action((scaleSet: string, ids: string[], options: Options) => run(cli, scaleSet, ids, options));
  withCommon(withStart(command, 'optional'), [
    'update-instances web --all --wait',
    'update-instances web 0 3 7 --why "the new credential"',
  ]);
}

async function run(cli: Cli, scaleSet: string, ids: string[], options: Options): Promise<void> {
  checkStart(options);
  if (ids.length > 0 === (options.all === true)) {
    throw new UsageError('Say which instances: give their ids, or --all.');
  }
  const { who, why } = options;
  await cli.with(async (rollouts) => {
    const instanceIds = options.all ? undefined : ids;
    const updated = await updateInstances(rollouts, { scaleSet, instanceIds, who, why });
    const { started, notes, ...rest } = updated;
    if (started === null) {
      const nothing = 'Nothing to do: none of them is behind the model and may be touched.';
      answer(cli, options, updated, () => [nothing, ...notes].join('\n'));
      return;
    }
    const count = rest.instanceIds.length;
    const text = [
      `${amount(count, 'instance')} ${count === 1 ? 'is' : 'are'} brought to the model now.`,
      ...notes,
    ];
    await answerStarted(cli, rollouts, options, started, { json: { ...rest, notes }, text: text.join('\n') });
  });
}
