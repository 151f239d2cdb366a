import { expect } from 'vitest';
import { virtualAt } from '../../src/domain/clock.ts';
import { scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { OLD_VERSION, testSetId } from '../support/fleet.ts';
import { QUICK, inBatch, startRollout } from '../support/rollout.ts';
import { disturbed, inWorld, survives, useServer } from './support/cases.ts';
import { expectSurvived } from './support/outcome.ts';
import { HALTED, TERMINATED, untilAllIsOver } from './support/scenarios.ts';
import { kill, thaw, untilFrozen } from './support/signals.ts';
import { until, type SurvivalWorld, type WorkerProcess } from './support/world.ts';

const server = useServer('workers');

for (const count of [2, 4]) {
  survives('Several workers, of which some are killed', `${count} workers, one killed in a batch`, () =>
    disturbed(`workers ${count}`, server(), HALTED, async (world) => {
      const workers = await Promise.all(Array.from({ length: count }, () => world.startWorker()));
      await until('the second batch of api begins', () => inBatch(world, 'api', 2));
      await kill(workers[0] as WorkerProcess);
      return 'the others went on';
    }),
  );
}

survives('Several workers, of which some are killed', '4 workers, killed one by one until one is left', () =>
  disturbed('workers one by one', server(), HALTED, async (world) => {
    const workers = await Promise.all(Array.from({ length: 4 }, () => world.startWorker()));
    for (const [i, worker] of workers.slice(1).entries()) {
      await until(`batch ${i + 1} of api begins`, () => inBatch(world, 'api', i + 1));
      await kill(worker);
    }
    return 'the last one ended it';
  }),
);

const ZOMBIES = 'A worker is frozen past its time-outs and comes back';

/** Ends a worker in good order, and so waits for what it had in hand. */
async function endInOrder(worker: WorkerProcess): Promise<void> {
  process.kill(worker.pid, 'SIGTERM');
  thaw(worker);
  expect(await worker.exited).toBe('exit code 0');
  expect(await worker.log()).toContain('worker stopped');
}

const journalOf = async ({ ledger }: SurvivalWorld) => (await ledger.journal.read({})).length;

for (const [edge, what] of [
  ['swapOsDisks:before:3', 'about to swap the disks of a batch'],
  ['lookAtScaleSet:before:4', 'about to choose the next batch'],
  ['checkHealth:before:5', 'about to judge a batch'],
  ['restoreOsDisks:before:1', 'about to restore a disk'],
  ['lookAtRegion:after-write:2', 'about to begin the sets of a region'],
  ['lookAtScaleSet:after-write:4', 'in the middle of a look'],
  ['setRolloutStatus:before:1', 'about to halt the rollout'],
] as const) {
  survives(ZOMBIES, `${edge}: ${what}, when all is over`, () =>
    disturbed(`zombie ${edge}`, server(), HALTED, async (world, rollout) => {
      const zombie = await world.startWorker(`${edge}:stop`);
      await untilFrozen(zombie);
      await world.startWorker();
      await rollout;
      const lines = await journalOf(world);
      await endInOrder(zombie);
      expect(await journalOf(world)).toBe(lines);
      return 'another did its work; what it did when it came back changed nothing';
    }),
  );
}

/** The VMs of a set that a worker was about to swap when it was frozen. */
async function openBatchOf({ ledger }: SurvivalWorld, name: string): Promise<string[]> {
  const attempt = await ledger.attempts.openOf(testSetId(name));
  const batches = attempt ? await ledger.attempts.batches(attempt.id) : [];
  return batches.findLast((batch) => batch.endedAt === null)?.instanceIds ?? [];
}

survives(ZOMBIES, 'about to swap a VM that its owner protected meanwhile, after a take-over', () =>
  inWorld('zombie fenced', server(), TERMINATED, async (world) => {
    const { fleet, clock, env } = world;
    const front = testSetId('front');
    const zombie = await world.startWorker('swapOsDisks:before:2:stop');
    await startRollout(world, { phases: [{ name: 'canary', regions: ['eastus'] }], settings: QUICK });
    await untilFrozen(zombie);
    const spared = await openBatchOf(world, 'front');
    const protect = (protectFromScaleSetActions: boolean) =>
      fleet.changeInstances(front, spared, { protectFromScaleSetActions }, virtualAt(clock, Date.now()));
    await protect(true);
    await env.client.workflow.getHandle(scaleSetRolloutId(front)).terminate('so that another takes over');
    await world.startWorker();
    await untilAllIsOver(world);
    await protect(false);
    const lines = await journalOf(world);
    await endInOrder(zombie);
    expect(await zombie.log()).toContain('Fence 1 has been overtaken by 2');
    expect(await journalOf(world)).toBe(lines);
    const { outcome, counts } = await expectSurvived(world, null);
    expect(outcome.disks.filter((disk) => disk.endsWith(OLD_VERSION))).toEqual(
      spared.map((id) => `front/${id} ${OLD_VERSION}`),
    );
    expect(counts).toMatchObject({ swaps: 9 - spared.length, takeOvers: 1 });
    return `its swap was refused as Fenced: VM ${spared.join(', ')} has its disk still, and the journal no line of it`;
  }),
);

survives('A worker is asked to end', 'SIGTERM while it swaps the disks of a batch', () =>
  disturbed('drain', server(), HALTED, async (world, rollout) => {
    const leaving = await world.startWorker('swapOsDisks:before:2:stop');
    await untilFrozen(leaving);
    await endInOrder(leaving);
    await world.startWorker();
    await rollout;
    expect(await swapsOf(world, leaving)).toMatchObject([{ attempt: 1 }, { attempt: 1 }]);
    return 'it ended the swap, told Temporal, and exited with 0';
  }),
);

/** The swaps that Temporal has from a worker, and at which try. */
async function swapsOf({ env: { client } }: SurvivalWorld, { pid }: WorkerProcess) {
  const swaps: { attempt: number }[] = [];
  for await (const { workflowId, runId } of client.workflow.list({
    query: "WorkflowType = 'batchUpgrade'",
  })) {
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const completed = new Set(
      events?.map((event) => String(event.activityTaskCompletedEventAttributes?.startedEventId)),
    );
    const scheduled = new Map(
      events?.map((event) => [
        String(event.eventId),
        event.activityTaskScheduledEventAttributes?.activityType?.name,
      ]),
    );
    for (const { eventId, activityTaskStartedEventAttributes: started } of events ?? []) {
      if (!started?.identity?.startsWith(`${pid}@`) || !completed.has(String(eventId))) continue;
      if (scheduled.get(String(started.scheduledEventId)) === 'swapOsDisks')
        swaps.push({ attempt: started.attempt ?? 0 });
    }
  }
  return swaps;
}
