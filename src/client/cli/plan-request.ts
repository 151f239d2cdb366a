import type { Command } from 'commander';
import { readPlanFile, UsageError, type PlanRequest } from '../index.ts';
import { collect, type CommonOptions } from './cli.ts';
import { settingsOf, withSettings, type SettingsFlags } from './options.ts';

/** What `plan` and `start` both ask for. */
export interface PlanOptions extends CommonOptions, SettingsFlags {
  plan?: string;
  region?: string[];
}

export function withPlan(command: Command): Command {
  command
    .option('--plan <file>', 'phases and settings from a JSON file; the command line overrides it')
    .option('--region <name>', 'only this region; repeatable', collect);
  return withSettings(command);
}

/** The request that arguments, options and the plan file make together: the command line overrides the file. */
export async function planRequest(
  image: string | undefined,
  version: string | undefined,
  options: PlanOptions,
): Promise<PlanRequest> {
  const file = options.plan === undefined ? { settings: {} } : await readPlanFile(options.plan);
  const chosen = image ?? file.image;
  if (chosen === undefined) {
    throw new UsageError(
      'Say which image: publisher:offer:sku, or the ARM id of a gallery image, as an argument or in the plan file.',
    );
  }
  if (file.phases !== undefined && options.region !== undefined) {
    throw new UsageError(
      `${options.plan} names the phases' regions: leave --region out, or "phases" of the plan.`,
    );
  }
  return {
    image: chosen,
    // A version belongs to the image that it was written with.
    version: version ?? (image === undefined || image === file.image ? file.version : undefined),
    regions: options.region,
    phases: file.phases,
    settings: { ...file.settings, ...settingsOf(options) },
  };
}
