import type { Command } from 'commander';
import { liftCommand } from '../../give.ts';
import { listHeld, type HeldBack } from '../../index.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { table, time } from '../text.ts';

/** `rollouts held`: what was reverted where, and does not come again by itself (ours). */
export function addHeldCommand(program: Command, cli: Cli): void {
  const command = program
    .command('held')
    .summary('versions that are held back from scale sets, or from the whole fleet')
    .description(
      'Lists the versions that were reverted on scale sets, by whom and why: rollouts leave these sets out until somebody lifts that, starts the version there by hand, or rolls out another version. And those that are held back from the whole fleet, since their rollout was aborted or broke its canary: they are not picked up again until somebody lifts that, or starts one by hand.',
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
    name ?? 'the whole fleet',
    region ?? '',
    `${image} ${version}`,
    time(since),
    `${who}: ${why}`,
  ]);
  const columns = ['SCALE SET', 'REGION', 'VERSION', 'SINCE', 'HELD BACK BY, WHY'];
  return [
    table(
      columns.map((title) => ({ title })),
      rows,
    ),
    `Lift by \`${liftCommand(held.length === 1 ? (first.name ?? 'ROLLOUT') : 'SCALE_SET_OR_ROLLOUT')}\`.`,
  ].join('\n');
}
