import type { Audit } from '../../audit/index.ts';
import { humanDuration } from '../../domain/clock.ts';
import { endText } from '../../rehearsal/timeline/journal-lines.ts';
import { timelineText } from '../../rehearsal/timeline/timeline.ts';
import type { Difference, Rehearsed, SetResult } from '../index.ts';
import { amount, section, sections, table } from './text.ts';

/** A rehearsal as it is shown: without a timeline the story is left out. */
export type ShownRehearsal = Omit<Rehearsed, 'timeline'> & { timeline: Rehearsed['timeline'] | null };

/** A rehearsal for programs. */
export function rehearsalJson({ timeline, audit, rollouts, ...rest }: ShownRehearsal) {
  const { checks, violations, open, counts } = audit;
  return {
    ...rest,
    durationMs: rest.endedAt - rest.startedAt,
    asExpected: rest.differences === null ? null : rest.differences.length === 0,
    rollouts: rollouts.map(({ id, kind, action, status, reason, startedAt, endedAt }) => ({
      ...{ id, kind, action, status, reason, startedAt, endedAt },
    })),
    audit: { clean: violations.length === 0, checks: checks.length, violations, open, counts },
    ...(timeline === null ? {} : { timeline }),
  };
}

/** A rehearsal for people: the story, then how it came out. */
export function rehearsalText(rehearsed: ShownRehearsal): string {
  const { name, description, onCopy, timeline, scaleSets, audit, differences } = rehearsed;
  return sections(
    `${name}: ${description}`,
    timeline === null ? '' : timelineText(timeline),
    setsText(scaleSets),
    [
      outcomeText(rehearsed),
      auditLine(audit),
      `Rehearsed on ${onCopy ? 'a copy of the fleet' : "the scenario's own fleet"}: nothing real was touched.`,
    ].join('\n'),
    differences === null ? '' : differencesText(differences),
  );
}

/** More sets than these are counted where all went well. */
const MOST_SHOWN = 30;

const COUNTS = ['upgraded', 'restored', 'failed', 'quarantined', 'reverted'] as const;

function setsText(results: readonly SetResult[]): string {
  const wentWell = ({ status, restored, failed, quarantined }: SetResult) =>
    status === 'upgraded' && restored + failed + quarantined === 0;
  const shown = results.length <= MOST_SHOWN ? results : results.filter((one) => !wentWell(one));
  // What happened to nobody needs no column.
  const counts = COUNTS.filter((count) => count === 'upgraded' || shown.some((one) => one[count] > 0));
  const rows = shown.map((result) => [
    result.name,
    result.region,
    result.status ?? 'untouched',
    String(result.instances),
    ...counts.map((count) => String(result[count])),
    versionsText(result.versions),
    result.reason?.code ?? '',
  ]);
  const number = (title: string) => ({ title: title.toUpperCase(), align: 'right' as const });
  const columns = [
    ...[{ title: 'SCALE SET' }, { title: 'REGION' }, { title: 'RESULT' }, number('VMs')],
    ...counts.map(number),
    ...[{ title: 'RUNS' }, { title: 'WHY' }],
  ];
  const rest = results.length - shown.length;
  return [table(columns, rows), ...(rest > 0 ? [`and ${amount(rest, 'set')} more, upgraded`] : [])]
    .filter((part) => part !== '')
    .join('\n');
}

/** `22.04.202512050`, `8 on 22.04.202511010, 2 on 22.04.202512050` */
function versionsText(versions: Readonly<Record<string, number>>): string {
  const all = Object.entries(versions).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (all.length <= 1) return all[0]?.[0] ?? '';
  return all.map(([version, count]) => `${count} on ${version}`).join(', ');
}

function outcomeText({ outcome, reason, startedAt, endedAt }: ShownRehearsal): string {
  const after = outcome === 'Refused' ? '' : ` after ${humanDuration(endedAt - startedAt)} of virtual time`;
  if (reason === null) return `${outcome}${after}.`;
  return endText(`${outcome}${after}`, `${reason.code}: ${reason.message}`);
}

function auditLine({ checks, violations, counts }: Audit): string {
  if (violations.length === 0) {
    const cases = checks.filter((check) => check.cases > 0).length;
    const before = counts.leftOut === 0 ? '' : ', without what had begun before';
    return `Audit: all safety rules held (${cases} checks, ${amount(counts.lines, 'line')} of the journal${before}).`;
  }
  const lines = violations.map(({ rule, scaleSetId, instanceId, message }) => {
    const where = [scaleSetId?.split('/').at(-1), instanceId].filter(Boolean).join('/');
    return `  ${rule} ${where}: ${message}`;
  });
  return section(`Audit: ${amount(violations.length, 'violation')}:`, lines.join('\n'));
}

function differencesText(differences: readonly Difference[]): string {
  if (differences.length === 0) return 'It came out as the scenario expects.';
  const rows = differences.map(({ what, expected, actual }) => [what, expected, actual]);
  return section(
    'It did NOT come out as the scenario expects:',
    table([{ title: 'WHAT' }, { title: 'EXPECTED' }, { title: 'WAS' }], rows, '  '),
  );
}
