import { describe, expect, it } from 'vitest';
import { NEW_VERSION } from '../support/fleet.ts';
import { useRealServer, QUICK, rolloutWorld, startRollout, versionsOf } from '../support/rollout.ts';

/* A real server: the time-skipping one stops time when a workflow continues as new while its abandoned children sleep. */
const env = useRealServer();

describe('a region with a long history', () => {
  it('continues as new while its sets go on, and finds them again', async () => {
    const sets = Array.from({ length: 6 }, (_, i) => ({ name: `s${i}`, region: 'eastus', capacity: 3 }));
    const world = await rolloutWorld(env, sets, { speed: 600 });
    const settings = { ...QUICK, maxHistoryEvents: 30, maxConcurrentScaleSets: 2 };
    await world.worker.runUntil(async () => {
      const handle = await startRollout(world, { phases: [{ name: 'all', regions: ['eastus'] }], settings });
      expect((await handle.result()).status).toBe('Completed');
      const region = env.client.workflow.getHandle(`${handle.workflowId}/phase-1/eastus`);
      const first = (await region.fetchHistory()).events?.[0]?.workflowExecutionStartedEventAttributes;
      expect(first?.continuedExecutionRunId ?? '').not.toBe('');
    });
    for (const { name } of sets) expect(await versionsOf(world, name)).toEqual({ [NEW_VERSION]: 3 });
    const attempts = await world.ledger.attempts.listOf({});
    expect(attempts).toHaveLength(6);
    const most = attempts.map(
      (one) =>
        attempts.filter((other) => other.startedAt <= one.startedAt && (other.endedAt ?? 0) > one.startedAt)
          .length,
    );
    expect(Math.max(...most)).toBeLessThanOrEqual(2);
  });
});
