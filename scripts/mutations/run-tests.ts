import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { testPath } from './mutation.ts';

export interface FailedTest {
  /** With the blocks that it is in. */
  name: string;
  /** Its own name. */
  title: string;
  file: string;
  message: string;
}

export interface TestRun {
  passed: number;
  failed: FailedTest[];
  /** What kept tests from running at all: files that cannot be loaded, a run that does not end. */
  broken: string | null;
}

/** The part of vitest's JSON report that is read. */
interface Report {
  numPassedTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; title: string; fullName: string; failureMessages: string[] }[];
  }[];
}

/** No test file takes a quarter of it: a mutation has made a test go on for ever. */
const LONGEST_MS_A_FILE = 120_000;

/** Every test but those on PostgreSQL, which take too long. */
const NAMES = String.raw`^(?!.*\(postgres\))`;

const running = new Set<ChildProcess>();

/**
 * Runs test files in a tree by vitest.
 * @param bail stops at the first test that fails
 */
export async function runTests(
  root: string,
  tests: readonly string[],
  { bail = true } = {},
): Promise<TestRun> {
  const outputFile = join(root, 'test-report.json');
  rmSync(outputFile, { force: true });
  const log = await vitest(root, tests.length * LONGEST_MS_A_FILE, [
    'run',
    ...tests.map(testPath),
    '--maxWorkers=1',
    '--cache=false',
    '--reporter=json',
    `--outputFile=${outputFile}`,
    `--testNamePattern=${NAMES}`,
    ...(bail ? ['--bail=1'] : []),
  ]);
  return read(outputFile, root) ?? { passed: 0, failed: [], broken: log.trim() || 'It did not end.' };
}

function vitest(root: string, longest: number, args: string[]): Promise<string> {
  return new Promise((resolve) => {
    // In a group of its own, so that its workers end with it.
    const child = spawn(process.execPath, ['node_modules/vitest/vitest.mjs', ...args], {
      cwd: root,
      detached: true,
      env: { ...process.env, PROPERTY_RUNS: '10', PROPERTY_SEED: '1', NO_COLOR: '1' },
    });
    let log = '';
    child.stdout.on('data', (text: Buffer) => (log += text.toString()));
    child.stderr.on('data', (text: Buffer) => (log += text.toString()));
    running.add(child);
    const tooLong = setTimeout(() => stop(child), longest);
    child.on('close', () => {
      clearTimeout(tooLong);
      running.delete(child);
      resolve(log);
    });
  });
}

function stop({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Ends whatever still runs. */
export function stopAll(): void {
  for (const child of running) stop(child);
}

function read(file: string, root: string): TestRun | null {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  } catch {
    return null;
  }
  const failed = report.testResults.flatMap(({ name: path, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ title, fullName: name, failureMessages }) => {
        const file = path.replace(`${root}/test/`, '').replace('.test.ts', '');
        return { name, title, file, message: failureMessages.join('\n') };
      }),
  );
  // A file that cannot be loaded, or whose set-up fails, has no failed test.
  const unrun = report.testResults.find(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed,
    broken: unrun ? unrun.message || 'Its set-up failed.' : null,
  };
}
