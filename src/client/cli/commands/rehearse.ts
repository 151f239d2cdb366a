import { Option, type Command } from 'commander';
import {
  EXIT,
  PLAIN_SCENARIO,
  readScenario,
  rehearse,
  type Outcome,
  type Rehearsed,
  type Scenario,
} from '../../index.ts';
import { answer, withCommon, type Cli } from '../cli.ts';
import { planRequest, withPlan, type PlanOptions } from '../plan-request.ts';
import { rehearsalJson, rehearsalText } from '../rehearsal-text.ts';

interface Options extends PlanOptions {
  scenario?: string;
  summary?: true;
}

/** `rollouts rehearse`: what a rollout would bring, played through on a copy of the fleet in virtual time. */
export function addRehearseCommand(program: Command, cli: Cli): void {
  const command = program
    .command('rehearse')
    .summary('play a rollout through on a copy of the fleet: hours take seconds, nothing real is touched')
    .description(
      'Plays a rollout through in virtual time, on a copy of the fleet or on the fleet that the scenario brings along, with what the scenario has go wrong and people do. Needs no Temporal server and changes nothing. Tells the story, how each scale set came out, and whether that is what the scenario expects. Exit code 2 if it is not, or, where nothing is expected, if the rollout would not complete.',
    )
    .argument('[image]', "publisher:offer:sku, or a gallery image's ARM id (default: the scenario's)")
    .argument('[version]', "default: the scenario's, or the newest that is offered")
    .addOption(
      new Option(
        '--scenario <file>',
        'what goes wrong and what people do, such as those in examples/scenarios',
      ),
    )
    .option('--summary', 'without the story')
    .action((image: string | undefined, version: string | undefined, options: Options) =>
      runRehearse(cli, image, version, options),
    );
  withCommon(withPlan(command), [
    'rehearse --scenario examples/scenarios/bad-image.json',
    'rehearse Canonical:0001-com-ubuntu-server-jammy:22_04-lts --plan plan.json --summary',
    'rehearse --scenario incident.json --output json',
  ]);
}

async function runRehearse(
  cli: Cli,
  image: string | undefined,
  version: string | undefined,
  options: Options,
): Promise<void> {
  const read = options.scenario === undefined ? PLAIN_SCENARIO : await readScenario(options.scenario);
  const scenario = await withOptions(read, image, version, options);
  // A scenario with a fleet of its own has no business with the one that there is.
  const rehearsed =
    scenario.fleet === null
      ? await cli.with(({ database }) => rehearse(scenario, database))
      : await rehearse(scenario);
  cli.exitCode = exitCodeOf(rehearsed);
  const shown = options.summary ? { ...rehearsed, timeline: null } : rehearsed;
  answer(cli, options, rehearsalJson(shown), () => rehearsalText(shown));
}

/** The command line overrides the plan file, and that the scenario. */
async function withOptions(
  scenario: Scenario,
  image: string | undefined,
  version: string | undefined,
  options: Options,
): Promise<Scenario> {
  if (scenario.scaleSet !== undefined) return scenario;
  const request = await planRequest(image ?? scenario.image, version ?? scenario.version, options);
  return {
    ...scenario,
    image: request.image,
    version: request.version,
    regions: request.regions?.slice() ?? scenario.regions,
    phases: request.phases?.slice() ?? scenario.phases,
    settings: { ...scenario.settings, ...request.settings },
  };
}

const EXITS: Record<Outcome, number> = {
  Completed: EXIT.ok,
  Halted: EXIT.halted,
  Faulted: EXIT.halted,
  Cancelled: EXIT.cancelled,
  Superseded: EXIT.cancelled,
  Running: EXIT.timedOut,
  Refused: EXIT.failure,
};

function exitCodeOf({ outcome, differences, audit }: Rehearsed): number {
  if (audit.violations.length > 0) return EXIT.halted;
  if (differences === null) return EXITS[outcome];
  return differences.length === 0 ? EXIT.ok : EXIT.halted;
}
