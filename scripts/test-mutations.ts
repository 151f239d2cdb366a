import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tryAll } from './mutations/campaign.ts';
import { MUTATIONS } from './mutations/index.ts';
import { missingRules, problemsOf, type Mutation } from './mutations/mutation.ts';
import { isKilled, markdown, resultText, summaryText } from './mutations/report.ts';

const HELP = `Breaks each rule on purpose, in copies of this repository, and fails where the tests still pass.

npm run test:mutations                      all mutations
npm run test:mutations -- --rule B7         those of a rule; may be repeated
npm run test:mutations -- --only pause      those whose sentence or file contains a text
npm run test:mutations -- --list            what there is, without running it
npm run test:mutations -- --markdown        the result as the table of docs/testing.md`;

const root = fileURLToPath(new URL('..', import.meta.url));

const { values } = parseArgs({
  options: {
    rule: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  if (values.help) return say(HELP);
  const rules = [...new Set(MUTATIONS.map(({ rule }) => rule))];
  const wanted = values.rule.map((rule) => rule.toUpperCase());
  const unknown = wanted.filter((rule) => !rules.includes(rule));
  if (unknown.length > 0) {
    return complain(`No mutation is of ${unknown.join(', ')}. There are some of ${rules.join(', ')}.`);
  }
  const chosen = MUTATIONS.filter((mutation) => isChosen(mutation, wanted));
  if (chosen.length === 0) return complain(`No mutation contains "${values.only}". --list shows them all.`);
  const problems = [
    ...(chosen.length === MUTATIONS.length ? missingRules(MUTATIONS) : []),
    ...chosen.flatMap((mutation) => problemsOf(mutation, root)),
  ];
  if (problems.length > 0) {
    return complain(`The list in scripts/mutations does not fit the code:\n  ${problems.join('\n  ')}`);
  }
  if (values.list) return say(chosen.map(({ rule, what }) => `${rule.padEnd(7)}${what}`).join('\n'));
  return run(chosen);
}

function isChosen({ rule, what, file }: Mutation, wanted: readonly string[]): boolean {
  const isOfRule = wanted.length === 0 || wanted.includes(rule);
  return isOfRule && `${what} ${file}`.toLowerCase().includes(values.only.toLowerCase());
}

async function run(mutations: readonly Mutation[]): Promise<number> {
  const began = performance.now();
  try {
    // The table alone goes to the file that the output is sent to.
    const progress = values.markdown ? console.error : console.log;
    const results = await tryAll(root, mutations, (result) => progress(resultText(result)));
    const elapsed = performance.now() - began;
    say(values.markdown ? markdown(results, elapsed, new Date()) : `\n${summaryText(results, elapsed)}`);
    return results.every(isKilled) ? 0 : 1;
  } catch (error) {
    return complain((error as Error).message, 1);
  }
}

function say(text: string): number {
  console.log(text);
  return 0;
}

function complain(text: string, code = 64): number {
  console.error(text);
  return code;
}
