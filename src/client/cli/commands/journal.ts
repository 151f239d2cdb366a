import type { Command } from 'commander';
import { ruleScopeLabel, ruleText } from '../../../domain/calendar.ts';
import { printable } from '../../../domain/plain-text.ts';
import type { RecordedEntry } from '../../../ledger/port.ts';
import { findRollout, findScaleSet, journalLine, readJournal } from '../../index.ts';
import { collect, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { wholeNumber } from '../options.ts';
import { time } from '../text.ts';

interface Options extends CommonOptions {
  scaleSet?: string[];
  after?: number;
}

/** `rollouts journal`: every operation on an instance (rule E4). */
export function addJournalCommand(program: Command, cli: Cli): void {
  const command = program
    .command('journal')
    .summary('attempts, batches and every operation on a VM, in the order of recording')
    .description(
      'Prints the journal: attempts, batches and every operation on a VM, when each started and how it ended. All of it, or that of one rollout or scale set. JSON comes one object a line.',
    )
    .argument('[id]', "a rollout's id, the beginning of it, or any workflow's id of it")
    .option('--scale-set <id>', "a scale set's name or ARM id; repeatable", collect)
    .option('--after <seq>', 'only what was recorded after this number', wholeNumber(0))
    .action((id: string | undefined, options: Options) => printJournal(cli, id, options));
  withCommon(command, [
    'journal --output json > journal.jsonl',
    'journal rollout/canonical:0001-com-ubuntu-server-jammy:22_04-lts/22.04.202512050/1',
    'journal --scale-set web --after 1200',
  ]);
}

async function printJournal(cli: Cli, id: string | undefined, options: Options): Promise<void> {
  await cli.with(async (rollouts) => {
    const rolloutId = id === undefined ? undefined : (await findRollout(rollouts, id)).rollout.id;
    const sets = await Promise.all((options.scaleSet ?? []).map((set) => findScaleSet(rollouts, set)));
    const wanted = new Set(sets.map((set) => set.id.toLowerCase()));
    // One set is looked up by the index; several are picked from all, so that the order stays that of recording.
    const scaleSetId = sets.length === 1 ? sets[0]?.id : undefined;
    for await (const entry of readJournal(rollouts, { rolloutId, scaleSetId, after: options.after })) {
      if (wanted.size > 0 && !wanted.has(entry.scaleSetId.toLowerCase())) continue;
      await write(cli, options.output === 'json' ? JSON.stringify(journalLine(entry)) : entryText(entry));
    }
  });
}

/** Waits for a reader that is slower than we are, instead of keeping the whole journal in memory. */
async function write({ terminal: { stdout } }: Cli, line: string): Promise<void> {
  if (stdout.write(`${printable(line)}\n`)) return;
  await new Promise<void>((resolve) => stdout.once('drain', () => resolve()));
}

/** `2026-01-05 10:31:12  eastus/web/3      zone 1 ud 0  osDisk.swap     started    1.0 -> 1.1` */
function entryText(entry: RecordedEntry): string {
  const rule = entry.observed?.rule;
  const name = entry.scaleSetId.split('/').at(-1) ?? entry.scaleSetId;
  const place = [
    ...(entry.zone === null ? [] : [`zone ${entry.zone}`]),
    ...(entry.updateDomain === null ? [] : [`ud ${entry.updateDomain}`]),
  ].join(' ');
  const versions =
    entry.fromVersion !== null && entry.toVersion !== null
      ? `${entry.fromVersion} -> ${entry.toVersion}`
      : (entry.toVersion ?? entry.fromVersion ?? '');
  const warnings = (entry.observed?.warnings ?? []).map((text) => `warning: ${text}`);
  const rest = [
    entry.detail,
    ...(rule ? [ruleLineText(entry)] : []),
    versions,
    entry.error,
    ...warnings,
  ].filter((part) => part !== null && part !== '');
  return [
    String(entry.seq).padStart(6),
    time(entry.at),
    (rule
      ? ruleScopeLabel(rule.scope)
      : `${entry.region}/${name}${entry.instanceId === '' ? '' : `/${entry.instanceId}`}`
    ).padEnd(32),
    place.padEnd(11),
    entry.operation.padEnd(14),
    entry.event.padEnd(9),
    rest.join('  '),
  ]
    .join('  ')
    .trimEnd();
}

/** Of a rule of when batches may begin: what it says, and who laid it down or took it back. */
function ruleLineText({ observed }: RecordedEntry): string {
  const { rule, removed } = observed ?? {};
  if (!rule) return '';
  const { who, why } = removed ?? rule;
  return `${ruleText(rule)}${removed ? ', taken back' : ''} by ${who}: ${why}`;
}
