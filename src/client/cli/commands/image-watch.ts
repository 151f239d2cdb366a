import type { Command } from 'commander';
import { humanDuration, type Duration } from '../../../domain/clock.ts';
import {
  lookAtImagesNow,
  switchImageWatchOff,
  switchImageWatchOn,
  viewImageWatch,
  type ImageWatchView,
} from '../../index.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { durationOption, settingsOf, withSettings, type SettingsFlags } from '../options.ts';
import { time } from '../text.ts';

interface OnOptions extends CommonOptions, SettingsFlags {
  every?: Duration;
}

/** `rollouts image-watch on | off | now | show`: versions are picked up by themselves (rule D6). */
export function addImageWatchCommands(program: Command, cli: Cli): void {
  const watch = program
    .command('image-watch')
    .summary('have new image versions picked up by themselves')
    .description(
      'A Temporal schedule looks at all images every few minutes, and starts the rollouts that are due: of new platform versions, of gallery versions where they are replicated, and for scale sets that were left behind. A newer version supersedes a rollout that still runs.',
    );
  addOn(watch, cli);
  addOff(watch, cli);
  addNow(watch, cli);
  addShow(watch, cli);
}

function addOn(watch: Command, cli: Cli): void {
  const command = watch
    .command('on')
    .summary('switch it on, or change how often it looks')
    .option('--every <duration>', 'virtual time between two looks (default: 5m)', durationOption)
    .action(async (options: OnOptions) => {
      const { every } = options;
      const settings = settingsOf(options);
      const view = await cli.with((rollouts) => switchImageWatchOn(rollouts, { every, settings }));
      answer(cli, options, view, viewText);
    });
  withCommon(withSettings(command), ['image-watch on', 'image-watch on --every 10m --bake 4h']);
}

function addOff(watch: Command, cli: Cli): void {
  const command = watch
    .command('off')
    .summary('switch it off; rollouts under way go on')
    .action(async (options: CommonOptions) => {
      const wasOn = await cli.with(switchImageWatchOff);
      answer(cli, options, { wasOn }, () =>
        wasOn ? 'The image watch is off. Rollouts under way go on.' : 'The image watch was off already.',
      );
    });
  withCommon(command, ['image-watch off']);
}

function addNow(watch: Command, cli: Cli): void {
  const command = watch
    .command('now')
    .summary('look once, at once, whether it is on or off')
    .action(async (options: CommonOptions) => {
      const look = await cli.with(lookAtImagesNow);
      answer(
        cli,
        options,
        look,
        ({ workflowId }) =>
          `Looking at all images${workflowId === null ? '' : ` (${workflowId})`}. See what was started by \`rollouts list\`.`,
      );
    });
  withCommon(command, ['image-watch now']);
}

function addShow(watch: Command, cli: Cli): void {
  const command = watch
    .command('show', { isDefault: true })
    .summary('whether it is on, and when it looked')
    .action(async (options: CommonOptions) => {
      const view = await cli.with(viewImageWatch);
      answer(cli, options, view, viewText);
    });
  withCommon(command, ['image-watch', 'image-watch show --output json']);
}

function viewText({ isOn, every, nextAt, last }: ImageWatchView): string {
  if (every === null) return 'The image watch is off. Switch it on by `rollouts image-watch on`.';
  const [latest] = last;
  const lines = [
    `The image watch is ${isOn ? 'on' : 'paused in Temporal'}: it looks every ${humanDuration(every)}${nextAt === null || !isOn ? '' : `, next at ${time(nextAt)}`}.`,
    ...(latest === undefined ? [] : [`It last looked at ${time(latest.at)}: ${latest.workflowId}`]),
  ];
  return lines.join('\n');
}
