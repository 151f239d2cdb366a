import { Option, type Command } from 'commander';
import type { OpenRollouts } from './open-rollouts.ts';
import { json } from './json.ts';
import type { Terminal } from './terminal.ts';

export type Output = 'json' | 'text';

/** What the commands share. */
export interface Cli {
  terminal: Terminal;
  /** Opens database and fleet, does the work, and closes them whatever happens. */
  with<T>(work: (rollouts: OpenRollouts) => Promise<T>): Promise<T>;
  /** A line on standard output. */
  print(text: string): void;
  /** A line on standard error: what is no part of the answer. */
  note(text: string): void;
  /** How the command ends, unless an error decides. */
  exitCode: number;
}

/** Options that every command has. */
export interface CommonOptions {
  output: Output;
}

/** The option `--output`, and examples below the help. */
export function withCommon(command: Command, examples: readonly string[]): Command {
  command.addOption(
    new Option('-o, --output <form>', 'how to answer').choices(['text', 'json']).default('text'),
  );
  const lines = examples.map((example) => `  $ rollouts ${example}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** Answers in the form asked for. */
export function answer<T>(cli: Cli, { output }: CommonOptions, value: T, text: (value: T) => string): void {
  cli.print(output === 'json' ? json(value) : text(value));
}

/** An option that can be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
