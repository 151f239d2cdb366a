import { join } from 'node:path';
import { expect } from 'vitest';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server.ts';
import { inBatch } from '../support/rollout.ts';
import { disturbed, survives } from './support/cases.ts';
import { CASES_FOLDER } from './support/folders.ts';
import { HALTED } from './support/scenarios.ts';
import { kill } from './support/signals.ts';
import { until, type SurvivalWorld } from './support/world.ts';

const GROUP = 'The Temporal server is killed and starts again on its file';

/** A server that is killed and comes back where it was. */
class MortalServer {
  readonly #dbFile: string;
  #server: DevServer;

  private constructor(dbFile: string, server: DevServer) {
    this.#dbFile = dbFile;
    this.#server = server;
  }

  static async start(name: string): Promise<MortalServer> {
    const dbFile = join(CASES_FOLDER, name, 'temporal.db');
    return new MortalServer(dbFile, await startDevServer({ port: 0, headless: true, dbFile }));
  }

  get current(): DevServer {
    return this.#server;
  }

  async die(): Promise<void> {
    await kill(this.#server);
  }

  async comeBack(): Promise<void> {
    const port = Number(this.#server.address.split(':').at(-1));
    this.#server = await startDevServer({ port, headless: true, dbFile: this.#dbFile });
  }
}

/** A case on a server of its own. */
function withServer(
  kill: string,
  happens: (server: MortalServer, world: SurvivalWorld, rollout: Promise<void>) => Promise<string>,
): void {
  survives(GROUP, kill, async () => {
    const server = await MortalServer.start(`server ${kill}`.replaceAll(/\W+/g, '-'));
    try {
      return await disturbed(kill, server.current, HALTED, (world, rollout) =>
        happens(server, world, rollout),
      );
    } finally {
      await server.current.stop();
    }
  });
}

withServer('in the middle of a batch; the worker lives on', async (server, world, rollout) => {
  const worker = await world.startWorker();
  await until('the second batch of api begins', () => inBatch(world, 'api', 2));
  await server.die();
  await server.comeBack();
  await rollout;
  expect(process.kill(worker.pid, 0)).toBe(true);
  return 'the same worker found it again';
});

withServer('three times, at its beginning, in a batch and while it is halted', async (server, world) => {
  await world.startWorker();
  const moments: [string, () => Promise<boolean>][] = [
    ['the first batch of api begins', () => inBatch(world, 'api', 1)],
    ['the fourth batch of api begins', () => inBatch(world, 'api', 4)],
    ['it is halted', async () => (await world.ledger.rollouts.list())[0]?.status === 'Halted'],
  ];
  for (const [what, holds] of moments) {
    await until(what, holds);
    await server.die();
    await server.comeBack();
  }
  return 'the same worker found it again each time';
});

withServer('and the worker with it, in the middle of a batch', async (server, world) => {
  const worker = await world.startWorker();
  await until('the second batch of web begins', () => inBatch(world, 'web', 2));
  await Promise.all([server.die(), kill(worker)]);
  await server.comeBack();
  await world.startWorker();
  return 'a new server and a new worker went on from the two files';
});
