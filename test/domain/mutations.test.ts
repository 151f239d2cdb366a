import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MUTATIONS } from '../../scripts/mutations/index.ts';
import { missingRules, mutated, problemsOf } from '../../scripts/mutations/mutation.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The list of `npm run test:mutations`, which is too slow to be run with every change. */
describe('the list of mutations', () => {
  it('has one at least for each of the rules B1 to B14 and C1 to C10', () => {
    expect(missingRules(MUTATIONS)).toEqual([]);
  });

  it('fits the code: each changes a text that stands exactly once in its file, and its tests are there', () => {
    expect(MUTATIONS.flatMap((mutation) => problemsOf(mutation, root))).toEqual([]);
  });

  it('tells its mutations apart by their sentences', () => {
    const told = MUTATIONS.map(({ rule, what }) => `${rule} ${what}`);
    expect(told.filter((one, i) => told.indexOf(one) !== i)).toEqual([]);
  });
});

describe('a mutation', () => {
  const one = {
    rule: 'B1',
    what: 'x',
    file: 'package.json',
    find: '"private"',
    replace: '$&',
    tests: ['domain/mutations'],
  };

  it('changes that text alone, to what it says to the letter', () => {
    expect(mutated('a "private" b', one)).toBe('a $& b');
  });

  it.each([
    ['a text that is not there', { find: 'no such text' }, 'stands 0 times in package.json'],
    ['a text that is there twice', { find: 'vitest' }, 'times in package.json'],
    ['a file that is not there', { file: 'src/none.ts' }, 'stands 0 times in src/none.ts'],
    ['no change', { replace: '"private"' }, 'changes nothing'],
    ['no test', { tests: [] }, 'names no test'],
    ['a test that is not there', { tests: ['domain/none'] }, 'there is no test/domain/none.test.ts'],
  ])('is refused with %s', (_, change, problem) => {
    expect(problemsOf(one, root)).toEqual([]);
    expect(problemsOf({ ...one, ...change }, root)).toEqual([expect.stringContaining(problem)]);
  });
});
