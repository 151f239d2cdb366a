import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { operationErrorCodes } from '../../src/domain/operation.ts';
import { stopCodes } from '../../src/domain/stop-codes.ts';
import { LEDGER_FAMILIES } from '../../src/telemetry/ledger-families.ts';
import { alerts, dashboard, expressions } from '../support/observability.ts';
import { metricsIn } from '../support/promql.ts';

const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const runbook = textOf('docs/runbook.md');

/** As a web page names them. */
const headings = (text: string) => [...text.matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '');
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .replaceAll(/\s/g, '-');

/** What the runbook has a section or a row for. */
const explained = new Set([
  ...headings(runbook),
  ...[...runbook.matchAll(/^\| `(\w+)`/gm)].map((match) => match[1] ?? ''),
]);

/** Codes that stand in the sources as `code: 'X'`, in the type of the codes of eligibility, or before the text of an error. */
function codesIn(path: string): string[] {
  const text = textOf(path);
  const patterns = [/\bcode: '([A-Z]\w+)'/g, /^ {2}\| '([A-Z]\w+)'/gm, /['"`]([A-Z]\w+): [a-z]/g];
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] ?? ''));
}

const SOURCES_OF_CODES = [
  'src/domain/eligibility.ts',
  'src/domain/health-source.ts',
  'src/domain/service-fabric.ts',
  'src/domain/left-alone.ts',
  'src/activities/health.ts',
  'src/activities/open-attempt.ts',
  'src/activities/region.ts',
  'src/activities/revert-scan.ts',
  'src/workflows/image-rollout.ts',
  'src/workflows/loops/halt.ts',
];

describe('the runbook', () => {
  it.each([...Object.values(stopCodes), ...Object.values(operationErrorCodes)])('explains %s', (code) => {
    expect(explained).toContain(code);
  });

  it('explains every code that the sources give a set or a VM', () => {
    const codes = SOURCES_OF_CODES.flatMap(codesIn);
    expect(codes.length).toBeGreaterThan(35);
    expect(codes.filter((code) => !explained.has(code))).toEqual([]);
  });

  it('says in every section of an alert or a reason what it means, where to look and what to do', () => {
    const sections = runbook.split(/^### /m).slice(1);
    const incomplete = sections.filter(
      (section) =>
        !(section.includes('**Means:**') && /\*\*Look/.test(section) && /\*\*.*[Dd]o:\*\*/.test(section)),
    );
    expect(incomplete).toEqual([]);
  });

  it('links to headings that there are', () => {
    const targets = [...runbook.matchAll(/\]\(([\w.]*)#([\w-]+)\)/g)];
    const missing = targets.filter(([, file, id]) => {
      const page = file === '' ? runbook : textOf(`docs/${file}`);
      return !headings(page)
        .map(anchor)
        .includes(id ?? '');
    });
    expect(missing.map(([link]) => link)).toEqual([]);
  });
});

describe('alerts', () => {
  it.each(alerts().map((each) => [each.alert, each] as const))(
    '%s has a severity, a summary and its section of the runbook',
    (name, { labels, annotations }) => {
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
      expect(annotations.summary).not.toBe('');
      expect(annotations.runbook).toBe(`docs/runbook.md#${name.toLowerCase()}`);
      expect(headings(runbook)).toContain(name);
    },
  );
});

describe('expressions of alerts and panels', () => {
  it.each(expressions().map(({ where, expr }) => [where, expr] as const))('%s is PromQL', (_, expr) => {
    expect(metricsIn(expr).length).toBeGreaterThan(0);
  });

  it('ask for labels that the metrics of the ledger have', () => {
    const known = new Map(LEDGER_FAMILIES.map(({ name, labels }) => [name, labels]));
    const unknown = expressions().flatMap(({ where, expr }) =>
      metricsIn(expr).flatMap(({ name, labels }) =>
        labels
          .filter((label) => known.has(name) && !known.get(name)?.includes(label))
          .map((label) => `${where}: ${name}{${label}}`),
      ),
    );
    expect(unknown).toEqual([]);
  });

  it('show every metric of the ledger somewhere', () => {
    const shown = new Set(expressions().flatMap(({ expr }) => metricsIn(expr).map(({ name }) => name)));
    expect(LEDGER_FAMILIES.filter(({ name }) => !shown.has(name)).map(({ name }) => name)).toEqual([]);
  });

  it('are refused when they are no PromQL', () => {
    expect(() => metricsIn('sum by (rate(x[5m])')).toThrow('no PromQL');
    expect(metricsIn('sum(rate(a{b="c", d=~"$e"}[$__rate_interval])) > f')).toEqual([
      { name: 'a', labels: ['b', 'd'] },
      { name: 'f', labels: [] },
    ]);
  });
});

describe('the dashboard', () => {
  const { panels, templating } = dashboard();

  it('has panels of their own ids and places', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });

  it('uses variables that it defines', () => {
    const defined = new Set(templating.list.map(({ name }) => name));
    const used = JSON.stringify(panels).matchAll(/\$\{?(\w+)\}?/g);
    const unknown = [...used].map((match) => match[1] ?? '').filter((name) => !name.startsWith('__'));
    expect(unknown.filter((name) => !defined.has(name))).toEqual([]);
    expect(unknown.length).toBeGreaterThan(0);
  });
});
