import { Command, CommanderError } from 'commander';
import { printable } from '../../domain/plain-text.ts';
import { TemporalUnreachableError } from '../../temporal/connection.ts';
import { ClientError, EXIT } from '../errors.ts';
import type { Cli } from './cli.ts';
import { addAuditCommand } from './commands/audit.ts';
import { addCalendarCommands } from './commands/calendar.ts';
import { addDecideCommand, addOrderCommands } from './commands/control.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addFleetCommands } from './commands/fleet.ts';
import { addHeldCommand } from './commands/held.ts';
import { addHistoryCommand } from './commands/history.ts';
import { addImageWatchCommands } from './commands/image-watch.ts';
import { addJournalCommand } from './commands/journal.ts';
import { addModelCommands } from './commands/model.ts';
import { addPlanCommand } from './commands/plan.ts';
import { addPublishCommand } from './commands/publish.ts';
import { addRehearseCommand } from './commands/rehearse.ts';
import { addRepairCommand } from './commands/repair.ts';
import { addRevertCommand } from './commands/revert.ts';
import { addListCommand, addStatusCommand } from './commands/status.ts';
import { addStartCommand } from './commands/start.ts';
import { addUpdateInstancesCommand } from './commands/update-instances.ts';
import { addWatchCommand } from './commands/watch.ts';
import { addWatcherCommands } from './commands/watchers.ts';
import { checkArguments } from './options.ts';
import { forTerminal } from '../view/spans.ts';
import { openRollouts, type OpenOptions } from './open-rollouts.ts';
import type { Terminal } from './terminal.ts';

const EXIT_CODES = `
Exit codes:
  0 done or completed, 1 failed, 2 halted or faulted, 4 cancelled, 5 timed out,
  64 something about the command itself is wrong, 130 interrupted

Environment:
  DATABASE_URL       file:PATH or postgres://USER@HOST/NAME (default: file:var/fleet.db)
  TEMPORAL_ADDRESS   and Temporal's other variables and profiles (default: localhost:7233)
  PAYLOAD_KEYS       the keys of encrypted payloads, as the workers have them (default: none)
  OTEL_EXPORTER_OTLP_ENDPOINT
                     and OpenTelemetry's other variables: where traces are sent (default: nowhere)`;

/**
 * Runs one command.
 * @param args without the program's name
 * @returns the exit code
 */
export async function runCommand(
  args: readonly string[],
  terminal: Terminal,
  options: OpenOptions = {},
): Promise<number> {
  const cli = createCli(terminal, options);
  try {
    checkArguments(args);
    await createProgram(cli).parseAsync(args, { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    report(cli, error, wantsJson(args));
    return error instanceof ClientError ? error.exitCode : EXIT.failure;
  }
}

function createCli(terminal: Terminal, options: OpenOptions): Cli {
  return {
    terminal,
    with: async (work) => {
      const rollouts = await openRollouts(options);
      try {
        return await work(rollouts);
      } finally {
        await rollouts.close();
      }
    },
    print: (text) => void terminal.stdout.write(`${safe(terminal.stdout, text)}\n`),
    note: (text) => void terminal.stderr.write(`${safe(terminal.stderr, text)}\n`),
    exitCode: EXIT.ok,
  };
}

/** Only where colours are wanted may there be any. */
function safe({ isTTY }: NodeJS.WriteStream, text: string): string {
  return isTTY ? forTerminal(text) : printable(text);
}

function createProgram(cli: Cli): Command {
  const { stdout, stderr } = cli.terminal;
  const program = new Command('rollouts')
    .description('Rolls OS images out over a fleet of virtual machine scale sets.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(printable(text)),
      writeErr: (text) => void stderr.write(printable(text)),
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows how)')
    .addHelpText('after', EXIT_CODES);
  addFleetCommands(program, cli);
  addPublishCommand(program, cli);
  addImageWatchCommands(program, cli);
  addPlanCommand(program, cli);
  addRehearseCommand(program, cli);
  addStartCommand(program, cli);
  addListCommand(program, cli);
  addStatusCommand(program, cli);
  addWatchCommand(program, cli);
  addExplainCommand(program, cli);
  addOrderCommands(program, cli);
  addCalendarCommands(program, cli);
  addDecideCommand(program, cli);
  addModelCommands(program, cli);
  addUpdateInstancesCommand(program, cli);
  addRevertCommand(program, cli);
  addHeldCommand(program, cli);
  addRepairCommand(program, cli);
  addHistoryCommand(program, cli);
  addJournalCommand(program, cli);
  addAuditCommand(program, cli);
  addWatcherCommands(program, cli);
  return program;
}

/** Parsing may have failed before the option was read. */
function wantsJson(args: readonly string[]): boolean {
  return args.some(
    (arg, i) => arg === '--output=json' || (arg === 'json' && /^(-o|--output)$/.test(args[i - 1] ?? '')),
  );
}

function report(cli: Cli, error: unknown, asJson: boolean): void {
  const message = error instanceof Error ? error.message : String(error);
  if (asJson) {
    const { rolloutId } = error instanceof ClientError ? error : { rolloutId: undefined };
    cli.note(JSON.stringify({ error: { code: codeOf(error), message, rolloutId } }));
    return;
  }
  cli.note(`error: ${message}`);
  if (process.env['DEBUG'] && error instanceof Error) cli.note(error.stack ?? '');
}

function codeOf(error: unknown): string {
  if (error instanceof ClientError) return error.code;
  return error instanceof TemporalUnreachableError ? 'TemporalUnreachable' : 'Failure';
}
