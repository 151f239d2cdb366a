import type { Command } from 'commander';
import { auditRollout, EXIT, findRollout } from '../../index.ts';
import { auditJson, auditText } from '../audit-text.ts';
import { answer, withCommon, type Cli, type CommonOptions } from '../cli.ts';

/** `rollouts audit`: the safety rules, proved from the journal alone (rule E4). */
export function addAuditCommand(program: Command, cli: Cli): void {
  const command = program
    .command('audit')
    .summary('proves from the journal alone that a rollout kept the safety rules')
    .description(
      'Judges a rollout by its journal, not by what the orchestrator believed: batch sizes, zones, update domains, thresholds, health, restores, pairs of regions. Of one that still runs, as far as it is. Exit code 2 if any rule was broken.',
    )
    .argument(
      '[id]',
      "the rollout's id, the beginning of it, or any workflow's id of it (default: the newest)",
    )
    .action(async (id: string | undefined, options: CommonOptions) => {
      const audit = await cli.with(async (rollouts) =>
        auditRollout(rollouts, (await findRollout(rollouts, id)).rollout),
      );
      if (audit.violations.length > 0) cli.exitCode = EXIT.halted;
      answer(cli, options, auditJson(audit), () => auditText(audit));
    });
  withCommon(command, ['audit', 'audit canonical:0001-com-ubuntu-server-jammy --output json']);
}
