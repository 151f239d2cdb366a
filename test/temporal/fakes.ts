import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError, type RunCommand } from '../../src/temporal/servers/commands.ts';

/** What a fake program does with its arguments; it prints what it returns. */
export type FakeProgram = (args: readonly string[]) => string | Promise<string>;

/** Runs fake programs; one that isn't listed is not installed. */
export function fakeRun(programs: Readonly<Record<string, FakeProgram>>): RunCommand {
  return async (command, args) => {
    const program = programs[command];
    if (!program) throw new CommandError(`${command}: not installed`);
    return program(args);
  };
}

/** The argument after a flag. */
export function argumentAfter(args: readonly string[], flag: string): string {
  const value = args[args.indexOf(flag) + 1];
  if (!args.includes(flag) || value === undefined) throw new Error(`no ${flag} in ${args.join(' ')}`);
  return value;
}

/** Gives a test a folder that goes with it. */
export async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'temporal-test-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
