import { Command, InvalidArgumentError, Option } from 'commander';
import { criticalPath } from './critical-path.ts';
import { rollOutEmpty } from './empty/roll-out.ts';
import { rollOutNaively } from './naive/roll-out.ts';
import { describe, summary, type Measured } from './report.ts';
import { unpairedRegions, type Shape } from './shape.ts';
import { openStage } from './stage.ts';
import { rollOut } from './system.ts';

/*
 * `npm run bench`: what rollouts cost, measured on one dev server with its database on a file, beside the same tree of workflows
 * with nothing to do and beside a plain implementation.
 */

interface Options {
  vms: number;
  growth: number[];
  naive: boolean;
  output: 'text' | 'json';
}

const REGIONS = 10;
const SET_SIZE = 100;
/** The largest set that Azure has (rule A3). */
const LARGEST_SET = 1_000;
const CRITICAL_PATH_VMS = 400;

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

const parseCounts = (text: string) => text.split(',').map(parseCount);

async function measure({ vms, growth, naive }: Options, tell: (text: string) => void): Promise<Measured> {
  const regions = unpairedRegions(REGIONS);
  const regional: Shape = { vms, setSize: SET_SIZE, zonal: false, regions };
  const grown = growth.map((size) => `growth-${size}`);
  const stage = await openStage(['system', 'empty', 'naive', 'zonal', 'single', ...grown]);
  try {
    tell(`this system, ${vms} VMs`);
    const system = await rollOut(stage, 'system', regional);
    tell('the same workflows with empty activities');
    const empty = await rollOutEmpty(stage, 'empty', regional);
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
      growing.push(await rollOut(stage, `growth-${size}`, shape, { countActions: false }));
    }
    tell('the critical path, under time skipping');
    const critical = await criticalPath({ ...regional, vms: CRITICAL_PATH_VMS, setSize: 20 });
    return { vms, system, empty, naive: plain, zonal, single, growth: growing, critical };
  } finally {
    await stage.stop();
  }
}

const options = parseOptions(process.argv.slice(2));
const measured = await measure(options, (text) => console.error(`${new Date().toISOString()}  ${text}`));
console.log(options.output === 'json' ? JSON.stringify(summary(measured)) : describe(measured));
