import type { Checked, Unit, Violation } from '../../audit/index.ts';
import { humanDuration } from '../../domain/clock.ts';
import type { RolloutAudit } from '../index.ts';
import { amount, section, sections, table, time } from './text.ts';

/** An audit for programs. */
export function auditJson({ rollout, checks, violations, open, counts }: RolloutAudit) {
  const { id: rolloutId, status } = rollout;
  return {
    rolloutId,
    status,
    clean: violations.length === 0,
    counts,
    checks: checks.map((check) => ({ ...check, violations: check.violations.length })),
    violations,
    open,
  };
}

/** An audit for people: the verdict, what was looked at rule by rule, and every violation with its place. */
export function auditText(audit: RolloutAudit): string {
  return sections(
    verdict(audit),
    checksText(audit.checks),
    section('Violations:', violationsText(audit.violations)),
    openText(audit),
    leftOutText(audit),
  );
}

function verdict({ rollout, violations, counts, checks }: RolloutAudit): string {
  const { id, status, startedAt, endedAt } = rollout;
  const took = endedAt === null ? '' : ` after ${humanDuration(endedAt - startedAt)}`;
  const takenOver = counts.takeOvers === 0 ? '' : `, taken over ${amount(counts.takeOvers, 'time')}`;
  const from = [
    amount(counts.lines, 'line'),
    amount(counts.attempts, 'attempt') + takenOver,
    amount(counts.batches, 'batch', 'batches'),
    amount(counts.instances, 'VM'),
  ];
  const broken = [...new Set(violations.map(({ rule }) => rule))];
  const said =
    counts.attempts === 0
      ? 'Nothing to judge: no scale set was touched.'
      : broken.length === 0
        ? `All ${checks.length} checks hold.`
        : `${amount(violations.length, 'violation')} of ${amount(broken.length, 'rule')}: ${broken.join(', ')}.`;
  return [said, `${id}: ${status}${took}.`, `Judged from its journal alone: ${from.join(', ')}.`].join('\n');
}

/** A rule is named once, however many checks there are of it. */
function checksText(checks: readonly Checked[]): string {
  return table(
    [
      { title: 'RULE' },
      { title: 'CHECKED', align: 'right' },
      { title: 'RESULT', align: 'right' },
      { title: 'WHAT HOLDS' },
    ],
    checks.map(({ rule, unit, cases, violations, promise }, i) => [
      checks[i - 1]?.rule === rule ? '' : rule,
      cases === 0 ? '-' : amount(cases, unit, plural(unit)),
      cases === 0 ? '' : violations.length === 0 ? 'ok' : `${violations.length} broken`,
      promise,
    ]),
  );
}

function plural(unit: Unit): string {
  return unit === 'batch' ? 'batches' : `${unit}s`;
}

function violationsText(violations: readonly Violation[]): string {
  return table(
    [{ title: 'RULE' }, { title: 'TIME' }, { title: 'WHERE' }, { title: 'WHAT' }],
    violations.map(({ rule, at, scaleSetId, instanceId, message }) => [
      rule,
      at === null ? '-' : time(at),
      [scaleSetId?.split('/').at(-1), instanceId].filter((part) => part).join('/'),
      message,
    ]),
    '  ',
  );
}

function openText({ open }: RolloutAudit): string {
  const lines = open.map(({ scaleSetId, since, batch }) => {
    const what = batch === null ? 'between two batches' : `in batch ${batch}`;
    return `  ${scaleSetId.split('/').at(-1)}: ${what}, since ${time(since)}`;
  });
  return section('Still under way, judged as far as they are:', lines.join('\n'));
}

function leftOutText({ counts: { leftOut } }: RolloutAudit): string {
  if (leftOut === 0) return '';
  return `! ${amount(leftOut, 'line')} could not be judged: the journal does not tell how their attempts began (they are of an earlier version).`;
}
