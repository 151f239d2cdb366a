import { Command, InvalidArgumentError, Option } from 'commander';

/** `npm run demo -- ...` */
export interface DemoOptions {
  /** Leave everything running at the end. */
  readonly keep: boolean;
  readonly output: 'text' | 'json';
  /** Virtual milliseconds in a wall millisecond; the demo's own if absent. */
  readonly speed?: number;
  /** The fleet's description. */
  readonly fleet?: string;
  readonly seed?: string;
}

/** @throws CommanderError for a wrong command line, after it has told the person */
export function parseOptions(args: readonly string[]): DemoOptions {
  return new Command('npm run demo --')
    .description(
      'Rolls a new image out over a simulated fleet, with everything embedded: a Temporal server, a worker and the API.',
    )
    .option('--keep', 'leave everything running at the end, to look at it', false)
    .addOption(
      new Option('--output <kind>', 'json: one line of JSON on standard output, all else on standard error')
        .choices(['text', 'json'])
        .default('text'),
    )
    .option('--speed <number>', 'how many times as fast as real time the fleet lives', parseSpeed)
    .option('--fleet <file>', "the fleet's description (default: examples/fleets/demo.json)")
    .option('--seed <text>', 'another seed gives other boot times, triggers and the like')
    .addHelpText(
      'after',
      '\nIf TEMPORAL_ADDRESS or a Temporal profile names a server, that one is used instead of an embedded one.',
    )
    .allowExcessArguments(false)
    .showHelpAfterError('(--help shows the options)')
    .exitOverride()
    .parse(args, { from: 'user' })
    .opts<DemoOptions>();
}

function parseSpeed(text: string): number {
  const speed = Number(text);
  if (!(speed > 0 && speed <= 100_000)) {
    throw new InvalidArgumentError('A speed is a number above 0, such as 600.');
  }
  return speed;
}
