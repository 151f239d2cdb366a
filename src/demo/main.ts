import { CommanderError } from 'commander';
import { EXIT } from '../client/errors.ts';
import { parseOptions } from './options.ts';
import { Reporter } from './reporter.ts';
import { runDemo } from './run.ts';

/*
 * `npm run demo`: a whole rollout to look at, with everything that it takes on this machine. SIGINT and SIGTERM end it
 * and all its processes; a second one ends it at once, and its processes follow on their own.
 */

/** Ends the demo in order at the first signal, with the exit code that shells know for it. */
function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(code);
      controller.abort(code);
    });
  }
  return controller.signal;
}

async function main(args: readonly string[]): Promise<number> {
  const interrupted = untilInterrupted();
  try {
    const options = parseOptions(args);
    const json = options.output === 'json';
    const reporter = new Reporter(json ? process.stderr : process.stdout);
    const { exitCode, summary } = await runDemo(options, reporter, interrupted);
    if (json && summary) console.log(JSON.stringify(summary));
    return interrupted.aborted ? Number(interrupted.reason) : exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
    console.error(error instanceof Error ? error.message : error);
    return EXIT.failure;
  }
}

process.exitCode = await main(process.argv.slice(2));
