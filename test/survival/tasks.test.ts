import { expect } from 'vitest';
import { uniformInt } from '../../src/domain/random.ts';
import { disturbed, survives, useServer } from './support/cases.ts';
import { HALTED } from './support/scenarios.ts';
import { freeze, kill, tasksCutOff, thaw, workflowsInHand } from './support/signals.ts';
import { until } from './support/world.ts';

const server = useServer('tasks');

const SEEDS = [1, 2, 3, 4, 5, 6];

/** The journal of the rollout has some 200 lines. */
const LAST_LINE = 160;

/*
 * Not at an edge of an activity but anywhere, and always while the worker has the task of some workflow in hand: it is frozen
 * at a moment that the seed chooses, the server is asked, and then it is killed or goes on to the next moment.
 */
for (const seed of SEEDS) {
  const line = uniformInt(1, LAST_LINE, 'moment of death', seed);
  survives(
    'A worker is killed in the middle of a workflow task',
    `seed ${seed}: after line ${line} of the journal`,
    () =>
      disturbed(`task ${seed}`, server(), HALTED, async (world, rollout) => {
        const worker = await world.startWorker();
        await until(`the journal has ${line} lines`, async () => {
          return (await world.ledger.journal.read({})).length >= line;
        });
        let inHand: string[] = [];
        await until('the worker is frozen with a workflow task in hand', async () => {
          await freeze(worker);
          inHand = await workflowsInHand(world);
          if (inHand.length === 0) thaw(worker);
          return inHand.length > 0;
        });
        await kill(worker);
        expect(await worker.exited).toBe('killed by SIGKILL');
        await world.startWorker();
        await rollout;
        const cut = await tasksCutOff(world);
        expect(cut).toBeGreaterThan(0);
        return `${cut} workflow task${cut === 1 ? '' : 's'} cut off, done again by the next worker`;
      }),
  );
}
