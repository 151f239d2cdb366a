import type { Command } from 'commander';
import { isJsonObject } from '../../../fleet/index.ts';
import { EXIT, MODEL_API_VERSION, setModel, showModel, UsageError, type ModelChange } from '../../index.ts';
import { readJsonFile } from '../../json-file.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';
import { answerStarted, checkStart, withStart, type StartOptions } from '../started.ts';
import { amount } from '../text.ts';

interface SetOptions extends StartOptions {
  file?: string;
  apiVersion?: string;
}

/** `rollouts model show | set`: a scale set's model, by a person (rule B14). */
export function addModelCommands(program: Command, cli: Cli): void {
  const model = program
    .command('model')
    .summary("show or change a scale set's model")
    .description("Shows a scale set's ARM model, or changes it as `az vmss update --set` does.");
  addShow(model, cli);
  addSet(model, cli);
}

function addShow(model: Command, cli: Cli): void {
  const command = model
    .command('show')
    .summary('the ARM model, without its secrets')
    .description(
      'Prints the ARM model in JSON. Secrets and the queries of URLs, where SAS tokens are, are left out.',
    )
    .argument('<scale-set>', 'name or ARM id')
    .action(async (scaleSet: string, options: CommonOptions) => {
      const shown = await cli.with((rollouts) => showModel(rollouts, scaleSet));
      answer(cli, options, shown, (value) => JSON.stringify(value.model, null, 2));
    });
  withCommon(command, ['model show web', 'model show web --output json']);
}

function addSet(model: Command, cli: Cli): void {
  const command = model
    .command('set')
    .summary('change the model; the upgrade mode decides what becomes of the instances')
    .description(
      'Changes the model. In mode Automatic all instances are brought to it at once, in mode Rolling batch by batch; in mode Manual they stay behind until `rollouts update-instances`.',
    )
    .argument('<scale-set>', 'name or ARM id')
    .argument(
      '[changes...]',
      '<path>=<value>: a path as in ARM, with or without `properties`; list elements by [0] or [name=setup]; the value in JSON or as plain text; null removes',
    )
    .option('--file <path>', 'a JSON merge patch, in ARM shape or flattened')
    .option('--api-version <date>', `Compute API to write with (default: ${MODEL_API_VERSION})`)
    .action((scaleSet: string, changes: string[], options: SetOptions) =>
      runSet(cli, scaleSet, changes, options),
    );
  withCommon(withStart(command, 'optional'), [
    'model set web upgradePolicy.automaticOSUpgradePolicy.enableAutomaticOSUpgrade=true',
    'model set web virtualMachineProfile.storageProfile.imageReference.sku=22_04-lts --why "20.04 is at its end"',
    `model set web 'virtualMachineProfile.extensionProfile.extensions[name=setup].settings.fileUris=["https://..."]'`,
    'model set web --file patch.json --wait',
  ]);
}

async function runSet(cli: Cli, scaleSet: string, changes: string[], options: SetOptions): Promise<void> {
  checkStart(options);
  const { apiVersion, who, why } = options;
  if (apiVersion !== undefined && !/^\d{4}-\d{2}-\d{2}$/.test(apiVersion)) {
    throw new UsageError(`--api-version is "${apiVersion}": give a date such as ${MODEL_API_VERSION}.`);
  }
  const patch = options.file === undefined ? undefined : await patchOf(options.file);
  await cli.with(async (rollouts) => {
    const request = { scaleSet, assignments: changes, patch, apiVersion, who, why };
    const change = await setModel(rollouts, request);
    const { started, ...rest } = change;
    if (started !== null) {
      await answerStarted(cli, rollouts, options, started, { json: rest, text: changeText(change) });
      return;
    }
    if (change.notStarted !== null) cli.exitCode = EXIT.failure;
    answer(cli, options, change, changeText);
  });
}

async function patchOf(path: string) {
  const patch = await readJsonFile(path, 'The patch');
  if (!isJsonObject(patch))
    throw new UsageError(`The patch ${path} is no object: give {"path": value, ...}.`);
  return patch;
}

function changeText(change: ModelChange): string {
  const { name, region, modelVersion, notStarted, notes } = change;
  return [
    `The model of ${name} in ${region} is written (its version ${modelVersion}).`,
    effectText(change),
    ...notes,
    ...(notStarted === null
      ? []
      : [
          `The instances were not brought to it: ${notStarted.message}`,
          `The model stands. Go on by: rollouts update-instances ${name} --all`,
        ]),
  ].join('\n');
}

function effectText({ name, mode, changed, behind, started }: ModelChange): string {
  const amountBehind = amount(behind, 'instance');
  if (!changed) {
    const before =
      behind === 0 ? '' : ` ${amountBehind} ${behind === 1 ? 'is' : 'are'} behind it from before.`;
    return `No instance has to be changed for that.${before}`;
  }
  if (behind === 0) return 'No instance is behind it.';
  const are = `${amountBehind} ${behind === 1 ? 'is' : 'are'} behind it`;
  if (mode === 'Manual') {
    return `Upgrade mode Manual: ${are} and left to you. Bring them to it: rollouts update-instances ${name} --all`;
  }
  const how = mode === 'Automatic' ? 'at once' : 'batch by batch';
  return `Upgrade mode ${mode}: ${are}${started === null ? '.' : `, and brought to it ${how}.`}`;
}
