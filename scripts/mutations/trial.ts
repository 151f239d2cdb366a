import { AUDIT_TESTS, type Mutation } from './mutation.ts';
import { runTests, type FailedTest } from './run-tests.ts';
import type { Tree } from './tree.ts';

/** What became of a mutation. */
export type Verdict =
  | { kind: 'killed'; by: FailedTest; audited: boolean }
  /** All tests passed. */
  | { kind: 'survived' }
  /** Tests noticed it, and the audit of a rehearsed rollout did not. */
  | { kind: 'unaudited'; by: FailedTest }
  /** It proves nothing: tests could not be run, or ran into a mistake of the mutation itself. */
  | { kind: 'invalid'; why: string };

/** Puts the mutation into the tree and runs its tests. */
export function tryMutation(tree: Tree, mutation: Mutation): Promise<Verdict> {
  return tree.withMutation(mutation, async () => {
    const { failed, broken } = await runTests(tree.root, mutation.tests);
    const [by] = failed;
    if (by === undefined) return broken === null ? { kind: 'survived' } : { kind: 'invalid', why: broken };
    if (isMistake(by)) return { kind: 'invalid', why: by.message };
    if (mutation.audited !== true) return { kind: 'killed', by, audited: false };
    const audits = await runTests(tree.root, [AUDIT_TESTS], { bail: false });
    const audited = audits.failed.some(({ title }) => title.startsWith(`${mutation.rule} `));
    return audited ? { kind: 'killed', by, audited } : { kind: 'unaudited', by };
  });
}

/** A mutation that names what is not there would fail any test. */
function isMistake({ message }: FailedTest): boolean {
  return /^(ReferenceError|SyntaxError)\b/.test(message);
}
