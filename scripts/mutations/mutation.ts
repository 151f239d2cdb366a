import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One way to break a rule, and the tests that have to notice it. */
export interface Mutation {
  /** Of docs/rules.md: `B7`; or `REPLAY`, which recorded histories hold. */
  rule: string;
  /** What the broken program does, as a sentence. */
  what: string;
  /** The file that is changed, from the root of the repository. */
  file: string;
  /** Stands exactly once in the file. */
  find: string;
  replace: string;
  /** Test files of which one must fail: `domain/batching` is `test/domain/batching.test.ts`. */
  tests: readonly string[];
  /** The audit of a rehearsed rollout has to find the rule broken as well: see `AUDIT_TESTS`. */
  audited?: true;
}

/** Rules that must have a mutation; others of docs/rules.md may have one. */
const RULES: readonly string[] = [...numbered('B', 14), ...numbered('C', 10)];

/** Audits rollouts that are rehearsed; the name of each of its tests begins with the rule. */
export const AUDIT_TESTS = 'rehearsal/audited';

function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
}

/** The path of a test file from the root of the repository. */
export function testPath(name: string): string {
  return `test/${name}.test.ts`;
}

/** Rules that nothing breaks: a sentence of each, none if all is well. */
export function missingRules(mutations: readonly Mutation[]): string[] {
  const covered = new Set(mutations.map(({ rule }) => rule));
  return RULES.filter((rule) => !covered.has(rule)).map((rule) => `Rule ${rule} has no mutation.`);
}

/** What no longer fits the code: sentences, none if all is well. */
export function problemsOf(mutation: Mutation, root: string): string[] {
  const { rule, what, file, find, replace, tests } = mutation;
  const problems: string[] = [];
  const count = existsSync(join(root, file))
    ? readFileSync(join(root, file), 'utf8').split(find).length - 1
    : 0;
  if (count !== 1) problems.push(`this stands ${count} times in ${file}, and not once: ${find}`);
  if (find === replace) problems.push('it changes nothing');
  if (tests.length === 0) problems.push('it names no test');
  const missing = tests.map(testPath).filter((path) => !existsSync(join(root, path)));
  problems.push(...missing.map((path) => `there is no ${path}`));
  return problems.map((problem) => `${rule} "${what}": ${problem}`);
}

/** The text of the file with the mutation in it. */
export function mutated(source: string, { find, replace }: Mutation): string {
  // By a function: a replacement's text may hold `$&`.
  return source.replace(find, () => replace);
}
