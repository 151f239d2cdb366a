import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REPORT_FILE, RESULTS_FOLDER } from './folders.ts';

/** One thing that was done to the system, and what is proved by that. */
export interface Survived {
  /** What kind of thing: the heading under which it stands. */
  group: string;
  /** What was done: `swapOsDisks, after-write, 1st time`. */
  kill: string;
  passed: boolean;
  /** How it went on, in words. */
  proved: string;
  /** From the making of its fleet to the last check. */
  tookMs: number;
}

/** Writes down how a case went, in a file of its own: cases run in several processes. */
export async function record(result: Survived): Promise<void> {
  await mkdir(RESULTS_FOLDER, { recursive: true });
  const name = `${result.group} ${result.kill}`.replaceAll(/[^\w]+/g, '-');
  await writeFile(join(RESULTS_FOLDER, `${name}.json`), JSON.stringify(result));
}

/** Prints what was recorded as Markdown tables, and keeps it as JSON. */
export async function printReport(): Promise<void> {
  const names = await readdir(RESULTS_FOLDER).catch(() => []);
  const results = await Promise.all(
    names
      .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .map(async (name) => {
        return JSON.parse(await readFile(join(RESULTS_FOLDER, name), 'utf8')) as Survived;
      }),
  );
  if (results.length === 0) return;
  await writeFile(REPORT_FILE, `${JSON.stringify(results, null, 2)}\n`);
  const groups = [...new Set(results.map((result) => result.group))];
  const failed = results.filter((result) => !result.passed).length;
  const text = groups.map((group) =>
    [`### ${group}`, ...table(results.filter((result) => result.group === group))].join('\n'),
  );
  const sum = `${results.length} kills, ${results.length - failed} survived, ${failed} not. As data: ${REPORT_FILE}`;
  console.log(['', ...text, sum, ''].join('\n\n'));
}

function table(results: readonly Survived[]): string[] {
  const rows = [
    ['what was done', 'survived', 'what followed', 'took'],
    ...results.map(({ kill, passed, proved, tookMs }) => [
      kill,
      passed ? 'yes' : 'NO',
      proved.replaceAll('|', '/'),
      `${(tookMs / 1000).toFixed(0)} s`,
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [head = [], ...body] = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)));
  return ['', line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}
