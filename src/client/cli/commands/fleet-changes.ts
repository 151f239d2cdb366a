import { Option, type Command } from 'commander';
import { DURABILITIES, type Durability } from '../../../domain/scale-set.ts';
import type { InstanceChange } from '../../../fleet/index.ts';
import { changeInstances, changeNodeType } from '../../index.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { amount } from '../text.ts';

interface ProtectOptions extends CommonOptions {
  off?: true;
}

interface NodeTypeOptions extends CommonOptions {
  durability: Durability;
}

/** `rollouts fleet protect | stop | start | node-type`: what happens to a simulated fleet beside upgrades. */
export function addFleetChanges(fleet: Command, cli: Cli): void {
  addProtect(fleet, cli);
  addPower(
    fleet,
    cli,
    'stop',
    'stopped',
    'Stops VMs: they count as unhealthy, and no upgrade touches them (rule B3).',
  );
  addPower(fleet, cli, 'start', 'running', 'Starts VMs that were stopped.');
  addNodeType(fleet, cli);
}

function addProtect(fleet: Command, cli: Cli): void {
  const command = withInstances(fleet.command('protect'))
    .summary('keep VMs out of every upgrade')
    .description('Protects VMs from scale set actions: no upgrade, update, revert or repair touches them.')
    .option('--off', 'protect them no longer')
    .action((set: string, ids: string[], options: ProtectOptions) => {
      const protect = options.off !== true;
      const change = { protectFromScaleSetActions: protect };
      return run(cli, set, ids, options, change, protect ? 'protected' : 'protected no longer');
    });
  withCommon(command, ['fleet protect web 0 1', 'fleet protect web 0 1 --off']);
}

function addPower(
  fleet: Command,
  cli: Cli,
  name: string,
  power: 'running' | 'stopped',
  description: string,
): void {
  const command = withInstances(fleet.command(name))
    .summary(`${name} VMs`)
    .description(description)
    .action((set: string, ids: string[], options: CommonOptions) =>
      run(cli, set, ids, options, { power }, power),
    );
  withCommon(command, [`fleet ${name} web 0 1`]);
}

function withInstances(command: Command): Command {
  return command.argument('<scale-set>', 'name or ARM id').argument('<instances...>', 'ids of instances');
}

async function run(
  cli: Cli,
  set: string,
  ids: readonly string[],
  options: CommonOptions,
  change: InstanceChange,
  state: string,
): Promise<void> {
  const changed = await cli.with((rollouts) => changeInstances(rollouts, set, ids, change));
  const { name, instanceIds } = changed;
  const verb = instanceIds.length === 1 ? 'is' : 'are';
  answer(
    cli,
    options,
    { ...changed, ...change },
    () => `${amount(instanceIds.length, 'VM')} of ${name} ${verb} ${state}: ${instanceIds.join(', ')}.`,
  );
}

function addNodeType(fleet: Command, cli: Cli): void {
  const command = fleet
    .command('node-type')
    .summary('change the durability of a Service Fabric node type')
    .description(
      'Changes the durability of a node type in its Service Fabric cluster. The extension in the model of its scale set has to say the same: a mismatch makes upgrades fail (rule C5).',
    )
    .argument('<cluster>', 'name or ARM id')
    .argument('<node-type>', 'its name in the cluster')
    .addOption(
      new Option('--durability <level>', 'its durability from now on')
        .choices(DURABILITIES)
        .makeOptionMandatory(),
    )
    .action(async (cluster: string, nodeType: string, options: NodeTypeOptions) => {
      const { durability: durabilityLevel } = options;
      const changed = await cli.with((rollouts) =>
        changeNodeType(rollouts, { cluster, nodeType, durabilityLevel }),
      );
      answer(cli, options, changed, ({ nodeType: name, was }) =>
        was === durabilityLevel
          ? `Node type ${name} has durability ${durabilityLevel} already.`
          : `Node type ${name} has durability ${durabilityLevel} now; it was ${was ?? 'Bronze'}.`,
      );
    });
  withCommon(command, ['fleet node-type orders backend --durability Silver']);
}
