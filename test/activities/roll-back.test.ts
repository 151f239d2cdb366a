import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/clock.ts';
import type { FaultSpec } from '../../src/fleet/index.ts';
import type { Rollout } from '../../src/ledger/port.ts';
import { NEW_VERSION, OLD_VERSION } from '../support/fleet.ts';
import {
  at,
  configuredBatch,
  healthInput,
  oneSet,
  outcomesOf,
  removeWorldsAfterEach,
  setLook,
} from './support.ts';

removeWorldsAfterEach();

/**
 * A set that restores nothing by itself, after its first batch, `0` and `5`, of which `5` failed: half of those upgraded, so
 * that the policy is broken.
 */
async function broken(rollsBack: boolean, rollout: Partial<Rollout> = {}, more: FaultSpec[] = []) {
  const set = {
    disableAutomaticRollback: true,
    rollingUpgradePolicy: { rollbackFailedInstancesOnPolicyBreach: rollsBack },
  };
  const faults: FaultSpec[] = [{ kind: 'neverHealthy', version: NEW_VERSION, instances: ['5'] }, ...more];
  const { world, id } = await oneSet(set, { faults, rollout });
  const { look, configuredAt } = await configuredBatch(world, id);
  const judgedAt = configuredAt + 5 * MINUTE;
  await world.activities.checkHealth(healthInput(id, look, judgedAt));
  expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: 'upgraded', 5: 'left' });
  const next = (moment: number) =>
    world.activities.lookAtScaleSet(setLook(id, { attempt: look.attempt, at: moment }));
  const disksAt = async (moment: number) =>
    (await world.fleet.instances(id, moment, ['0', '5'])).map(({ osDisk, previousOsDisk }) => [
      osDisk?.source.version,
      previousOsDisk?.source.version ?? null,
    ]);
  return { world, id, look, judgedAt, next, disksAt };
}

const FAULTED = {
  kind: 'finished',
  status: 'Faulted',
  reason: { code: 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade' },
};

describe('failed instances when the policy is broken (B7)', () => {
  it('are restored, and only they, where the policy asks for it; then the attempt ends', async () => {
    const { world, id, look, judgedAt, next, disksAt } = await broken(true);
    // Only the disk of the one that failed is kept.
    expect(await disksAt(judgedAt)).toEqual([
      [NEW_VERSION, null],
      [NEW_VERSION, OLD_VERSION],
    ]);
    const step = await next(judgedAt);
    expect(step).toMatchObject({ kind: 'rollBack', instanceIds: ['5'] });
    if (step.kind !== 'rollBack') return;
    const input = { ...step, scaleSetId: id, at: judgedAt };
    const { pendingUntil } = await world.activities.restoreOsDisks(input);
    await world.activities.closeRollBack({ ...input, at: pendingUntil as number });
    expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: 'upgraded', 5: 'restored' });
    expect(await disksAt(pendingUntil as number)).toEqual([
      [NEW_VERSION, null],
      [OLD_VERSION, null],
    ]);
    expect(await next(pendingUntil as number)).toMatchObject(FAULTED);
  });

  it('are in quarantine where that fails', async () => {
    const { world, id, look, judgedAt, next } = await broken(true, {}, [
      { kind: 'restoreFails', instances: ['5'] },
    ]);
    const step = await next(judgedAt);
    expect(step.kind).toBe('rollBack');
    if (step.kind !== 'rollBack') return;
    const input = { ...step, scaleSetId: id, at: judgedAt };
    const { pendingUntil } = await world.activities.restoreOsDisks(input);
    await world.activities.closeRollBack({ ...input, at: pendingUntil as number });
    expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: 'upgraded', 5: 'restoreFailed' });
    expect(await world.ledger.quarantine.list()).toMatchObject([{ instanceId: '5' }]);
    expect(await next(pendingUntil as number)).toMatchObject(FAULTED);
  });

  it.each<[string, boolean, Partial<Rollout>]>([
    ['without the word of the policy', false, {}],
    ['in a manual rollout', true, { kind: 'manual' }],
  ])('stay as they are %s, and their kept disks go', async (_, rollsBack, rollout) => {
    const { judgedAt, next, disksAt } = await broken(rollsBack, rollout);
    expect(await next(judgedAt)).toMatchObject(FAULTED);
    expect(await disksAt(at(0) + HOUR)).toEqual([
      [NEW_VERSION, null],
      [NEW_VERSION, null],
    ]);
  });
});
