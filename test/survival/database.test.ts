import { afterAll, beforeAll, describe, expect } from 'vitest';
import { inBatch } from '../support/rollout.ts';
import {
  createDatabase,
  findPostgres,
  startPostgres,
  type PostgresServer,
} from '../support/postgres-server.ts';
import { disturbed, survives, untilKilled, useServer } from './support/cases.ts';
import { lockFile, lockTable, slowDown } from './support/locks.ts';
import { HALTED, HALTED_BY_REGION } from './support/scenarios.ts';
import { kill } from './support/signals.ts';
import { until } from './support/world.ts';

const server = useServer('database');

/** Longer than a worker that dies may go without a heartbeat: what waits is alive. */
const PATIENCE_MS = 15_000;

const SQLITE = "The fleet's database is locked or slow: SQLite";

survives(SQLITE, 'locked by another process until the worker gives up a try', () =>
  disturbed('sqlite locked', server(), HALTED, async (world) => {
    const worker = await world.startWorker();
    await until('the second batch of api begins', () => inBatch(world, 'api', 2));
    const lock = await lockFile(world);
    await until('an activity has failed for it', async () => (await worker.log()).includes('SQLITE_BUSY'));
    await lock.release();
    return 'activities failed and were tried again';
  }),
);

survives(SQLITE, 'locked four fifths of the time, from beginning to end', () =>
  disturbed('sqlite slow', server(), HALTED, async (world, rollout) => {
    await world.startWorker();
    const times = await slowDown(world, rollout, 100);
    return `locked ${times} times, 0.1 s each`;
  }),
);

survives(SQLITE, 'locked while the worker is killed, and the next one starts', () =>
  disturbed('sqlite locked killed', server(), HALTED, async (world) => {
    const worker = await world.startWorker();
    await until('the second batch of api begins', () => inBatch(world, 'api', 2));
    const lock = await lockFile(world);
    await kill(worker);
    const starting = world.startWorker();
    await lock.release();
    await starting;
    return 'the next one waited for the lock';
  }),
);

const POSTGRES = "The fleet's database is locked or crashes: PostgreSQL";

describe.skipIf(findPostgres() === null)('on PostgreSQL', () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  /** A case on a database of its own. */
  function onPostgres(kill: string, happens: Parameters<typeof disturbed>[3], scenario = HALTED): void {
    survives(POSTGRES, kill, async () => {
      const { url } = await createDatabase(postgres.url);
      return disturbed(`postgres ${kill}`, server(), scenario, happens, url);
    });
  }

  onPostgres('a table locked by another process for a quarter of a minute', async (world) => {
    await world.startWorker();
    await until('the second batch of api begins', () => inBatch(world, 'api', 2));
    const lock = await lockTable(world, 'instances');
    await until('somebody has waited long', async () => (await lock.longestWaitMs()) > PATIENCE_MS);
    await lock.release();
    return 'what waited for it went on';
  });

  onPostgres('a worker killed right after it has written the swaps of a batch', async (world, rollout) => {
    await untilKilled(await world.startWorker('swapOsDisks:after-write:3'), rollout);
    await world.startWorker();
    return 'the next one found them';
  });

  onPostgres('two workers, one killed in a batch', async (world) => {
    const [doomed] = await Promise.all([world.startWorker(), world.startWorker()]);
    await until('the third batch of api begins', () => inBatch(world, 'api', 3));
    await kill(doomed);
    return 'the other went on';
  });

  onPostgres(
    'two workers for workflows and one for each region, of which one is killed in a batch',
    async (world) => {
      const serve = (region: string) =>
        world.startWorker(undefined, { WORKER_REGIONS: region, WORKER_WORKFLOWS: 'false' });
      const [doomed] = await Promise.all([
        serve('eastus'),
        serve('westus'),
        world.startWorker(),
        world.startWorker(),
      ]);
      await until('the third batch of api begins', () => inBatch(world, 'api', 3));
      await kill(doomed);
      await serve('eastus');
      return 'the next one of its region went on';
    },
    HALTED_BY_REGION,
  );

  survives(POSTGRES, 'the server crashes twice, in the middle of batches', async () => {
    const own = await startPostgres();
    try {
      return await disturbed(
        'postgres crash',
        server(),
        HALTED,
        async (world, rollout) => {
          const worker = await world.startWorker();
          await until('the second batch of api begins', () => inBatch(world, 'api', 2));
          await own.crash();
          await until('the fourth batch of api begins', () => inBatch(world, 'api', 4));
          await own.crash();
          await rollout;
          expect(process.kill(worker.pid, 0)).toBe(true);
          return 'the same worker found it again each time';
        },
        own.url,
      );
    } finally {
      await own.stop();
    }
  });
});
