import type { Command } from 'commander';
import type { RuleScope } from '../../../domain/calendar.ts';
import type { Duration } from '../../../domain/clock.ts';
import type { RuleDefinition, RuleKind } from '../../../ledger/port.ts';
import {
  addRule,
  currentInstant,
  findRollout,
  findScaleSet,
  listRules,
  readWindow,
  removeRule,
  requireMoment,
  UsageError,
} from '../../index.ts';
import { changedRuleText, ruleListText } from '../calendar-text.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import type { OpenRollouts } from '../open-rollouts.ts';
import { durationOption, reasonOption } from '../options.ts';

interface AddOptions extends CommonOptions {
  all?: true;
  region?: string;
  scaleSet?: string;
  who?: string;
  why: string;
}

interface TimeOptions {
  from?: string;
  until?: string;
  for?: Duration;
  zone?: string;
}

interface WindowOptions extends AddOptions {
  days: string;
  start: string;
  end?: string;
  for?: Duration;
  zone: string;
}

const MOMENT = 'an ISO time with its offset, or a local one with --zone (virtual time)';
const UPGRADES = 'automatic upgrades; what a person starts, reverts or repairs is not bound';

/** `rollouts windows | freezes | overrides`: when automatic upgrades may begin batches (rule D10). */
export function addCalendarCommands(program: Command, cli: Cli): void {
  addWindows(program, cli);
  addFreezes(program, cli);
  addOverrides(program, cli);
}

function addWindows(program: Command, cli: Cli): void {
  const windows = group(program, 'windows', 'when automatic upgrades may begin batches', [
    'Maintenance windows: outside of them no batch of an automatic upgrade begins; one that has begun ends.',
    "A scale set's own windows go before its region's, and these before those of everything; several of one scope add up. Without any, it is always open.",
  ]);
  addList(windows, cli, 'window');
  const add = withScope(windows.command('add'))
    .summary('add a window')
    .description(`Adds a maintenance window, for ${UPGRADES}.`)
    .requiredOption('--days <days>', 'days of the week on which it begins: mon-fri, or sat,sun, or daily')
    .requiredOption('--start <time>', 'local time at which it begins, such as 22:00')
    .option('--end <time>', 'local time at which it ends, on the next day if that is not later')
    .option('--for <time>', 'how long it is instead, by a clock that nobody changes', durationOption)
    .requiredOption('--zone <name>', 'IANA time zone of these, such as Europe/Berlin')
    .action((options: WindowOptions) =>
      runAdd(cli, options, async () => {
        const window = readWindow({ ...options, duration: options.for });
        return { kind: 'window', window };
      }),
    );
  withCommon(add, [
    'windows add --region westeurope --days mon-fri --start 22:00 --end 04:00 --zone Europe/Berlin --why "nights only"',
    'windows add --scale-set web --days sat,sun --start 01:00 --for 6h --zone America/New_York --why "web: weekends"',
  ]);
  addRemove(windows, cli, 'window');
}

function addFreezes(program: Command, cli: Cli): void {
  const freezes = group(program, 'freezes', 'when automatic upgrades may begin no batch', [
    'Freezes: from one moment until another no batch of an automatic upgrade begins, windows or not; one that has begun ends. Freezes of all scopes add up.',
  ]);
  addList(freezes, cli, 'freeze');
  const add = withUntil(withScope(freezes.command('add')))
    .summary('add a freeze')
    .description(`Adds a freeze, for ${UPGRADES}.`)
    .option('--from <time>', `when it begins: ${MOMENT} (default: now)`)
    .action((options: AddOptions & TimeOptions) =>
      runAdd(cli, options, async (rollouts) => {
        const { from: text, zone } = options;
        const from =
          text === undefined ? await currentInstant(rollouts) : requireMoment(text, 'The beginning', zone);
        return { kind: 'freeze', from, until: untilOf(options, from) };
      }),
    );
  withCommon(add, [
    'freezes add --all --from 2026-12-20T00:00 --until 2027-01-04T06:00 --zone Europe/Berlin --why "end of the year"',
    'freezes add --region eastus --for 4h --why "storm in Virginia"',
  ]);
  addRemove(freezes, cli, 'freeze');
}

