import type { Command } from 'commander';
import { liftCommand } from '../../give.ts';
import { listHeld, type HeldBack } from '../../index.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { table, time } from '../text.ts';

/** `rollouts held`: what was reverted where, and does not come again by itself (ours). */
export function addHeldCommand(program: Command, cli: Cli): void {
  const command = program
    .command('held')
    .summary('versions that are held back from scale sets since they were reverted there')
    .description(
      'Lists the versions that were reverted on scale sets, by whom and why. Rollouts leave these sets out until somebody lifts that, starts the version there by hand, or rolls out another version.',
    )
    .argument('[scale-set]', 'only this one, by name or ARM id')
    .action(async (scaleSet: string | undefined, options: CommonOptions) => {
      const held = await cli.with((rollouts) => listHeld(rollouts, scaleSet));
      answer(cli, options, { held }, () => heldText(held));
    });
  withCommon(command, ['held', 'held web --output json']);
}

function heldText(held: readonly HeldBack[]): string {
  const [first] = held;
  if (first === undefined) return 'Nothing is held back.';
  const rows = held.map(({ name, region, image, version, since, who, why }) => [
    name,
    region,
    `${image} ${version}`,
    time(since),
    `${who}: ${why}`,
  ]);
  const columns = ['SCALE SET', 'REGION', 'VERSION', 'SINCE', 'REVERTED BY, WHY'];
  return [
    table(
      columns.map((title) => ({ title })),
      rows,
    ),
    `Lift by \`${liftCommand(held.length === 1 ? first.name : 'SCALE_SET_OR_ROLLOUT')}\`.`,
  ].join('\n');
}
