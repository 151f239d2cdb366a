import { AsyncLocalStorage } from 'node:async_hooks';
import type { Activities } from '../activities/index.ts';
import type { Database } from '../database/database.ts';

/*
 * A test aid: a worker that ends itself at one exact edge of one activity, as a machine may at any moment. What a worker
 * must survive cannot be hit from outside: the gap between a commit and an answer is microseconds.
 */

/** Places in an activity at which a worker can die, in the order in which it passes them. */
const EDGES = [
  /** Before any of its work. */
  'before',
  /** Right after a transaction that the activity made was committed. */
  'after-write',
  /** All work is done, and Temporal does not know yet. */
  'before-return',
] as const;

export type FaultEdge = (typeof EDGES)[number];

/** When a worker ends itself, and how. */
export interface FaultKill {
  readonly activity: string;
  readonly edge: FaultEdge;
  /** At which time that this worker comes there, from 1. */
  readonly n: number;
  /** `SIGSTOP` freezes it: whoever sends SIGCONT has a worker that was away and does not know it. */
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

/** What makes a worker's parts count edges; without a fault they are left as they are. */
export interface FaultPoints {
  /** The fault that is set, for the log. */
  readonly fault: FaultKill | null;
  database(database: Database): Database;
  activities(activities: Activities): Activities;
}

/**
 * Reads `FAULT_KILL=<activity>:<before|after-write|before-return>:<n>[:stop]`.
 * @param names of all activities
 * @throws Error that says what is wrong with it and what may be given
 */
export function faultPoints(names: readonly string[], env: NodeJS.ProcessEnv = process.env): FaultPoints {
  const text = env['FAULT_KILL'];
  if (!text) return { fault: null, database: (same) => same, activities: (same) => same };
  const fault = parseFaultKill(text, names);
  const running = new AsyncLocalStorage<string>();
  const pass = edgeCounter(fault);
  return {
    fault,
    database: (database) => ({
      ...database,
      write: async (locks, work) => {
        const result = await database.write(locks, work);
        pass(running.getStore(), 'after-write');
        return result;
      },
    }),
    activities: (activities) =>
      mapActivities(activities, (name, run) => (input) => {
        return running.run(name, async () => {
          pass(name, 'before');
          const result = await run(input);
          pass(name, 'before-return');
          return result;
        });
      }),
  };
}

function parseFaultKill(text: string, names: readonly string[]): FaultKill {
  const [activity = '', edge = '', n = '', how, ...more] = text.split(':');
  const wrong = (what: string) =>
    new Error(
      `FAULT_KILL "${text}" ${what}. It is a test aid, <activity>:<edge>:<n>[:stop], such as swapOsDisks:after-write:1.`,
    );
  if (!names.includes(activity)) {
    throw wrong(`names no activity: give one of ${names.join(', ')}`);
  }
  if (!isEdge(edge)) throw wrong(`names no edge: give one of ${EDGES.join(', ')}`);
  if (!/^[1-9]\d*$/.test(n)) throw wrong('does not say which time: give a whole number from 1');
  if ((how !== undefined && how !== 'stop') || more.length > 0) throw wrong('goes on with something unknown');
  return { activity, edge, n: Number(n), signal: how === 'stop' ? 'SIGSTOP' : 'SIGKILL' };
}

function isEdge(text: string): text is FaultEdge {
  return (EDGES as readonly string[]).includes(text);
}

/** Ends this process when the fault's edge is passed for the n-th time. */
function edgeCounter({ activity, edge, n, signal }: FaultKill) {
  let passed = 0;
  return (at: string | undefined, where: FaultEdge): void => {
    if (at === activity && where === edge && ++passed === n) process.kill(process.pid, signal);
  };
}

type Run = (input: unknown) => Promise<unknown>;

function mapActivities(activities: Activities, map: (name: string, run: Run) => Run): Activities {
  const mapped = Object.entries(activities).map(([name, run]) => [name, map(name, run as Run)]);
  return Object.fromEntries(mapped) as Activities;
}
