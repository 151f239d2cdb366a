import fc from 'fast-check';
import type { Case } from './case.ts';
import { runCase } from './run-case.ts';

/** How many runs a property gets: `PROPERTY_RUNS`, for all properties together. */
export const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 200);

/** Shrinking goes on for this long after the first failure: then what it has found is good enough. */
const SHRINK_MS = 30_000;

/**
 * Has rollouts run as random cases say, and looks for the smallest that breaks an invariant.
 * @param name of the test's file, to run it again
 * @param share of all runs
 * @returns what broke, with the way to have it happen again; null if nothing did
 */
export async function findCounterexample(
  name: string,
  cases: fc.Arbitrary<Case>,
  share: number,
): Promise<string | null> {
  let failedAt: number | null = null;
  const property = fc.asyncProperty(cases, async (given) => {
    // A pass ends the search for something smaller.
    if (failedAt !== null && performance.now() - failedAt > SHRINK_MS) return;
    try {
      await runCase(given);
    } catch (error) {
      failedAt ??= performance.now();
      throw error;
    }
  });
  const { PROPERTY_SEED, PROPERTY_PATH: path } = process.env;
  const details = await fc.check(property, {
    numRuns: Math.max(1, Math.round(RUNS * share)),
    // CI runs the same cases every time; `npm run test:properties` others.
    seed: Number(PROPERTY_SEED ?? 1),
    ...(path === undefined ? {} : { path }),
    includeErrorInReport: true,
  });
  if (!details.failed) return null;
  const again = `--seed ${details.seed} --path ${details.counterexamplePath} --only ${name}`;
  return `${fc.defaultReportMessage(details)}\n\nAgain: npm run test:properties -- ${again}`;
}
