import { describe, expect, it } from 'vitest';
import { historyItem } from '../../src/arm/history.ts';
import { HOUR, MINUTE } from '../../src/domain/clock.ts';
import { NEW_VERSION, OLD_VERSION } from '../support/fleet.ts';
import {
  at,
  batchInput,
  configuredBatch,
  healthInput,
  oneSet,
  removeWorldsAfterEach,
  setLook,
  type ActivityWorld,
} from './support.ts';

removeWorldsAfterEach();

const faults = [
  { kind: 'neverHealthy' as const, version: NEW_VERSION, instances: ['5'] },
  { kind: 'restoreFails' as const, instances: ['5'] },
];
const timedOut = 'HealthTimeout: not healthy within 300 s of its last extension.';
const stuck = `OsDiskRestoreFailed: The previous OS disk (${OLD_VERSION}) could not be attached; the new one was put back.`;

/** What is on record of the restore of instance `5`, the only one that failed: of the attempt, in its history, in the quarantine. */
async function recorded({ ledger }: ActivityWorld, attemptId: string) {
  const [attempt, instances, quarantine] = await Promise.all([
    ledger.attempts.get(attemptId),
    ledger.attempts.instances(attemptId),
    ledger.quarantine.list(),
  ]);
  if (attempt === null) throw new Error(`no attempt ${attemptId}`);
  return {
    errors: instances.map(({ error, restoreError }) => [error, restoreError]),
    history: historyItem(attempt, instances, 'eastus').properties.rollbackInfo.rollbackError,
    quarantine: quarantine.map(({ instanceId, error }) => [instanceId, error]),
  };
}

const both = `${stuck} It had failed before: ${timedOut}`;
const all = {
  errors: [
    [null, null],
    [timedOut, stuck],
  ],
  history: { code: 'OsDiskRestoreFailed', message: `Instance 5: ${both}` },
  quarantine: [['5', both]],
};

describe('a restore that failed tells why, and what it was made for (E1)', () => {
  it('after a batch (B6)', async () => {
    const { world, id } = await oneSet({}, { faults });
    const { look, configuredAt } = await configuredBatch(world, id);
    const close = healthInput(id, look, configuredAt + 5 * MINUTE);
    const { toRestore: failures } = await world.activities.checkHealth(close);
    const restore = { ...batchInput(id, look, configuredAt + 5 * MINUTE), instanceIds: ['5'] };
    await world.activities.restoreOsDisks(restore);
    await world.activities.closeBatch({ ...close, at: configuredAt + 10 * MINUTE, failures });
    expect(await recorded(world, look.attempt.id)).toEqual(all);
    // Nothing was begun by asking.
    const restores = (await world.ledger.journal.read({ scaleSetId: id })).filter(
      ({ operation }) => operation === 'osDisk.restore',
    );
    expect(restores.map(({ event }) => event)).toEqual(['started', 'failed']);
  });

  it('after the policy was broken (B7)', async () => {
    const policy = { rollbackFailedInstancesOnPolicyBreach: true };
    const set = { disableAutomaticRollback: true, rollingUpgradePolicy: policy };
    const { world, id } = await oneSet(set, { faults });
    const { look, configuredAt } = await configuredBatch(world, id);
    const judgedAt = configuredAt + 5 * MINUTE;
    await world.activities.checkHealth(healthInput(id, look, judgedAt));
    const next = setLook(id, { attempt: look.attempt, at: judgedAt });
    const step = await world.activities.lookAtScaleSet(next);
    expect(step).toMatchObject({ kind: 'rollBack', instanceIds: ['5'] });
    const input = { ...batchInput(id, look, judgedAt), instanceIds: ['5'] };
    await world.activities.restoreOsDisks(input);
    await world.activities.closeRollBack({ ...input, at: at(0) + HOUR });
    expect(await recorded(world, look.attempt.id)).toEqual(all);
  });
});
