import { expect, it } from 'vitest';
import { createActivities } from '../../src/activities/index.ts';
import { auditJournal } from '../../src/audit/index.ts';
import { virtualAt } from '../../src/domain/clock.ts';
import { workflowDirectory } from '../../src/temporal/workflow-directory.ts';
import { TASK_QUEUE, type ImageRolloutResult } from '../../src/workflows/messages.ts';
import { JAMMY, NEW_VERSION, testSetId } from '../support/fleet.ts';
import {
  QUICK,
  inBatch,
  passTimeUntil,
  rolloutWorld,
  startRollout,
  useTimeSkippingServer,
  versionsOf,
} from '../support/rollout.ts';

const env = useTimeSkippingServer();

const LATER = '22.04.202512200';

it('a newer version takes over at the end of the batch, and goes through phases of its own (D7)', async () => {
  const world = await rolloutWorld(env, [
    { name: 'web', region: 'eastus', capacity: 10 },
    { name: 'late', region: 'northeurope', capacity: 2 },
  ]);
  const { fleet, ledger, clock } = world;
  const workflows = workflowDirectory(env.client);
  const activities = createActivities({ fleet, ledger, workflows, heartbeat: () => undefined });
  const phases = [
    { name: 'canary', regions: ['eastus'] },
    { name: 'broad', regions: ['northeurope'] },
  ];
  const [older, newer] = await world.worker.runUntil(async () => {
    const first = await startRollout(world, { phases, settings: QUICK });
    await passTimeUntil(world, () => inBatch(world, 'web', 2));
    const at = virtualAt(clock, await env.currentTimeMs());
    await fleet.publishImageVersion({ image: JAMMY, version: LATER, at });
    const { start } = await activities.lookAtImages({ at, settings: QUICK });
    const [{ id, target, phases: own, settings }] = start as [(typeof start)[number]];
    const second = await env.client.workflow.start('imageRollout', {
      workflowId: id,
      taskQueue: TASK_QUEUE,
      args: [{ v: 1, rolloutId: id, clock, target, phases: own, settings }],
    });
    return [await first.result(), await second.result()] as ImageRolloutResult[];
  });

  expect(older).toMatchObject({ status: 'Superseded', reason: { code: 'Superseded' }, phasesDone: 0 });
  expect(newer).toMatchObject({ status: 'Completed', phasesDone: 2 });
  const statuses = (await ledger.rollouts.list()).map(({ target, status }) => [target.version, status]);
  expect(Object.fromEntries(statuses)).toEqual({ [NEW_VERSION]: 'Superseded', [LATER]: 'Completed' });
  const attempts = await ledger.attempts.listOf({ scaleSetId: testSetId('web') });
  expect(attempts.map(({ status, reason }) => [status, reason?.code ?? null])).toEqual([
    ['Completed', null],
    ['Cancelled', 'Superseded'],
  ]);
  // The batch under way was finished, and none was begun after it.
  const batches = await ledger.attempts.batches(attempts[1]?.id ?? '');
  expect(batches.map(({ endedAt }) => endedAt !== null)).toEqual([true, true]);
  expect(attempts[1]?.progress).toMatchObject({ successfulInstanceCount: 4, inProgressInstanceCount: 0 });
  expect(await ledger.attempts.listOf({ scaleSetId: testSetId('late') })).toHaveLength(1);
  expect(await versionsOf(world, 'web')).toEqual({ [LATER]: 10 });
  expect(await versionsOf(world, 'late')).toEqual({ [LATER]: 2 });
  expect(auditJournal(await ledger.journal.read({}), []).violations).toEqual([]);
});
