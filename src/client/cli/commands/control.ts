import { Argument, type Command } from 'commander';
import { isoTime } from '../../../domain/clock.ts';
import { APPROVAL_ROUND } from '../../../domain/phase-gate.ts';
import type { Scope } from '../../../domain/scopes.ts';
import { normaliseRegionName } from '../../../domain/region.ts';
import type { Decision, DecisionKind, OrderedState } from '../../../ledger/port.ts';
import {
  decide,
  findRollout,
  findScaleSet,
  giveOrder,
  UsageError,
  type GivenOrder,
  type Place,
} from '../../index.ts';
import { decidedOn } from '../../gates.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { reasonOption, wholeNumber } from '../options.ts';
import type { OpenRollouts } from '../open-rollouts.ts';
import { amount, scopeText } from '../text.ts';

interface OrderOptions extends CommonOptions {
  region?: string;
  phase?: number;
  scaleSet?: string;
  all?: true;
  why: string;
  who?: string;
}

interface OrderCommand {
  name: string;
  state: OrderedState;
  summary: string;
  description: string;
  done: string;
}

const ORDERS: OrderCommand[] = [
  {
    name: 'pause',
    state: 'paused',
    summary: 'start nothing new until resumed; batches under way end first',
    description:
      'Pauses: batches under way end, then nothing starts before a resume. A paused set holds no zone.',
    done: 'Paused',
  },
  {
    name: 'resume',
    state: 'running',
    summary: 'take a pause back',
    description:
      'Takes back a pause of the same scope; also a cancel of everything or of a scale set, for rollouts to come.',
    done: 'Resumed',
  },
  {
    name: 'cancel',
    state: 'cancelled',
    summary: 'end for good, at the end of the batches under way',
    description:
      'Cancels for good: batches under way end, so that no VM is left half done, and nothing starts any more. Of everything or of a scale set it stands for what comes later too, until a resume.',
    done: 'Cancelled',
  },
];

/** `rollouts pause`, `resume` and `cancel`: on every level, and on everything at once. */
export function addOrderCommands(program: Command, cli: Cli): void {
  for (const order of ORDERS) {
    const { name } = order;
    const command = program
      .command(name)
      .summary(order.summary)
      .description(order.description)
      .argument(
        '[id]',
        "a rollout's id, the beginning of it, or the id of a phase's, region's or scale set's workflow",
      )
      .option('--region <name>', 'only what the rollout does in this region')
      .option('--phase <number>', 'only this phase of it', wholeNumber(1))
      .option('--scale-set <id>', 'a scale set, by name or ARM id, whatever rollout works on it')
      .option('--all', 'everything there is')
      .requiredOption('--why <text>', 'the reason, which is recorded for good', reasonOption)
      .option('--who <name>', 'who gives the order (default: the user at the terminal)', reasonOption)
      .action((id: string | undefined, options: OrderOptions) => runOrder(cli, order, id, options));
    withCommon(command, [
      `${name} rollout/canonical --why "incident 4711"`,
      `${name} rollout/canonical --region eastus --why "incident 4711"`,
      `${name} --scale-set web --why "load test"`,
      `${name} --all --why "change freeze"`,
    ]);
  }
}

async function runOrder(
  cli: Cli,
  order: OrderCommand,
  id: string | undefined,
  options: OrderOptions,
): Promise<void> {
  const given = await cli.with(async (rollouts) => {
    const scope = await scopeOf(rollouts, id, options);
    return giveOrder(rollouts, { scope, state: order.state, who: options.who, why: options.why });
  });
  answer(cli, options, given, (value) => orderText(order, value));
}

async function scopeOf(
  rollouts: OpenRollouts,
  id: string | undefined,
  options: OrderOptions,
): Promise<Scope> {
  const { region, phase, scaleSet, all } = options;
  const parts = [region && '--region', phase && '--phase', scaleSet && '--scale-set', all && '--all'];
  const given = parts.filter((part) => part !== undefined);
  if (given.length > 1) throw new UsageError(`Give one of ${given.join(' and ')}: an order is of one scope.`);
  if ((all || scaleSet !== undefined) && id !== undefined) {
    throw new UsageError(`${given[0]} is of no single rollout: leave "${id}" out.`);
  }
  if (all) return { kind: 'all' };
  if (scaleSet !== undefined) {
    return { kind: 'scaleSet', scaleSetId: (await findScaleSet(rollouts, scaleSet)).id };
  }
  if (id === undefined) {
    throw new UsageError(
      'Say what: the id of a rollout, --scale-set, or --all. `rollouts list` shows the ids.',
    );
  }
  return placeScope(await findRollout(rollouts, id), { region, phase });
}

function placeScope(place: Place, { region, phase }: Pick<OrderOptions, 'region' | 'phase'>): Scope {
  const { id: rolloutId } = place.rollout;
  if (place.scaleSetId !== undefined) return { kind: 'scaleSet', scaleSetId: place.scaleSetId };
  const named = region === undefined ? place.region : normaliseRegionName(region);
  if (named !== undefined) return { kind: 'region', rolloutId, region: named };
  const number = phase ?? place.phase;
  return number === undefined ? { kind: 'rollout', rolloutId } : { kind: 'phase', rolloutId, phase: number };
}

function orderText({ done }: OrderCommand, { order, woken, closed, notes }: GivenOrder): string {
  return [
    `${done}: ${scopeText(order.scope)}, by ${order.who}: ${order.why}.`,
    ...(woken.length > 0 ? [`Told ${amount(woken.length, 'workflow')} to look at once.`] : []),
    ...closed.map((id) => `${id} had no workflow any more: it is marked cancelled.`),
    ...notes.map((note) => `Note: ${note}`),
  ].join('\n');
}

interface DecideOptions extends CommonOptions {
  why: string;
  who?: string;
}

/** `rollouts decide`: a person's word on a rollout that waits for it (rule D2). */
export function addDecideCommand(program: Command, cli: Cli): void {
  const command = program
    .command('decide')
    .summary('decide on a halted rollout, or approve its next phase')
    .description(
      'Decides on a rollout that waits for a person. Where too many VMs of a phase failed: proceed accepts these failures, once; retry upgrades the failed sets again; abort ends the rollout. Where a phase needs an approval: proceed gives it, abort ends the rollout.',
    )
    .argument('<id>', "the rollout's id, or the beginning of it")
    .addArgument(new Argument('<decision>', 'what to do').choices(['proceed', 'retry', 'abort']))
    .requiredOption('--why <text>', 'the reason, which is recorded for good', reasonOption)
    .option('--who <name>', 'who decides (default: the user at the terminal)', reasonOption)
    .action(async (id: string, decision: DecisionKind, options: DecideOptions) => {
      const recorded = await cli.with(async (rollouts) => {
        const { rollout } = await findRollout(rollouts, id);
        return decide(rollouts, { rolloutId: rollout.id, decision, why: options.why, who: options.who });
      });
      answer(cli, options, recorded, decisionText);
    });
  withCommon(command, [
    'decide rollout/canonical proceed --why "two VMs with broken disks"',
    'decide rollout/canonical abort --why "the image is bad"',
  ]);
}

function decisionText(made: Decision): string {
  const { decision, round, who, why, at } = made;
  const isApproval = round === APPROVAL_ROUND;
  const what = {
    proceed: isApproval ? 'The phase begins.' : 'Its failures are accepted; the next phase starts.',
    retry: 'Its failed scale sets get another attempt.',
    abort: 'The rollout ends.',
  }[decision];
  return `Decided on ${decidedOn(made)}: ${decision}, by ${who} at ${isoTime(at)}: ${why}.\n${what}`;
}
