import { EXIT } from '../errors.ts';
import { runCommand } from './run.ts';

/* The `rollouts` command. */

const interrupted = new AbortController();
// The first Ctrl-C ends what waits, in order; the second ends everything.
process.once('SIGINT', () => {
  interrupted.abort();
  process.once('SIGINT', () => process.exit(EXIT.interrupted));
});
// `rollouts journal | head` closes the pipe when it has seen enough: that is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

const { stdout, stderr } = process;
process.exitCode = await runCommand(process.argv.slice(2), { stdout, stderr, signal: interrupted.signal });
