import type { Command } from 'commander';
import { SECOND, type Duration } from '../../../domain/clock.ts';
import { CHOSEN_KINDS } from '../../../domain/events.ts';
import type { RecordedEvent } from '../../../ledger/port.ts';
import { EXIT } from '../../errors.ts';
import {
  addWatcher,
  listWatchers,
  removeWatcher,
  retryWatcher,
  testWatcher,
  type ShownWatcher,
  type TestedWatcher,
} from '../../index.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { durationOption, reasonOption } from '../options.ts';
import { amount, table, time } from '../text.ts';

/** `rollouts watchers`: who is told of what happens (see `docs/watchers.md`). */
export function addWatcherCommands(program: Command, cli: Cli): void {
  const watchers = program
    .command('watchers')
    .summary('who is told of what happens: webhooks')
    .description(
      'Webhooks that the workers tell of rollouts and scale sets, as signed CloudEvents, at least once. One that is down holds nothing up.',
    );
  addAdd(watchers, cli);
  addList(watchers, cli);
  addTest(watchers, cli);
  addRetry(watchers, cli);
  addRemove(watchers, cli);
}

interface AddOptions extends CommonOptions {
  secret: string;
  name?: string;
  types?: string[];
  allowHttp?: true;
  who?: string;
}

function addAdd(watchers: Command, cli: Cli): void {
  const command = watchers
    .command('add')
    .summary('tell somebody of what happens from now on')
    .description(
      `Adds a watcher. What its events are signed with is not given here: --secret says where the workers find it.\n\nTypes of events: ${CHOSEN_KINDS.join(', ')}.`,
    )
    .argument('<url>', 'where events are sent to: https, or http on this machine')
    .requiredOption(
      '--secret <where>',
      "env:WATCHER_SECRET, env:WATCHER_SECRET_<NAME>, or file:/<path>: the workers' variable or file with whsec_<base64>",
      reasonOption,
    )
    .option('--name <name>', "what it is called (default: the URL's host)", reasonOption)
    .option('--types <types>', 'only events of these types, with commas between (default: all)', list)
    .option('--allow-http', 'send to http beyond this machine, where anybody in between can read it')
    .option('--who <name>', 'who adds it (default: the user at the terminal)', reasonOption)
    .action(async (url: string, options: AddOptions) => {
      const { secret, name, types, allowHttp, who } = options;
      const request = { url, secret, name, types, allowHttp, who };
      const added = await cli.with((rollouts) => addWatcher(rollouts, request));
      answer(cli, options, added, addedText);
    });
  withCommon(command, [
    'watchers add https://hooks.example/rollouts --secret env:WATCHER_SECRET',
    'watchers add https://hooks.example/pager --name pager --types rollout.halted,scaleset.quarantined --secret file:/run/secrets/pager',
  ]);
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function addedText({ name, url, types, secret }: ShownWatcher): string {
  const what = types === null ? 'everything' : types.join(', ');
  return [
    `${name} is told of ${what} from now on, at ${url}.`,
    `Give the workers and the receiver the same secret: the workers look for it in ${secret}. See whether it arrives: rollouts watchers test ${name}`,
  ].join('\n');
}

function addList(watchers: Command, cli: Cli): void {
  const command = watchers
    .command('list')
    .summary('who is told of what, and how that goes')
    .description(
      'Lists the watchers, with how many events each has yet to get and why it does not accept them. Times are by the clock on the wall; of a token in a URL only what tells it from others is shown.',
    )
    .action(async (options: CommonOptions) => {
      const all = await cli.with((rollouts) => listWatchers(rollouts));
      answer(cli, options, { watchers: all }, () => listText(all));
    });
  withCommon(command, ['watchers list', 'watchers list --output json']);
}

function listText(all: readonly (ShownWatcher & { pending: number })[]): string {
  if (all.length === 0)
    return 'Nobody is told of anything. Add somebody: rollouts watchers add URL --secret env:WATCHER_SECRET';
  const columns = ['WATCHER', 'STATE', 'PENDING', 'LAST ACCEPTED', 'TYPES', 'URL'];
  const rows = all.map(({ name, state, pending, lastAcceptedAt, types, url }) => [
    name,
    state === 'ok' ? 'ok' : state.toUpperCase(),
    String(pending),
    lastAcceptedAt === null ? '-' : time(lastAcceptedAt),
    types === null ? 'all' : types.join(','),
    url,
  ]);
  return [
    table(
      columns.map((title) => ({ title, ...(title === 'PENDING' ? { align: 'right' as const } : {}) })),
      rows,
    ),
    ...all.flatMap(problemLines),
  ].join('\n');
}

function problemLines({ name, state, disabledWhy, failures, lastError, nextTryAt }: ShownWatcher): string[] {
  if (state === 'ok') return [];
  const last = lastError === null ? '' : ` The last try: ${lastError}`;
  if (state === 'disabled') {
    return [`! ${name}: ${disabledWhy}${last} Once it is mended: rollouts watchers retry ${name}`];
  }
  const when = nextTryAt === null ? 'at once' : `at ${time(nextTryAt)}`;
  return [`! ${name}: ${amount(failures, 'try', 'tries')} failed, the next is ${when}.${last}`];
}

interface TestOptions extends CommonOptions {
  timeout?: Duration;
  who?: string;
}

function addTest(watchers: Command, cli: Cli): void {
  const command = watchers
    .command('test')
    .summary('send it an event, and see whether it arrives')
    .description(
      'Has the workers send a watcher an event of type watcher.test, after what it has yet to get, and says how it answered. Exits with 1 when it did not accept it.',
    )
    .argument('<watcher>', 'its name')
    .option(
      '--timeout <time>',
      'by the clock on the wall: wait no longer than this (default: 30s)',
      durationOption,
    )
    .option('--who <name>', 'who tests it (default: the user at the terminal)', reasonOption)
    .action(async (name: string, options: TestOptions) => {
      const { timeout = 30 * SECOND, who } = options;
      const tested = await cli.with((rollouts) => testWatcher(rollouts, { name, timeout, who }));
      answer(cli, options, tested, testedText);
      if (tested.outcome !== 'accepted') cli.exitCode = EXIT.failure;
    });
  withCommon(command, ['watchers test pager', 'watchers test pager --timeout 5s --output json']);
}

function testedText({ name, outcome, error }: TestedWatcher): string {
  switch (outcome) {
    case 'accepted':
      return `${name} has accepted the event.`;
    case 'failed':
      return `${name} has not accepted what was sent: ${error} It is tried again by itself.`;
    case 'noAnswer':
      return `No try has ended yet; the event stays to be sent. Does a worker run? npm run worker`;
  }
}

interface RetryOptions extends CommonOptions {
  skip?: true;
}

function addRetry(watchers: Command, cli: Cli): void {
  const command = watchers
    .command('retry')
    .summary('try it at once, and tell it again if it was disabled')
    .description(
      'Has a watcher tried at once instead of at its time. One that was disabled is told again, and gets what has happened meanwhile.',
    )
    .argument('<watcher>', 'its name')
    .option('--skip', 'leave out the event that it gets next, for one that it never accepts')
    .action(async (name: string, options: RetryOptions) => {
      const { skip } = options;
      const retried = await cli.with((rollouts) => retryWatcher(rollouts, { name, skip }));
      answer(cli, options, retried, retriedText);
    });
  withCommon(command, ['watchers retry pager', 'watchers retry pager --skip']);
}

function retriedText({ watcher, skipped }: { watcher: ShownWatcher; skipped: RecordedEvent | null }): string {
  const left = skipped && ` It does not get ${skipped.kind} of ${skipped.subject} at ${time(skipped.at)}.`;
  return `${watcher.name} is tried at once.${left ?? ''}`;
}

function addRemove(watchers: Command, cli: Cli): void {
  const command = watchers
    .command('remove')
    .summary('tell it nothing any more')
    .description('Removes a watcher. What it has yet to get is not sent.')
    .argument('<watcher>', 'its name')
    .action(async (name: string, options: CommonOptions) => {
      const removed = await cli.with((rollouts) => removeWatcher(rollouts, name));
      answer(cli, options, removed, (watcher) => `${watcher.name} is told nothing any more.`);
    });
  withCommon(command, ['watchers remove pager']);
}
