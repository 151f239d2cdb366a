import type { Result } from './campaign.ts';
import type { Verdict } from './trial.ts';

/** One result for people, of one line or a few. */
export function resultText({ mutation: { rule, what, tests }, verdict }: Result): string {
  return `${rule.padEnd(7)}${what}\n      ${verdictText(verdict, tests)}`;
}

function verdictText(verdict: Verdict, tests: readonly string[]): string {
  switch (verdict.kind) {
    case 'killed':
      return `killed by ${verdict.by.file}: ${verdict.by.name}${verdict.audited ? '; the audit reports it' : ''}`;
    case 'survived':
      return `SURVIVED: the tests of ${tests.join(', ')} pass`;
    case 'unaudited':
      return `NOT AUDITED: killed by ${verdict.by.file}: ${verdict.by.name}, and the audit of rehearsed rollouts finds nothing`;
    case 'invalid':
      return `INVALID: it proves nothing, since tests could not be run: ${verdict.why.slice(0, 1_000)}`;
  }
}

/** True when the tests, and where it was asked for the audit, have noticed the mutation. */
export function isKilled({ verdict }: Result): boolean {
  return verdict.kind === 'killed';
}

/** The last lines: counts, and what was not noticed. */
export function summaryText(results: readonly Result[], elapsedMs: number): string {
  const killed = results.filter(isKilled).length;
  const audited = results.filter(isAudited).length;
  const rules = new Set(results.map(({ mutation }) => mutation.rule)).size;
  const counts = `${results.length} mutations of ${rules} rules: ${killed} killed, ${results.length - killed} not; the audit reports ${audited} of them. ${durationText(elapsedMs)}.`;
  const rest = results.filter((result) => !isKilled(result)).map(resultText);
  return [counts, ...rest].join('\n\n');
}

/** The result as a table for docs/testing.md. */
export function markdown(results: readonly Result[], elapsedMs: number, date: Date): string {
  const rules = [...new Set(results.map(({ mutation }) => mutation.rule))];
  const rows = rules.map((rule) => {
    const own = results.filter(({ mutation }) => mutation.rule === rule);
    return `| ${rule} | ${own.length} | ${own.filter(isKilled).length} | ${own.filter(isAudited).length || ''} |`;
  });
  const all = `| all | ${results.length} | ${results.filter(isKilled).length} | ${results.filter(isAudited).length} |`;
  return [
    `${date.toISOString().slice(0, 10)}, two at a time, ${durationText(elapsedMs)}:`,
    '',
    '| rule | mutations | killed | reported by the audit as well |',
    '| --- | --- | --- | --- |',
    ...rows,
    all,
  ].join('\n');
}

function isAudited({ verdict }: Result): boolean {
  return verdict.kind === 'killed' && verdict.audited;
}

function durationText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
