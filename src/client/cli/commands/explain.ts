import type { Command } from 'commander';
import { explain } from '../../index.ts';
import { wantsColor } from '../../view/index.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { explainText } from '../explain-text.ts';
import { columnsOf } from '../terminal.ts';

interface Options extends CommonOptions {
  version?: string;
}

/** `rollouts explain`: why a scale set or an instance is, is not, or is not yet upgraded. */
export function addExplainCommand(program: Command, cli: Cli): void {
  const command = program
    .command('explain')
    .summary('why a scale set or an instance is, is not, or is not yet upgraded')
    .description(
      'Tells why a scale set or one of its instances is, is not, or is not yet upgraded: every reason with its rule and its fix, what it waits for, since when and until when, how its instances stand, and what would change that. Changes nothing, and needs no Temporal server.',
    )
    .argument('<id>', 'a scale set (name or ARM id), or <scale set>/<instance id>')
    .argument('[image]', "publisher:offer:sku, or a gallery image's ARM id (default: the model's)")
    .option(
      '--version <version>',
      'ask about this version (default: the newest that was released in its region, else the newest that is offered)',
    )
    .action(async (id: string, image: string | undefined, options: Options) => {
      const { version } = options;
      const explanation = await cli.with((rollouts) => explain(rollouts, { id, image, version }));
      const color = wantsColor(cli.terminal.stdout.isTTY);
      const view = { columns: Math.min(columnsOf(cli.terminal), 120), color };
      answer(cli, options, explanation, () => explainText(explanation, view));
    });
  withCommon(command, [
    'explain web',
    'explain web/3',
    'explain web --version 22.04.202512050 --output json',
    'explain web Canonical:0001-com-ubuntu-server-jammy:22_04-lts',
  ]);
}
