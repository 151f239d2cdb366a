import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Case } from '../properties/case.ts';
import { disturbedCase, operatedCase, quietCase, type Sizes } from '../properties/random-case.ts';
import { openRealWorker, type RealWorker } from '../properties/real-worker.ts';
import { realWorkflows } from '../properties/real-workflows.ts';
import { runCase } from '../properties/run-case.ts';

/*
 * The random rollouts of `test/properties`, small ones, by the workflows on a worker. Other ones than here:
 * `SEEDS=21-60 npx vitest run --project workflows random-rollouts`.
 */

/** Every batch takes the workflows a tenth of a second. */
const SMALL: Sizes = { sets: { min: 2, max: 4 }, capacities: [6, 1, 3, 5, 9, 12] };

/** By turns: seed 3 is of the first kind, 4 of the second. */
const KINDS = [
  { name: 'nobody disturbs', cases: quietCase(SMALL) },
  { name: 'people give orders and the fleet changes', cases: operatedCase(SMALL) },
  { name: 'workers die and workflows are cancelled', cases: disturbedCase(SMALL) },
] as const;

const [first = 1, last = first] = (process.env['SEEDS'] ?? '1-20').split('-').map(Number);
const seeds = Array.from({ length: last - first + 1 }, (_, i) => first + i);

let worker: RealWorker | null = null;
afterEach(async ({ task }) => {
  // What a failed one left behind must not fail those after it.
  if (task.result?.state === 'fail') await endWorker();
});
afterAll(endWorker);

async function endWorker(): Promise<void> {
  const ending = worker;
  worker = null;
  await ending?.close().catch(() => undefined);
}

describe('every rule holds (B1 to B12, C1, C4, D1, D4, E4) while', () => {
  for (const seed of seeds) {
    const { name, cases } = KINDS[seed % KINDS.length] as (typeof KINDS)[number];
    it(`${name}: seed ${seed}`, async () => {
      const given = caseOf(cases, seed);
      await explained(given, seed, async () => {
        worker ??= await openRealWorker();
        const { instances } = await runCase(given, realWorkflows(worker));
        if (cases !== KINDS[0].cases) return;
        // The interpreter is only worth something as long as it does what the workflows do.
        expect((await runCase(given)).instances, 'how the interpreter ends').toEqual(instances);
      });
    });
  }
});

/** The first case of a seed in which something is to be upgraded. */
function caseOf(cases: fc.Arbitrary<Case>, seed: number): Case {
  const [given] = fc.sample(cases.filter(hasWork), { seed, numRuns: 1 });
  return given as Case;
}

function hasWork({ sets, rollouts }: Case): boolean {
  const images = new Set(rollouts.map((one) => one.image));
  return sets.some((set) => set.optedIn && set.health !== 'none' && !set.upToDate && images.has(set.image));
}

async function explained<T>(given: Case, seed: number, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const again = `Again: SEEDS=${seed} npx vitest run --project workflows random-rollouts`;
    const { message } = error as Error;
    throw new Error(`${message}\n\n${JSON.stringify(given)}\n\n${again}`, { cause: error });
  }
}
