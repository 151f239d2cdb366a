import type { Command } from 'commander';
import { findRollout } from '../../index.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { durationOption } from '../options.ts';
import { outcomeJson, outcomeText, watch } from '../watching.ts';

interface Options extends CommonOptions {
  timeout?: number;
}

/** `rollouts watch`: a rollout until it ends. */
export function addWatchCommand(program: Command, cli: Cli): void {
  const command = program
    .command('watch')
    .summary('watch a rollout until it ends or halts')
    .description(
      'Shows a rollout until it ends or halts: as a live tree in a terminal, as a line for each event elsewhere. Ctrl-C ends the watching, not the rollout.',
    )
    .argument('[id]', "the rollout's id, or the beginning of it (default: the newest)")
    .option('--timeout <time>', 'by the wall clock: stop watching after this long (exit 5)', durationOption)
    .action(async (id: string | undefined, options: Options) => {
      const result = await cli.with(async (rollouts) => {
        const { rollout } = await findRollout(rollouts, id);
        return watch(cli, rollouts, rollout.id, options);
      });
      if (options.output === 'json') answer(cli, options, outcomeJson(result), () => '');
      else cli.print(outcomeText(result));
    });
  withCommon(command, ['watch', 'watch rollout/canonical --timeout 30m', 'watch --output json']);
}
