import type { Outcome, Rehearsed } from './rehearse.ts';
import type { Expectation, SetExpectation } from './scenario.ts';
import type { SetResult } from './results.ts';

/** Where a rehearsal came out otherwise than its scenario expects. */
export interface Difference {
  /** `outcome`, `web: restored`, `actions[2]` */
  what: string;
  expected: string;
  actual: string;
}

type Ended = Pick<Rehearsed, 'outcome' | 'reason' | 'scaleSets' | 'actions'>;

/** What is not as expected; only of what the expectation names. Actions are expected to succeed unless they say otherwise. */
export function differencesOf(expected: Expectation, ended: Ended): Difference[] {
  const code = ended.reason?.code;
  return [
    ...differ('outcome', expected.outcome, ended.outcome satisfies Outcome),
    ...(expected.code === undefined ? [] : differ('code', expected.code, code)),
    ...Object.entries(expected.scaleSets).flatMap(([name, wanted]) => ofSet(name, wanted, ended.scaleSets)),
    ...ended.actions.flatMap(({ index, expectedRefusal, refusal }) =>
      differ(`actions[${index}]`, expectedRefusal ?? 'done', refusal?.code ?? 'done', refusal?.message),
    ),
  ];
}

function ofSet(name: string, wanted: SetExpectation, results: readonly SetResult[]): Difference[] {
  const key = name.toLowerCase();
  const result = results.find((one) => [one.name, one.scaleSetId].some((id) => id.toLowerCase() === key));
  if (result === undefined) return [{ what: name, expected: 'a result', actual: 'nothing was done with it' }];
  const actual = { ...result, status: result.status ?? 'none', code: result.reason?.code };
  return Object.entries(wanted).flatMap(([field, value]) =>
    differ(`${name}: ${field}`, value, actual[field as keyof SetExpectation]),
  );
}

type Value = string | number | Record<string, number> | undefined;

function differ(what: string, expected: Value, actual: Value, more?: string): Difference[] {
  const [wanted, got] = [textOf(expected), textOf(actual)];
  return wanted === got
    ? []
    : [{ what, expected: wanted, actual: more === undefined ? got : `${got}: ${more}` }];
}

/** `7`, `Completed`, `3 on 1.0.0, 7 on 1.0.1` */
function textOf(value: Value): string {
  if (value === undefined) return 'none';
  if (typeof value !== 'object') return String(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([version, count]) => `${count} on ${version}`).join(', ') || 'none';
}
