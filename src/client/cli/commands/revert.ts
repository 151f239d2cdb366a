import type { Command } from 'commander';
import { isoTime } from '../../../domain/clock.ts';
import { POLICY_LIMITS } from '../../../domain/policy.ts';
import type { HeldVersion } from '../../../ledger/port.ts';
import { lift, prepareRevert, type RevertPlan, type SetRevertPlan } from '../../index.ts';
import { answer, withCommon, type Cli } from '../cli.ts';
import { settingsOf, wholeNumber, withSettings, type SettingsFlags } from '../options.ts';
import { answerStarted, checkStart, withStart, type StartOptions } from '../started.ts';
import { amount } from '../text.ts';

interface Options extends StartOptions, SettingsFlags {
  why: string;
  version?: string;
  maxUnhealthyInstancePercent?: number;
  dryRun?: true;
  lift?: true;
}

const MOST_SETS = 20;

/** `rollouts revert`: the way back to the last known good images (ours). */
export function addRevertCommand(program: Command, cli: Cli): void {
  const { min, max } = POLICY_LIMITS.maxUnhealthyInstancePercent;
  const command = program
    .command('revert')
    .summary('take a version back: every instance returns to its last known good image')
    .description(
      'Brings the instances that run a version back to what they ran before it, under the same batch, zone and threshold rules: of one scale set at once, of a whole rollout phase by phase. From then on the version is held back from these sets until a person starts it by hand, or lifts that.',
    )
    .argument('<id>', 'a scale set (name or ARM id), or a rollout')
    .option('--version <version>', 'the version to take back (default: that of the newest OS upgrade)')
    .option(
      '--max-unhealthy-instance-percent <percent>',
      'begin and go on up to this share of unhealthy instances (rules B1, B8)',
      wholeNumber(min, max),
    )
    .option('--dry-run', 'only say what it would do')
    .option('--lift', 'let reverted versions be rolled out to it again')
    .action((id: string, options: Options) => (options.lift ? runLift : runRevert)(cli, id, options));
  withCommon(withSettings(withStart(command, 'required')), [
    'revert web --why "the new kernel loses its disks" --dry-run',
    'revert web --why "the new kernel loses its disks" --max-unhealthy-instance-percent 60 --wait',
    'revert rollout/canonical --why "bad image"',
    'revert --lift web --why "fixed in the application"',
  ]);
}

async function runRevert(cli: Cli, id: string, options: Options): Promise<void> {
  checkStart(options);
  const { why, who, version, maxUnhealthyInstancePercent, dryRun } = options;
  const policy = maxUnhealthyInstancePercent === undefined ? undefined : { maxUnhealthyInstancePercent };
  await cli.with(async (rollouts) => {
    const request = { id, why, who, version, policy, settings: settingsOf(options) };
    const { plan, start } = await prepareRevert(rollouts, request);
    const { undone: _undone, ...json } = plan;
    if (dryRun) {
      answer(cli, options, json, () => `${planText(plan)}\nNothing was started (--dry-run).`);
      return;
    }
    await answerStarted(cli, rollouts, options, await start(), {
      json: { plan: json },
      text: planText(plan),
    });
  });
}

function planText({ image, version, scaleSets, instances, left }: RevertPlan): string {
  const shown = scaleSets.slice(0, MOST_SETS);
  return [
    `Reverts ${image} ${version}: ${amount(instances, 'instance')} of ${amount(scaleSets.length, 'scale set')} ${instances === 1 ? 'goes' : 'go'} back.`,
    ...(left === 0
      ? []
      : [
          `${amount(left, 'instance')} ${left === 1 ? 'stays' : 'stay'} on it: no earlier image is on record.`,
        ]),
    ...shown.flatMap(setLines),
    ...(shown.length < scaleSets.length ? [`  and ${scaleSets.length - shown.length} more sets`] : []),
  ].join('\n');
}

function setLines({ name, region, goesBack, noEarlierImage, notes }: SetRevertPlan): string[] {
  const back = goesBack.map(({ version, instances }) => `${instances} back to ${version}`);
  const left = noEarlierImage.length === 0 ? [] : [`left: ${noEarlierImage.join(', ')}`];
  return [`  ${name} in ${region}: ${[...back, ...left].join('; ')}`, ...notes.map((note) => `    ${note}`)];
}

async function runLift(cli: Cli, id: string, options: Options): Promise<void> {
  const { version, who, why } = options;
  const lifted = await cli.with((rollouts) => lift(rollouts, { id, version, who, why }));
  answer(cli, options, { lifted }, () => liftedText(lifted));
}

function liftedText(lifted: readonly HeldVersion[]): string {
  if (lifted.length === 0) return 'Nothing is held back there.';
  return lifted
    .map(
      ({ scaleSetId, version, who, why, since }) =>
        `${scaleSetId?.split('/').at(-1) ?? 'The whole fleet'}: ${version.version} may be rolled out again (held back by ${who} at ${isoTime(since)}: ${why}).`,
    )
    .join('\n');
}
