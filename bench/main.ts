import { Command, InvalidArgumentError, Option } from 'commander';
import { criticalPath } from './critical-path.ts';
import { rollOutEmpty } from './empty/roll-out.ts';
import { largeRegion } from './large-region.ts';
import { rollOutNaively } from './naive/roll-out.ts';
import { describe, summary, type Measured } from './report.ts';
import { unpairedRegions, type Shape } from './shape.ts';
import type { RolloutFigures } from './rollout.ts';
import { openStage } from './stage.ts';
import { rollOut } from './system.ts';

/*
 * `npm run bench`: what rollouts cost, measured on one dev server with its database on a file, beside the same tree of workflows
 * with nothing to do and beside a plain implementation.
 */

interface Options {
  vms: number;
  growth: number[];
  turns: number;
  region?: number;
  naive: boolean;
  output: 'text' | 'json';
}

const REGIONS = 10;
const SET_SIZE = 100;
/** The largest set that Azure has (rule A3). */
const LARGEST_SET = 1_000;
const CRITICAL_PATH_VMS = 400;
/** Of each region while the fleet grows: memory follows what is under way, so this is the same for all sizes. */
const SETS_AT_A_TIME = 10;

function parseOptions(args: readonly string[]): Options {
  return new Command('npm run bench --')
    .description('Measures rollouts with all waits at zero, and their waits under time skipping.')
    .option('--vms <number>', 'VMs of the fleet, in sets of 100', parseCount, 10_000)
    .option(
      '--growth <numbers>',
      'sizes of fleets to see what grows, with commas between',
      parseCounts,
      [1_000, 10_000, 100_000],
    )
    .option('--turns <number>', 'how often the system and the empty tree take turns', parseTurns, 3)
    .option(
      '--region <sets>',
      'instead of all else: a region of so many sets of one VM each, in memory',
      parseCount,
    )
    .option('--no-naive', 'leave the plain implementation out, which takes longest')
    .addOption(new Option('--output <format>').choices(['text', 'json']).default('text'))
    .addHelpText('after', '\nTakes about 20 minutes on two cores; --vms 1000 --growth 1000 one.')
    .parse(args, { from: 'user' })
    .opts<Options>();
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < SET_SIZE)
    throw new InvalidArgumentError(`Give a whole number of VMs from ${SET_SIZE}.`);
  return count;
}

function parseTurns(text: string): number {
  const turns = Number(text);
  if (!Number.isInteger(turns) || turns < 1) throw new InvalidArgumentError('Give a whole number from 1.');
  return turns;
}

const parseCounts = (text: string) => text.split(',').map(parseCount);

async function measure(
  { vms, growth, turns, naive }: Options,
  tell: (text: string) => void,
): Promise<Measured> {
  const regions = unpairedRegions(REGIONS);
  const regional: Shape = { vms, setSize: SET_SIZE, zonal: false, regions };
  const grown = growth.map((size) => `growth-${size}`);
  const numbers = Array.from({ length: turns }, (_, i) => i + 1);
  const alternating = numbers.flatMap((turn) => [`system-${turn}`, `empty-${turn}`]);
  const stage = await openStage([...alternating, 'naive', 'zonal', 'single', ...grown]);
  try {
    const systems: RolloutFigures[] = [];
    const empties: RolloutFigures[] = [];
    for (const turn of numbers) {
      tell(`this system, ${vms} VMs, turn ${turn}`);
      systems.push(await rollOut(stage, `system-${turn}`, regional));
      tell(`the same workflows with empty activities, turn ${turn}`);
      empties.push(await rollOutEmpty(stage, `empty-${turn}`, regional));
    }
    const system = medianOf(systems);
    const empty = medianOf(empties);
    if (empty.workflows !== system.workflows)
      throw new Error(`The trees differ: ${system.workflows} and ${empty.workflows} workflows.`);
    tell('this system, sets over three zones');
    const zonal = await rollOut(stage, 'zonal', { ...regional, zonal: true });
    tell(`this system, one set of ${LARGEST_SET} VMs`);
    const one = { ...regional, vms: LARGEST_SET, setSize: LARGEST_SET, regions: regions.slice(0, 1) };
    const single = await rollOut(stage, 'single', one);
    if (naive) tell('one activity per VM and step');
    const plain = naive ? await rollOutNaively(stage, 'naive', regional) : undefined;
    const growing = [];
    for (const size of growth) {
      tell(`this system, ${size} VMs`);
      const shape = { ...regional, vms: size };
      const settings = { maxConcurrentScaleSets: SETS_AT_A_TIME };
      growing.push(await rollOut(stage, `growth-${size}`, shape, { countActions: false, settings }));
    }
    tell('the critical path, under time skipping');
    const critical = await criticalPath({ ...regional, vms: CRITICAL_PATH_VMS, setSize: 20 });
    const took = systems.map(({ vmsPerSecond }, i) => ({
      system: vmsPerSecond,
      empty: empties[i]?.vmsPerSecond ?? 0,
    }));
    return { vms, system, empty, turns: took, naive: plain, zonal, single, growth: growing, critical };
  } finally {
    await stage.stop();
  }
}

/** The run of the middle: a machine that others use as well is not as fast at one time as at another. */
function medianOf(runs: readonly RolloutFigures[]): RolloutFigures {
  const sorted = runs.toSorted((a, b) => a.vmsPerSecond - b.vmsPerSecond);
  return sorted[Math.floor((sorted.length - 1) / 2)] as RolloutFigures;
}

const options = parseOptions(process.argv.slice(2));
if (options.region === undefined) {
  const measured = await measure(options, (text) => console.error(`${new Date().toISOString()}  ${text}`));
  console.log(options.output === 'json' ? JSON.stringify(summary(measured)) : describe(measured));
} else {
  console.log(JSON.stringify(await largeRegion(options.region)));
}
