import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

/**
 * `npm run test:properties -- --runs 2000`: random rollouts, other ones every time. A failure says by which seed and path
 * it comes again: `npm run test:properties -- --seed 42 --path 17:0:3 --only operated`.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    seed: { type: 'string' },
    path: { type: 'string' },
    only: { type: 'string' },
  },
});

const { runs, path, seed = String(randomInt(2 ** 31 - 1)), only } = values;
if (!/^[1-9]\d*$/.test(runs) || !/^-?\d+$/.test(seed)) {
  console.error('Give whole numbers: --runs 2000 --seed 42.');
  process.exit(64);
}
console.log(`${runs} random rollouts, seed ${seed}`);
const vitest = spawn(
  'npx',
  ['vitest', 'run', '--project', 'properties', '--maxWorkers', '2', ...(only === undefined ? [] : [only])],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      PROPERTY_RUNS: runs,
      PROPERTY_SEED: seed,
      ...(path === undefined ? {} : { PROPERTY_PATH: path }),
    },
  },
);
vitest.on('exit', (code) => process.exit(code ?? 1));
