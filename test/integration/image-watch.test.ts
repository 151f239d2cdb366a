import type { Connection } from '@temporalio/client';
import { expect, it, vi } from 'vitest';
import {
  publish,
  switchImageWatchOff,
  switchImageWatchOn,
  tellImageWatch,
  viewImageWatch,
  type ClientContext,
} from '../../src/client/index.ts';
import { HOUR } from '../../src/domain/clock.ts';
import { imageLabel } from '../../src/domain/image.ts';
import { imageRolloutId } from '../../src/workflows/ids.ts';
import { JAMMY, NEW_VERSION, TARGET } from '../support/fleet.ts';
import { QUICK, rolloutWorld, useRealServer, versionsOf, type RolloutWorld } from '../support/rollout.ts';

const env = useRealServer();

const LATER = '22.04.202512200';
/** Two hours are twelve seconds. */
const SPEED = 600;
const PATIENCE = { timeout: 60_000, interval: 200 };

function contextOf({ fleet, ledger }: RolloutWorld): ClientContext {
  const { client } = env;
  return { fleet, ledger, temporal: async () => ({ client, connection: client.connection as Connection }) };
}

const hasEnded = (world: RolloutWorld, id: string, status: string) =>
  vi.waitUntil(async () => (await world.ledger.rollouts.get(id))?.status === status, PATIENCE);

it('the schedule picks up what is due, looks at once when told, and begins anew what was terminated', async () => {
  const world = await rolloutWorld(env, [{ name: 'web', region: 'eastus', capacity: 2 }], { speed: SPEED });
  const context = contextOf(world);
  const first = imageRolloutId(TARGET, 1);
  const later = { image: JAMMY, version: LATER };
  await world.worker.runUntil(async () => {
    expect(await viewImageWatch(context)).toEqual({ isOn: false, every: null, nextAt: null, last: [] });
    await switchImageWatchOn(context, { every: 2 * HOUR, settings: QUICK });
    expect(await viewImageWatch(context)).toMatchObject({ isOn: true, every: 2 * HOUR });
    await hasEnded(world, first, 'Completed');
    expect((await world.ledger.rollouts.get(first))?.startedBy).toBe('imageWatch');
    expect(await versionsOf(world, 'web')).toEqual({ [NEW_VERSION]: 2 });

    await publish({ ...context, ...world }, { image: imageLabel(JAMMY), version: LATER });
    expect(await tellImageWatch(context)).toContain('looks at it now');
    const second = imageRolloutId(later, 1);
    await vi.waitUntil(async () => (await world.ledger.rollouts.get(second)) !== null, PATIENCE);
    await vi.waitUntil(() => terminated(second), PATIENCE);
    await hasEnded(world, second, 'Cancelled');
    await hasEnded(world, imageRolloutId(later, 2), 'Completed');
    expect(await versionsOf(world, 'web')).toEqual({ [LATER]: 2 });

    expect(await switchImageWatchOff(context)).toBe(true);
    expect(await switchImageWatchOff(context)).toBe(false);
    expect(await tellImageWatch(context)).toContain('is off');
  });
});

/** False while it has not begun. */
function terminated(workflowId: string): Promise<boolean> {
  return env.client.workflow
    .getHandle(workflowId)
    .terminate('by hand')
    .then(
      () => true,
      () => false,
    );
}
