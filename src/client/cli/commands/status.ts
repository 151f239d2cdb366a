import { Option, type Command } from 'commander';
import { ATTEMPT_KINDS } from '../../../domain/attempt-kinds.ts';
import { imageLabel } from '../../../domain/image.ts';
import type { Rollout, RolloutStatus } from '../../../ledger/port.ts';
import { findRollout, rolloutStatus } from '../../index.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { wholeNumber } from '../options.ts';
import { statusJson, statusText } from '../status-text.ts';
import { columnsOf } from '../terminal.ts';
import { table, time } from '../text.ts';

const STATUSES: RolloutStatus[] = ['Running', 'Halted', 'Completed', 'Faulted', 'Cancelled', 'Superseded'];

interface ListOptions extends CommonOptions {
  status?: RolloutStatus;
  limit: number;
}

/** `rollouts list`. */
export function addListCommand(program: Command, cli: Cli): void {
  const command = program
    .command('list')
    .summary('all rollouts, the newest first')
    .description('Lists the rollouts that were ever started, the newest first.')
    .addOption(new Option('--status <status>', 'only those that stand so').choices(STATUSES))
    .option('--limit <number>', 'no more than this many', wholeNumber(1), 20)
    .action(async (options: ListOptions) => {
      const { status, limit } = options;
      const filter = { limit, ...(status === undefined ? {} : { status }) };
      const rollouts = await cli.with(({ ledger }) => ledger.rollouts.list(filter));
      answer(cli, options, { rollouts: rollouts.map(listed) }, () => listText(rollouts));
    });
  withCommon(command, ['list', 'list --status Running --output json']);
}

function listed(rollout: Rollout) {
  const { id, kind, action, target, generation, status, reason } = rollout;
  const { startedBy, why, startedAt, endedAt, phases } = rollout;
  const image = imageLabel(target.image);
  const { version } = target;
  return {
    rolloutId: id,
    kind,
    action,
    image,
    version,
    generation,
    status,
    reason,
    startedBy,
    why,
    startedAt,
    endedAt,
    phases,
  };
}

function listText(rollouts: readonly Rollout[]): string {
  if (rollouts.length === 0) return 'There is no rollout yet. Start one by `rollouts start <image>`.';
  return table(
    [
      { title: 'STATUS' },
      { title: 'WHAT' },
      { title: 'STARTED' },
      { title: 'ENDED' },
      { title: 'BY' },
      { title: 'ID' },
    ],
    rollouts.map(({ status, action, startedAt, endedAt, startedBy, id }) => [
      status,
      ATTEMPT_KINDS[action].name,
      time(startedAt),
      endedAt === null ? '-' : time(endedAt),
      startedBy,
      id,
    ]),
  );
}

/** `rollouts status`. */
export function addStatusCommand(program: Command, cli: Cli): void {
  const command = program
    .command('status')
    .summary('how a rollout stands, what it waits for and until when')
    .description('Shows how a rollout stands, what it waits for and until when, and what is out of order.')
    .argument(
      '[id]',
      "the rollout's id, the beginning of it, or any workflow's id of it (default: the newest)",
    )
    .action(async (id: string | undefined, options: CommonOptions) => {
      const report = await cli.with(async (rollouts) => {
        const { rollout } = await findRollout(rollouts, id);
        return rolloutStatus(rollouts, rollout.id);
      });
      const { stdout } = cli.terminal;
      const view = { columns: columnsOf(cli.terminal), color: stdout.isTTY && !process.env['NO_COLOR'] };
      answer(cli, options, statusJson(report), () => statusText(report, view));
    });
  withCommon(command, ['status', 'status rollout/canonical --output json']);
}
