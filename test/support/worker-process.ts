import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { guardedCommand } from '../../src/temporal/servers/index.ts';

/** A line of a process's log. */
export type LogLine = { msg: string; level: number } & Record<string, unknown>;

/** A worker as it runs in production: a process of its own. */
export interface WorkerProcess {
  child: ChildProcess;
  /** What it has logged so far. */
  lines: LogLine[];
  /** The first line of that message, when it is there. @throws Error with the log, when the worker ends before */
  logged(message: string): Promise<LogLine>;
  /** Asks it to end; its exit code, when it is gone. */
  stop(): Promise<number | null>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** @param args of Node: the file to run and what it takes; the worker if absent */
export function startWorkerProcess(env: Record<string, string>): WorkerProcess {
  const [program, args] = guardedCommand(process.execPath, ['--import', 'tsx', 'src/worker.ts']);
  const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env } });
  const lines: LogLine[] = [];
  const waiting: (() => void)[] = [];
  let rest = '';
  child.stderr.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map(toLine));
    for (const look of waiting) look();
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    child,
    lines,
    logged: (message) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const line = lines.find(({ msg }) => msg === message);
          if (line) resolve(line);
        };
        waiting.push(look);
        look();
        void ended.then(() =>
          reject(new Error(`The worker ended before "${message}":\n${JSON.stringify(lines)}`)),
        );
      }),
    stop: async () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** What is no JSON is none of ours, and is kept to be read. */
function toLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { msg: text, level: 60 };
  }
}
