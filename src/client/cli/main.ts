import { EXIT } from '../errors.ts';
import { runCommand } from './run.ts';

/* The `rollouts` command. */

/** The first Ctrl-C ends what waits, in order; the second ends everything. */
function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  process.once('SIGINT', () => {
    interrupted.abort();
    process.once('SIGINT', () => process.exit(EXIT.interrupted));
  });
  return interrupted.signal;
}

// `rollouts journal | head` closes the pipe when it has seen enough: that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

const { stdout, stderr } = process;
process.exitCode = await runCommand(process.argv.slice(2), { stdout, stderr, untilInterrupted });
