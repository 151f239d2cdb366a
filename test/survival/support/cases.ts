import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDevServer, type DevServer } from '../../../src/temporal/dev-server.ts';
import { CASES_FOLDER } from './folders.ts';
import { expectSurvived, type Counts, type Outcome } from './outcome.ts';
import { record } from './report.ts';
import type { Scenario } from './scenarios.ts';
import { survivalWorld, type SurvivalWorld, type WorkerProcess } from './world.ts';

/** A server with its database on a file for all cases of a test file: each has a namespace of its own. */
export function useServer(name: string): () => DevServer {
  let server: DevServer;
  beforeAll(async () => {
    server = await startDevServer({
      port: 0,
      headless: true,
      dbFile: join(CASES_FOLDER, name, 'temporal.db'),
    });
  });
  afterAll(() => server.stop());
  return () => server;
}

/**
 * A case of the report: it is written down whether it passes or not.
 * @param kill what is done, in few words
 * @param body answers with what followed, for people
 */
export function survives(group: string, kill: string, body: () => Promise<string>): void {
  it.concurrent(`${group}: ${kill}`, async () => {
    const since = performance.now();
    const end = (passed: boolean, proved: string) =>
      record({ group, kill, passed, proved, tookMs: performance.now() - since });
    try {
      const proved = await body();
      expect(proved).not.toBe('');
      await end(true, proved);
    } catch (error) {
      await end(false, (error as Error).message.split('\n')[0] ?? '');
      throw error;
    }
  });
}

/** Makes the world of a case, hands it over, and ends it whatever happens. */
export async function inWorld<T>(
  name: string,
  server: DevServer,
  scenario: Scenario,
  body: (world: SurvivalWorld) => Promise<T>,
  databaseUrl?: string,
): Promise<T> {
  const world = await survivalWorld(name, server.address, scenario, databaseUrl);
  try {
    return await body(world);
  } finally {
    await world.end();
  }
}

/**
 * A rollout during which something happens, in a world of its own, with all that has to hold afterwards.
 * @param happens does it, given the rollout under way; answers with what it saw, for the report
 * @param databaseUrl in place of a SQLite file
 */
export async function disturbed(
  name: string,
  server: DevServer,
  scenario: Scenario,
  happens: (world: SurvivalWorld, rollout: Promise<void>) => Promise<string | void>,
  databaseUrl?: string,
): Promise<string> {
  const reference = await undisturbedOutcome(server, scenario.endsLike ?? scenario);
  return inWorld(
    name,
    server,
    scenario,
    async (world) => {
      const rollout = scenario.carryOut(world);
      // Its failure is seen where it is awaited, which may be later.
      rollout.catch(() => undefined);
      const seen = await happens(world, rollout);
      await rollout;
      const { outcome, counts } = await expectSurvived(world, scenario.endsAnywhere ? null : reference);
      expect(outcome.rollouts).toEqual(reference.rollouts);
      return [...(seen ? [seen] : []), told(counts)].join('; ');
    },
    databaseUrl,
  );
}

/** Waits for a worker to be killed as it was told to. A rollout that ends before that proves nothing. */
export async function untilKilled(worker: WorkerProcess, rollout: Promise<unknown>): Promise<void> {
  const ended = rollout.then(() => 'the rollout ended before that');
  expect(await Promise.race([worker.exited, ended])).toBe('killed by SIGKILL');
}

const undisturbed = new Map<Scenario, Promise<Outcome>>();

/** How a scenario comes out when nobody dies; carried out once in a test file. */
export function undisturbedOutcome(server: DevServer, scenario: Scenario): Promise<Outcome> {
  const known = undisturbed.get(scenario);
  if (known) return known;
  const outcome = inWorld(`undisturbed ${scenario.name} ${process.pid}`, server, scenario, async (world) => {
    await world.startWorker();
    await scenario.carryOut(world);
    return (await expectSurvived(world, null)).outcome;
  });
  undisturbed.set(scenario, outcome);
  return outcome;
}

/** For the report: what was done to VMs in all, and that it was right. */
function told({ swaps, restores, takeOvers }: Counts): string {
  const takeOver = takeOvers === 0 ? '' : `, ${takeOvers} take-over${takeOvers === 1 ? '' : 's'}`;
  return `ended as undisturbed: ${swaps} swaps, ${restores} restores${takeOver}, audit clean`;
}
