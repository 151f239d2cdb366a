import type { Command } from 'commander';
import { repair, type Repair } from '../../index.ts';
import { answer, withCommon, type Cli } from '../cli.ts';
import { answerStarted, checkStart, withStart, type StartOptions } from '../started.ts';

interface Options extends StartOptions {
  reimage?: true;
  why: string;
}

/** `rollouts repair`: mends instances whose restore failed, and sets that are stuck (ours). */
export function addRepairCommand(program: Command, cli: Cli): void {
  const command = program
    .command('repair')
    .summary('mend a stuck scale set, instances in quarantine, or one failed instance')
    .description(
      'Says what is wrong with a scale set and mends it: an upgrade that nobody acts for is finished and closed, instances in quarantine get their kept OS disk back, claims without an owner are given up. A failed instance that is named gets a new OS disk.',
    )
    .argument('<id>', 'a scale set (name or ARM id), or <scale set>/<instance id>')
    .option('--reimage', 'new OS disks, instead of the kept ones')
    .action((id: string, options: Options) => run(cli, id, options));
  withCommon(withStart(command, 'required'), [
    'repair web --why "after the storage incident" --wait',
    'repair web/3 --reimage --why "its disk is corrupt"',
  ]);
}

async function run(cli: Cli, id: string, options: Options): Promise<void> {
  checkStart(options);
  const { reimage, why, who } = options;
  await cli.with(async (rollouts) => {
    const repaired = await repair(rollouts, { id, reimage, why, who });
    const { started, ...json } = repaired;
    if (started === null) answer(cli, options, repaired, repairText);
    else await answerStarted(cli, rollouts, options, started, { json, text: repairText(repaired) });
  });
}

function repairText({ findings, notes }: Repair): string {
  if (findings.length === 0) return 'Nothing is wrong with it that could be repaired.';
  return [...findings.map(({ what, done }) => `${what}\n  -> ${done}`), ...notes].join('\n');
}
