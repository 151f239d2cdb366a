import type { Command } from 'commander';
import { ATTEMPT_KINDS } from '../../../domain/attempt-kinds.ts';
import { humanDuration } from '../../../domain/clock.ts';
import type { Order } from '../../../ledger/port.ts';
import { readHistory, type History, type HistoryEntry } from '../../index.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { amount, facts, scopeText, sections, time } from '../text.ts';

interface Options extends CommonOptions {
  all?: true;
}

/** `rollouts history`: what was done to a scale set (rules E1, E2). */
export function addHistoryCommand(program: Command, cli: Cli): void {
  const command = program
    .command('history')
    .summary('what was done to a scale set, by whom and why')
    .description(
      "Shows a scale set's OS upgrade history: the last five OS upgrades and reverts of two months, newest first, with who started, paused, resumed or cancelled them and why. JSON has the shape of Azure's osUpgradeHistory, and our own facts as `attempt`.",
    )
    .argument('<scale-set>', 'name or ARM id')
    .option('--all', 'every attempt that was ever recorded, also updates to the model and repairs')
    .action(async (scaleSet: string, options: Options) => {
      const { all } = options;
      const history = await cli.with((rollouts) => readHistory(rollouts, { scaleSet, all }));
      answer(cli, options, history, (value) => historyText(value, all ?? false));
    });
  withCommon(command, ['history web', 'history web --all --output json']);
}

function historyText({ name, region, now, value }: History, all: boolean): string {
  if (value.length === 0) {
    const which = all ? 'Nothing was ever done' : 'No OS upgrade of the last two months is recorded';
    return `${which} on ${name} in ${region}.`;
  }
  return sections(
    `${name} in ${region}: ${amount(value.length, 'attempt')}, the newest first`,
    ...value.map((entry) => entryText(entry, now)),
  );
}

function entryText({ properties, attempt }: HistoryEntry, now: number): string {
  const { runningStatus, progress, startedBy, targetImageReference: image } = properties;
  const { number, kind, who, why, startedAt, endedAt, reason, warnings, orders, rolloutId } = attempt;
  const target =
    'id' in image
      ? image.id.split('/').slice(-3).join('/')
      : `${image.publisher}:${image.offer}:${image.sku} ${image.version}`;
  const took = humanDuration((endedAt ?? now) - startedAt);
  const until = endedAt === null ? `for ${took}` : `to ${time(endedAt)}, ${took}`;
  return [
    `${number}  ${runningStatus.code}: ${ATTEMPT_KINDS[kind].name} to ${target}`,
    facts(
      [
        ['when', `${time(startedAt)} ${until}`],
        [
          'started by',
          `${startedBy === 'Platform' ? `the platform, for a rollout of ${who}` : who}${why === null ? '' : `: ${why}`}`,
        ],
        ['instances', instancesText(progress, attempt.outcomes)],
        ['stopped', reason === null ? undefined : `${reason.code}: ${reason.message}`],
        ...warnings.map(({ message, fix }) => ['warning', `${message} ${fix}`] as const),
        ...orders.map((order) => ['order', orderText(order)] as const),
        ['rollout', rolloutId],
      ],
      '   ',
    ),
  ].join('\n');
}

function instancesText(
  progress: HistoryEntry['properties']['progress'],
  { restored, restoreFailed }: HistoryEntry['attempt']['outcomes'],
): string {
  const { successfulInstanceCount, failedInstanceCount, inProgressInstanceCount, pendingInstanceCount } =
    progress;
  const failed = [
    ...(restored > 0 ? [`${restored} restored`] : []),
    ...(restoreFailed > 0 ? [`${restoreFailed} could not be restored`] : []),
  ];
  return [
    `${successfulInstanceCount} successful`,
    `${failedInstanceCount} failed${failed.length === 0 ? '' : ` (${failed.join(', ')})`}`,
    ...(inProgressInstanceCount > 0 ? [`${inProgressInstanceCount} in progress`] : []),
    ...(pendingInstanceCount > 0 ? [`${pendingInstanceCount} pending`] : []),
  ].join(', ');
}

function orderText({ scope, state, who, why, at }: Order): string {
  const verb = state === 'running' ? 'resumed' : state;
  return `${time(at)} ${who} ${verb} ${scopeText(scope)}: ${why}`;
}
