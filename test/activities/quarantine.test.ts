import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../src/domain/clock.ts';
import { recordAttempt } from '../cli/recorded.ts';
import { NEW_VERSION } from '../support/fleet.ts';
import {
  asBatch,
  at,
  batchInput,
  configuredBatch,
  healthInput,
  oneSet,
  removeWorldsAfterEach,
  setLook,
} from './support.ts';

removeWorldsAfterEach();

describe('an instance whose restore fails', () => {
  it('is in quarantine from then on, with the reason why it was to be restored (B6)', async () => {
    const faults = [
      { kind: 'neverHealthy' as const, version: NEW_VERSION, instances: ['5'] },
      { kind: 'restoreFails' as const, instances: ['5'] },
    ];
    const { world, id } = await oneSet({}, { faults });
    const { look, configuredAt } = await configuredBatch(world, id);
    const judgedAt = configuredAt + 5 * MINUTE;
    const { toRestore: failures } = await world.activities.checkHealth(healthInput(id, look, judgedAt));
    await world.activities.restoreOsDisks({ ...batchInput(id, look, judgedAt), instanceIds: ['5'] });
    await world.activities.closeBatch({ ...healthInput(id, look, judgedAt + MINUTE), failures });
    expect(await world.ledger.quarantine.list()).toMatchObject([
      { scaleSetId: id, instanceId: '5', error: expect.stringContaining('HealthTimeout') },
    ]);
  });
});

describe('an instance in quarantine', () => {
  /** Ten well VMs, of which the restore of the first failed some time ago. */
  const withQuarantine = async () => {
    const { world, id } = await oneSet();
    await recordAttempt(world, id, { outcomes: { 0: 'restoreFailed' }, at: at(-900) });
    return { world, id };
  };

  it('is not touched by the next upgrade', async () => {
    const { world, id } = await withQuarantine();
    const look = asBatch(await world.activities.lookAtScaleSet(setLook(id)));
    expect(look).toMatchObject({ instanceIds: ['5'], progress: { pendingInstanceCount: 8 } });
  });

  it('counts as unhealthy, however well it looks (B1)', async () => {
    const { world, id } = await withQuarantine();
    await world.fleet.changeInstances(id, ['1', '2'], { power: 'stopped' }, at(1));
    expect(await world.activities.lookAtScaleSet(setLook(id, { at: at(5) }))).toMatchObject({
      status: 'Faulted',
      reason: { message: expect.stringContaining('3 of 10') },
    });
  });
});
