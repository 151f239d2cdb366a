import type { Command } from 'commander';
import { isoTime } from '../../../domain/clock.ts';
import { DEFAULT_FLEET, importFiles, seed, UsageError, viewFleet, type FleetView } from '../../index.ts';
import type { Imported, SeededFleet } from '../../../fleet/index.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { addImages } from './images.ts';
import { addFleetChanges } from './fleet-changes.ts';
import { addResourceCommands } from './resources.ts';
import { fleetText } from '../fleet-text.ts';
import { decimalNumber, wholeNumber } from '../options.ts';
import { columnsOf } from '../terminal.ts';
import { amount } from '../text.ts';

interface SeedOptions extends CommonOptions {
  regions?: number;
  scaleSets?: number;
  instances?: number;
  seed?: string;
  speed?: number;
  force?: true;
}

interface ImportOptions extends CommonOptions {
  scaleSets: string;
  instances: string[];
  loadBalancers?: string;
  clusters?: string;
}

interface ShowOptions extends CommonOptions {
  region?: string;
  scaleSet?: string;
  instances?: true;
}

/** `rollouts fleet seed | import | show`, and what changes a fleet. */
export function addFleetCommands(program: Command, cli: Cli): void {
  const fleet = program
    .command('fleet')
    .summary('make a simulated fleet, look at it, or change it')
    .description(
      'Makes a simulated fleet, takes over a real one, shows what is there, or does to it what owners do.',
    );
  addSeed(fleet, cli);
  addImport(fleet, cli);
  addShow(fleet, cli);
  addImages(fleet, cli);
  addFleetChanges(fleet, cli);
  addResourceCommands(fleet, cli);
}

function addSeed(fleet: Command, cli: Cli): void {
  const command = fleet
    .command('seed')
    .summary('make a simulated fleet, from a file or by numbers')
    .description(
      'Makes a simulated fleet in an empty database: from a description such as those in examples/fleets, or one of so many regions, scale sets and VMs, which the seed decides about.',
    )
    .argument('[file]', 'a description in JSON')
    .option(
      '--regions <number>',
      `how many of Azure's regions (default: ${DEFAULT_FLEET.regions})`,
      wholeNumber(1, 200),
    )
    .option('--scale-sets <number>', `default: ${DEFAULT_FLEET.scaleSets}`, wholeNumber(1, 100_000))
    .option(
      '--instances <number>',
      `VMs in all (default: ${DEFAULT_FLEET.instances})`,
      wholeNumber(1, 10_000_000),
    )
    .option('--seed <text>', `the same seed makes the same fleet (default: ${DEFAULT_FLEET.seed})`)
    .option(
      '--speed <factor>',
      'how much faster than wall time its clock runs',
      decimalNumber(0.001, 1_000_000),
    )
    .option('--force', 'take the place of a fleet that is there; the journal is kept')
    .action(async (file: string | undefined, options: SeedOptions) => {
      const { force, speed } = options;
      const generate = numbersOf(file, options);
      const seeded = await cli.with((rollouts) => seed(rollouts, { file, generate, speed, force }));
      answer(cli, options, seeded, seededText);
    });
  withCommon(command, [
    'fleet seed examples/fleets/small.json',
    'fleet seed --regions 8 --scale-sets 40 --instances 800 --seed 7 --speed 120',
  ]);
}

function numbersOf(file: string | undefined, options: SeedOptions) {
  const { regions, scaleSets, instances } = options;
  const numbers = [regions, scaleSets, instances, options.seed];
  if (file === undefined) {
    const given = { regions, scaleSets, instances, seed: options.seed };
    return {
      ...DEFAULT_FLEET,
      ...Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)),
    };
  }
  if (numbers.some((number) => number !== undefined)) {
    throw new UsageError(
      `${file} describes the fleet: leave --regions, --scale-sets, --instances and --seed out, or the file.`,
    );
  }
  return undefined;
}

function seededText({ regions, scaleSets, instances, epochVirtual }: SeededFleet): string {
  return [
    `A fleet of ${amount(instances, 'VM')} in ${amount(scaleSets, 'scale set')} and ${amount(regions, 'region')}; its clock begins at ${isoTime(epochVirtual)}.`,
    'See it by `rollouts fleet show`; publish a version by `rollouts publish <image> <version>`.',
  ].join('\n');
}

function addImport(fleet: Command, cli: Cli): void {
  const command = fleet
    .command('import')
    .summary('take over real scale sets, as the az CLI lists them')
    .description(
      'Adds simulated scale sets like real ones, from the JSON of `az vmss list` and of `az vmss list-instances` for each (`--expand instanceView` tells more).',
    )
    .requiredOption('--scale-sets <file>', 'the JSON of `az vmss list`')
    .requiredOption('--instances <files...>', 'the JSON of `az vmss list-instances`, one file or several')
    .option('--load-balancers <file>', 'the JSON of `az network lb list`, for the health probes of the sets')
    .option(
      '--clusters <file>',
      'the JSON of `az sf cluster list`, for sets that are Service Fabric node types',
    )
    .action(async (options: ImportOptions) => {
      const imported = await cli.with((rollouts) => importFiles(rollouts, options));
      answer(cli, options, imported, importedText);
    });
  withCommon(command, [
    'fleet import --scale-sets vmss.json --instances web.json api.json --load-balancers lb.json',
  ]);
}

function importedText({ scaleSets, instances, notes }: Imported): string {
  return [
    `Imported ${amount(scaleSets, 'scale set')} with ${amount(instances, 'VM')}.`,
    ...notes.map((note) => `Note: ${note}`),
  ].join('\n');
}

function addShow(fleet: Command, cli: Cli): void {
  const command = fleet
    .command('show')
    .summary('the fleet as it is now')
    .description(
      'Shows regions and scale sets with the versions and the health of their VMs, as they are now.',
    )
    .option('--region <name>', 'only this region')
    .option('--scale-set <id>', 'only this scale set, by name or ARM id')
    .option('--instances', 'every VM, and not only their counts')
    .action(async (options: ShowOptions) => {
      const view = await cli.with((rollouts) => viewFleet(rollouts, options));
      const columns = Math.min(columnsOf(cli.terminal), 120);
      answer<FleetView>(cli, options, view, (shown) => fleetText(shown, columns));
    });
  withCommon(command, [
    'fleet show',
    'fleet show --scale-set web --instances',
    'fleet show --output json --instances > fleet.json',
  ]);
}
