import { AUDIT_TESTS, type Mutation } from './mutation.ts';
import { runTests, stopAll } from './run-tests.ts';
import { copyTree, type Tree } from './tree.ts';
import { tryMutation, type Verdict } from './trial.ts';

/** A mutation, and what became of it. */
export interface Result {
  mutation: Mutation;
  verdict: Verdict;
}

/** So many mutations are tried at a time, each in a copy of the repository of its own. */
const TREES = 2;

/**
 * Tries mutations, once it is known that their tests pass without any.
 * @param tell gets each result, in the order of the mutations, as soon as all before it are known
 * @throws Error that names a test which fails anyway
 */
export async function tryAll(
  repository: string,
  mutations: readonly Mutation[],
  tell: (result: Result) => void,
): Promise<Result[]> {
  const trees = Array.from({ length: Math.min(TREES, mutations.length) }, () => copyTree(repository));
  const cleanUp = () => {
    stopAll();
    for (const tree of trees) tree.remove();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      cleanUp();
      process.exit(130);
    });
  }
  try {
    await passWithoutMutation(trees, mutations);
    return await tryEach(trees, mutations, tell);
  } finally {
    cleanUp();
  }
}

/** A test that fails anyway would kill every mutation. */
async function passWithoutMutation(trees: readonly Tree[], mutations: readonly Mutation[]): Promise<void> {
  const audits = mutations.some(({ audited }) => audited) ? [AUDIT_TESTS] : [];
  const tests = [...new Set([...mutations.flatMap((mutation) => mutation.tests), ...audits])];
  const runs = await Promise.all(
    trees
      .map(({ root }, i) => ({ root, share: tests.filter((_, n) => n % trees.length === i) }))
      .filter(({ share }) => share.length > 0)
      .map(({ root, share }) => runTests(root, share)),
  );
  for (const { failed, broken, passed } of runs) {
    const [first] = failed;
    const why = first ? `${first.file}: ${first.name}\n${first.message}` : broken;
    if (why !== null || passed === 0) {
      throw new Error(`The tests fail without any mutation:\n${(why ?? 'No test was run.').slice(0, 2_000)}`);
    }
  }
}

/** All mutations, each tree taking the next. */
async function tryEach(
  trees: readonly Tree[],
  mutations: readonly Mutation[],
  tell: (result: Result) => void,
): Promise<Result[]> {
  const done = new Map<Mutation, Result>();
  const results: Result[] = [];
  const tellInOrder = () => {
    for (const mutation of mutations.slice(results.length)) {
      const result = done.get(mutation);
      if (result === undefined) return;
      results.push(result);
      tell(result);
    }
  };
  const waiting = [...mutations];
  await Promise.all(
    trees.map(async (tree) => {
      for (let mutation = waiting.shift(); mutation; mutation = waiting.shift()) {
        done.set(mutation, { mutation, verdict: await tryMutation(tree, mutation) });
        tellInOrder();
      }
    }),
  );
  return results;
}