function addOverrides(program: Command, cli: Cli): void {
  const overrides = group(program, 'overrides', 'let batches begin in spite of windows and freezes', [
    'Overrides: until a moment batches begin although windows or freezes say no. Who did that and why is recorded for good, and so is every batch that began by it.',
  ]);
  addList(overrides, cli, 'override');
  const add = withUntil(withScope(overrides.command('add')))
    .summary('override windows and freezes, from now on')
    .description('Lets automatic upgrades begin batches in spite of windows and freezes, from now on.')
    .argument('[id]', "a rollout's id, or the beginning of it")
    .action((id: string | undefined, options: AddOptions & TimeOptions) =>
      runAdd(
        cli,
        options,
        async (rollouts) => ({
          kind: 'override',
          until: untilOf(options, await currentInstant(rollouts)),
        }),
        id,
      ),
    );
  withCommon(add, [
    'overrides add rollout/canonical --for 2h --why "the fix cannot wait"',
    'overrides add --scale-set web --until 2026-12-24T06:00:00Z --why "agreed with its owner"',
  ]);
  addRemove(overrides, cli, 'override');
}

function group(program: Command, name: string, summary: string, description: string[]): Command {
  return program.command(name).summary(summary).description(description.join(' '));
}

function withScope(command: Command): Command {
  return command
    .option('--all', 'everything there is')
    .option('--region <name>', 'a region, whatever rollout works there')
    .option('--scale-set <id>', 'a scale set, by name or ARM id')
    .requiredOption('--why <text>', 'the reason, which is recorded for good', reasonOption)
    .option('--who <name>', 'who says so (default: the user at the terminal)', reasonOption);
}

function withUntil(command: Command): Command {
  return command
    .option('--until <time>', `when it ends: ${MOMENT}`)
    .option('--for <time>', 'how long it lasts instead', durationOption)
    .option('--zone <name>', 'IANA time zone of times that have no offset, such as Europe/Berlin');
}

function untilOf({ until, for: duration, zone }: TimeOptions, from: number): number {
  if ((until === undefined) === (duration === undefined)) {
    throw new UsageError('Say until when: give one of --until and --for.');
  }
  return until === undefined ? from + (duration ?? 0) : requireMoment(until, 'The end', zone);
}

async function runAdd(
  cli: Cli,
  options: AddOptions,
  read: (rollouts: OpenRollouts) => Promise<RuleDefinition>,
  id?: string,
): Promise<void> {
  const { who, why } = options;
  const changed = await cli.with(async (rollouts) =>
    addRule(rollouts, { scope: await scopeOf(rollouts, options, id), rule: await read(rollouts), who, why }),
  );
  answer(cli, options, changed, changedRuleText);
}

async function scopeOf(rollouts: OpenRollouts, options: AddOptions, id?: string): Promise<RuleScope> {
  const { all, region, scaleSet } = options;
  const given = [id, all && '--all', region && '--region', scaleSet && '--scale-set'].filter(Boolean);
  if (given.length !== 1) {
    const which = given.length === 0 ? '' : `, not ${given.join(' and ')}`;
    throw new UsageError(`Say what it is for: one of --all, --region and --scale-set${which}.`);
  }
  if (id !== undefined) return { kind: 'rollout', rolloutId: (await findRollout(rollouts, id)).rollout.id };
  if (region !== undefined) return { kind: 'region', region };
  if (scaleSet !== undefined) {
    return { kind: 'scaleSet', scaleSetId: (await findScaleSet(rollouts, scaleSet)).id };
  }
  return { kind: 'all' };
}

interface ListOptions extends CommonOptions {
  all?: true;
}

function addList(parent: Command, cli: Cli, kind: RuleKind): void {
  const command = parent
    .command('list', { isDefault: true })
    .summary('those that count now or will')
    .description('Lists those that count now or will, with who laid them down and why.')
    .option('--all', 'also what is over and what was taken back')
    .action(async ({ all, ...common }: ListOptions) => {
      const list = await cli.with((rollouts) => listRules(rollouts, { kind, all }));
      answer(cli, common, list, (value) => ruleListText(value, kind));
    });
  withCommon(command, [`${parent.name()} list`, `${parent.name()} list --all --output json`]);
}

interface RemoveOptions extends CommonOptions {
  who?: string;
  why: string;
}

function addRemove(parent: Command, cli: Cli, kind: RuleKind): void {
  const command = parent
    .command('remove')
    .summary('take one back; it stays on record')
    .description('Takes one back from now on. What it was, and who took it back and why, stays on record.')
    .argument('<id>', `as \`rollouts ${parent.name()}\` lists it`)
    .requiredOption('--why <text>', 'the reason, which is recorded for good', reasonOption)
    .option('--who <name>', 'who says so (default: the user at the terminal)', reasonOption)
    .action(async (id: string, options: RemoveOptions) => {
      const { who, why } = options;
      const changed = await cli.with((rollouts) => removeRule(rollouts, { kind, id, who, why }));
      answer(cli, options, changed, changedRuleText);
    });
  withCommon(command, [`${parent.name()} remove ${kind}-3 --why "agreed otherwise"`]);
}
