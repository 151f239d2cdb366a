import { isoTime, type Instant } from '../../domain/clock.ts';
import { localText } from '../../domain/time-zone.ts';
import type { RuleKind } from '../../ledger/port.ts';
import type { ChangedRule, RuleList, RuleView } from '../index.ts';
import { amount, table, time } from './text.ts';

const NAMES: Record<RuleKind, { plural: string; none: string }> = {
  window: {
    plural: 'windows',
    none: 'There are no maintenance windows: automatic upgrades may begin batches at any time.',
  },
  freeze: { plural: 'freezes', none: 'There are no freezes.' },
  override: { plural: 'overrides', none: 'Nothing is overridden.' },
};

/** A list for people. */
export function ruleListText({ now, rules }: RuleList, kind: RuleKind): string {
  if (rules.length === 0) return NAMES[kind].none;
  const columns = ['ID', 'FOR', kind === 'window' ? 'WINDOW' : 'FROM, UNTIL (UTC)', 'NOW', 'BY, WHY'];
  return [
    table(
      columns.map((title) => ({ title })),
      rules.map((rule) => [rule.id, rule.where, spanText(rule), stateText(rule), `${rule.who}: ${rule.why}`]),
    ),
    `Now is ${time(now)} UTC by the fleet's clock. Take one back by \`rollouts ${NAMES[kind].plural} remove ID --why TEXT\`.`,
  ].join('\n');
}

function spanText({ says, since, until }: RuleView): string {
  return since === null || until === null ? says : `${time(since)} to ${time(until)}`;
}

function stateText({ state, changesAt, window, removed }: RuleView): string {
  if (removed !== null) return `taken back ${time(removed.at)} by ${removed.who}: ${removed.why}`;
  const words = {
    open: 'open until',
    closed: 'opens',
    ahead: 'not begun',
    inForce: 'in force',
    over: 'over',
  };
  const word = words[state as keyof typeof words];
  if (window === null || changesAt === null) return word;
  return `${word} ${momentIn(changesAt, window.zone)}`;
}

/** `2026-03-29 22:00 there` */
function momentIn(at: Instant, zone: string): string {
  return `${localText(at, zone)}${zone === 'UTC' ? '' : ` (${isoTime(at).slice(0, 16)}Z)`}`;
}

/** What was done, for people. */
export function changedRuleText({ rule, woken, notes }: ChangedRule): string {
  const { id, where, says, removed } = rule;
  const what = `${id} for ${where}: ${says}`;
  return [
    removed === null ? `Added ${what}.` : `Taken back: ${what}.`,
    ...(woken.length > 0 ? [`Told ${amount(woken.length, 'workflow')} to look at once.`] : []),
    ...notes.map((note) => `Note: ${note}`),
  ].join('\n');
}
