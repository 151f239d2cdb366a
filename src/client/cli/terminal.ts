/** Where a command writes, and what it may know of its surroundings: given, so that tests need no process. */
export interface Terminal {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  /** From this call on Ctrl-C does not end the process, but aborts the signal: for whoever has something to say then. */
  untilInterrupted(): AbortSignal;
}

/** Columns of the terminal; enough for most lines where there is none. */
export function columnsOf({ stdout }: Terminal): number {
  return stdout.isTTY ? (stdout.columns ?? 100) : 120;
}
