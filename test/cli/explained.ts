import { vi } from 'vitest';
import type { Explanation } from '../../src/client/index.ts';
import type { Database } from '../../src/database/database.ts';
import { wallAt, type Instant } from '../../src/domain/clock.ts';
import type { RehearsalWorld } from '../rehearsal/support.ts';
import { FakeTemporal, run } from './support.ts';

type Told<T> = {
  // As JSON has it: instants are texts.
  [Key in keyof T]: T[Key] extends Instant ? string | number : T[Key];
};

export interface Explained {
  code: number;
  text: string;
  json: Told<Explanation>;
}

/** Runs `rollouts explain` in a database, as text and as JSON. */
export async function explainIn(
  databaseUrl: string,
  args: readonly string[],
  temporal: FakeTemporal,
): Promise<Explained> {
  const space = { databaseUrl, write: async () => '', remove: async () => {} };
  const { code, stdout: text, stderr } = await run(['explain', ...args], space, { temporal });
  if (code !== 0) throw new Error(`rollouts explain ${args.join(' ')}: ${stderr}`);
  const { stdout } = await run(['explain', ...args, '--output', 'json'], space, { temporal });
  return { code, text, json: JSON.parse(stdout) as Told<Explanation> };
}

/** The same at the interpreter's present, without a Temporal server unless one is given. */
export async function explainNow(
  world: RehearsalWorld,
  args: readonly string[],
  temporal: FakeTemporal = unreachable(),
): Promise<Explained> {
  const { url } = world.database as Database & { url: string };
  vi.useFakeTimers({ toFake: ['Date'], now: wallAt(await world.fleet.clock(), world.rehearsal.now) });
  try {
    return await explainIn(url, args, temporal);
  } finally {
    vi.useRealTimers();
  }
}

export function unreachable(): FakeTemporal {
  const temporal = new FakeTemporal();
  temporal.reachable = false;
  return temporal;
}
