import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { HOUR, MINUTE, SECOND, isoTime } from '../../src/domain/clock.ts';
import { NEW_VERSION, OLD_VERSION, type TestFleetOptions, type TestSet } from '../support/fleet.ts';
import {
  asBatch,
  at,
  batchInput,
  configuredBatch,
  healthInput,
  oneSet,
  outcomesOf,
  removeWorldsAfterEach,
  setLook,
  type ActivityWorld,
} from './support.ts';

removeWorldsAfterEach();

type Faults = NonNullable<TestFleetOptions['faults']>;

/**
 * Ten VMs whose first batch, `0` and `5`, has been upgraded and is not healthy yet: that takes 15 s, and what faults add. The
 * probe asks every 15 s, and two of its readings are needed.
 */
async function upgradedBatch(set: Partial<TestSet> = {}, options: TestFleetOptions = {}) {
  const { world, id } = await oneSet(set, options);
  const { look, configuredAt } = await configuredBatch(world, id);
  expect(look.instanceIds).toEqual(['0', '5']);
  const check = (afterMs: number, change: Partial<Parameters<typeof healthInput>[3]> = {}) =>
    world.activities.checkHealth(healthInput(id, look, configuredAt + afterMs, change));
  return { world, id, look, configuredAt, check };
}

async function waitsOf({ ledger }: ActivityWorld, scaleSetId: string): Promise<string[]> {
  const lines = await ledger.journal.read({ scaleSetId });
  return lines
    .filter(({ operation }) => operation === 'health.wait')
    .map(({ instanceId, event, at: moment }) => `${instanceId} ${event} ${(moment - at(0)) / SECOND}s`);
}

const slow = (seconds: number, instances = ['5']): Faults => [{ kind: 'slowHealth', seconds, instances }];
const neverHealthy: Faults = [{ kind: 'neverHealthy', version: NEW_VERSION, instances: ['5'] }];

describe('the wait for health (B5)', () => {
  it('looks again after the poll interval until all are healthy, then closes the batch', async () => {
    const { world, look, id, check, configuredAt } = await upgradedBatch();
    expect(await check(0)).toMatchObject({ waiting: 2, nextLookAt: configuredAt + 30 * SECOND });
    expect(await check(30 * SECOND)).toEqual({
      healthy: 2,
      waiting: 0,
      nextLookAt: null,
      toRestore: [],
      left: 0,
    });
    expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: 'upgraded', 5: 'upgraded' });
    const disks = await world.fleet.instances(id, configuredAt + MINUTE, look.instanceIds);
    expect(disks.map(({ previousOsDisk }) => previousOsDisk)).toEqual([null, null]);
  });

  it('looks again when the readings are complete, not at the next interval', async () => {
    const { check, configuredAt } = await upgradedBatch();
    expect(await check(16 * SECOND)).toMatchObject({ waiting: 2, nextLookAt: configuredAt + 30 * SECOND });
    expect(await check(29 * SECOND)).toMatchObject({ waiting: 2, nextLookAt: configuredAt + 30 * SECOND });
  });

  it('takes as many readings as the rollout wants', async () => {
    const { healthTimeout, healthPollInterval } = DEFAULT_SETTINGS;
    for (const [healthyReadings, seconds] of [
      [1, 15],
      [4, 60],
    ] as const) {
      const { check } = await upgradedBatch();
      const settings = { healthTimeout, healthPollInterval, healthyReadings };
      expect(await check(seconds * SECOND - 1, { settings })).toMatchObject({ waiting: 2 });
      expect(await check(seconds * SECOND, { settings })).toMatchObject({ waiting: 0, healthy: 2 });
    }
  });

  it('does not take a signal that flaps for a healthy one, and restores', async () => {
    const flapping: Faults = [
      { kind: 'flapping', periodSeconds: 30, instances: ['5'], version: NEW_VERSION },
    ];
    const { check } = await upgradedBatch({}, { faults: flapping });
    expect(await check(HOUR)).toMatchObject({ healthy: 1, toRestore: [{ instanceId: '5' }] });
    // Healthy for a minute at a time, it has its two readings.
    const slowly: Faults = [{ kind: 'flapping', periodSeconds: 120, instances: ['5'] }];
    const other = await upgradedBatch({}, { faults: slowly });
    expect(await other.check(HOUR)).toMatchObject({ healthy: 2, toRestore: [] });
  });

  it('begins when the last extension has ended: while one runs nothing is late', async () => {
    const { world, id } = await oneSet({ extensions: [{ name: 'app' }] });
    const look = asBatch(await world.activities.lookAtScaleSet(setLook(id)));
    const input = (seconds: number) => batchInput(id, look, at(seconds));
    const check = (seconds: number) => world.activities.checkHealth(healthInput(id, look, at(seconds)));
    await world.activities.swapOsDisks(input(0));
    await world.activities.configureInstances(input(50));
    // The model is applied from 50 s to 55 s, the extension runs until 65 s.
    for (const seconds of [50, 56, 64]) {
      expect(await check(seconds)).toMatchObject({ waiting: 2, toRestore: [], left: 0 });
    }
    expect(await waitsOf(world, id)).toEqual([]);
    expect(await check(65 + 30)).toMatchObject({ waiting: 0, healthy: 2 });
  });

  it('lasts as long as the rollout says', async () => {
    const { check, configuredAt } = await upgradedBatch({}, { faults: neverHealthy });
    const { healthPollInterval } = DEFAULT_SETTINGS;
    const settings = { healthTimeout: 2 * MINUTE, healthPollInterval };
    expect(await check(100 * SECOND, { settings })).toMatchObject({ nextLookAt: configuredAt + 2 * MINUTE });
    const { toRestore } = await check(2 * MINUTE, { settings });
    expect(toRestore).toEqual([{ instanceId: '5', error: expect.stringContaining('within 120 s') }]);
  });

  it('looks for the last time when the 5 minutes are over, not later', async () => {
    const { check, configuredAt } = await upgradedBatch({}, { faults: neverHealthy });
    expect(await check(290 * SECOND)).toMatchObject({
      waiting: 1,
      nextLookAt: configuredAt + 5 * MINUTE,
    });
  });

  it('restores nothing that was healthy in time, however late the look comes', async () => {
    const { world, look, check } = await upgradedBatch({}, { faults: slow(270) });
    expect(await check(HOUR)).toMatchObject({ healthy: 2, toRestore: [], left: 0, nextLookAt: null });
    expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: 'upgraded', 5: 'upgraded' });
  });

  it('restores what had its readings too late by one, however healthy it is by the time of the look', async () => {
    const { check } = await upgradedBatch({}, { faults: slow(271) });
    const late = await check(HOUR);
    expect(late).toMatchObject({ healthy: 1, nextLookAt: null });
    expect(late.toRestore).toEqual([
      { instanceId: '5', error: 'HealthTimeout: not healthy within 300 s of its last extension.' },
    ]);
  });

  it('restores nothing while others still wait: all failed ones go back together', async () => {
    const faults: Faults = [{ kind: 'swapFails', instances: ['0'] }, ...slow(100)];
    const { check } = await upgradedBatch({}, { faults });
    expect(await check(60 * SECOND)).toMatchObject({ waiting: 1, toRestore: [] });
    const { waiting, toRestore } = await check(135 * SECOND);
    expect(waiting).toBe(0);
    expect(toRestore).toEqual([{ instanceId: '0', error: expect.stringContaining('NotOnTarget') }]);
  });

  it('is in the journal once, by the moments at which things happened', async () => {
    const { world, id, check } = await upgradedBatch({}, { faults: slow(286) });
    await check(0);
    await check(30 * SECOND);
    await check(HOUR);
    await check(HOUR);
    // Configured after 55 s; healthy for two readings 30 s later; timed out after 5 minutes.
    expect(await waitsOf(world, id)).toEqual([
      '0 started 55s',
      '5 started 55s',
      '0 succeeded 85s',
      '5 failed 355s',
    ]);
  });
});

describe('restores (B6)', () => {
  it('put the old version back and record why, which a restored VM no longer shows', async () => {
    const { world, id, look, check, configuredAt } = await upgradedBatch({}, { faults: neverHealthy });
    const { toRestore } = await check(5 * MINUTE);
    expect(toRestore.map(({ instanceId }) => instanceId)).toEqual(['5']);
    expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: null, 5: null });

    const restoring = configuredAt + 5 * MINUTE;
    const chunk = { ...batchInput(id, look, restoring), instanceIds: ['5'] };
    const { pendingUntil } = await world.activities.restoreOsDisks(chunk);
    expect(pendingUntil).toBe(restoring + 40 * SECOND);
    await world.activities.restoreOsDisks({ ...chunk, at: pendingUntil as number });
    const close = { ...healthInput(id, look, pendingUntil as number), failures: toRestore };
    expect(await world.activities.closeBatch(close)).toEqual({ restored: 1, failed: 0 });
    // A worker that died after this asks once more.
    expect(await world.activities.closeBatch(close)).toEqual({ restored: 1, failed: 0 });

    const taken = await world.ledger.attempts.instances(look.attempt.id);
    expect(taken[1]).toMatchObject({
      outcome: 'restored',
      error: expect.stringContaining('HealthTimeout: not healthy within 300 s'),
    });
    const [healthy, restored] = await world.fleet.instances(id, pendingUntil as number, ['0', '5']);
    expect(healthy?.osDisk?.source.version).toBe(NEW_VERSION);
    expect(restored?.osDisk?.source.version).toBe(OLD_VERSION);
  });

  it('that fail are recorded as such', async () => {
    const faults: Faults = [...neverHealthy, { kind: 'restoreFails', instances: ['5'] }];
    const { world, id, look, check, configuredAt } = await upgradedBatch({}, { faults });
    const { toRestore: failures } = await check(5 * MINUTE);
    await world.activities.restoreOsDisks({ ...batchInput(id, look, at(400)), instanceIds: ['5'] });
    const close = healthInput(id, look, configuredAt + 10 * MINUTE);
    expect(await world.activities.closeBatch({ ...close, failures })).toEqual({ restored: 0, failed: 1 });
    expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: 'upgraded', 5: 'restoreFailed' });
  });

  it('are not made in a manual rollout, nor where the set has switched them off', async () => {
    const { world, id, look, check, configuredAt } = await upgradedBatch(
      { disableAutomaticRollback: true },
      { faults: neverHealthy },
    );
    expect(look.restoresOnFailure).toBe(false);
    expect(await check(5 * MINUTE)).toMatchObject({ healthy: 1, toRestore: [], left: 1, nextLookAt: null });
    expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: 'upgraded', 5: 'left' });
    // The batch is judged, and nobody will restore it any more.
    const [bad] = await world.fleet.instances(id, configuredAt + HOUR, ['5']);
    expect(bad?.previousOsDisk).toBeNull();
  });

  it('tell of an extension that failed on the VM, not only of the time that passed', async () => {
    const faults: Faults = [{ kind: 'extensionFails', extension: 'app', instances: ['5'] }];
    const { check } = await upgradedBatch({ extensions: [{ name: 'app' }] }, { faults });
    const { toRestore } = await check(5 * MINUTE);
    expect(toRestore).toEqual([{ instanceId: '5', error: expect.stringContaining('ExtensionFailed: ') }]);
  });

  it('leave out a VM that was deleted meanwhile', async () => {
    const { world, id, look, check, configuredAt } = await upgradedBatch();
    await world.fleet.deleteInstances(id, ['5'], configuredAt);
    expect(await check(30 * SECOND)).toMatchObject({ healthy: 1, toRestore: [], left: 1, nextLookAt: null });
    expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: 'upgraded', 5: 'left' });
  });

  it('end the batch of a set that was deleted meanwhile: there is nothing to wait for', async () => {
    const { world, id, look, check, configuredAt } = await upgradedBatch();
    await world.fleet.deleteScaleSet(id, configuredAt);
    expect(await check(20 * SECOND)).toMatchObject({ healthy: 0, toRestore: [], left: 2, nextLookAt: null });
    expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: 'left', 5: 'left' });
  });
});

describe('a fault of the model (B11)', () => {
  const url = 'https://assets.blob.core.windows.net/app/install.sh';
  const extensions = [{ name: 'app', settings: { fileUris: [url] } }];

  for (const [what, resource, code] of [
    ['an expired credential', { credentialExpiresAt: isoTime(at(0)) }, 'CredentialExpired'],
    ['a resource that is gone', { goneAt: isoTime(at(0)) }, 'ExternalResourceUnavailable'],
  ] as const) {
    it(`(${what}) leaves its batch as it is and ends the upgrade`, async () => {
      const options = { externalResources: [{ url, ...resource }] };
      const { world, id, look, check, configuredAt } = await upgradedBatch({ extensions }, options);
      expect(look.restoresOnFailure).toBe(true);
      expect(await check(5 * MINUTE)).toMatchObject({ healthy: 0, toRestore: [], left: 2, nextLookAt: null });
      expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: 'left', 5: 'left' });
      const instances = await world.fleet.instances(id, configuredAt + HOUR, look.instanceIds);
      expect(instances.map(({ osDisk }) => osDisk?.source.version)).toEqual([NEW_VERSION, NEW_VERSION]);

      const end = { attempt: look.attempt, at: configuredAt + HOUR };
      expect(await world.activities.lookAtScaleSet(setLook(id, end))).toMatchObject({
        kind: 'finished',
        status: 'Faulted',
        reason: { code: 'ExtensionResourceUnavailable', message: expect.stringContaining(code) },
      });
    });
  }
});

describe('a fault of the model beside an instance that failed by itself (B11, B6)', () => {
  it('is left as it is and in no quarantine, and the other one is restored', async () => {
    const url = 'https://assets.blob.core.windows.net/app/install.sh';
    const extensions = [{ name: 'app', settings: { fileUris: [url] } }];
    const options = {
      externalResources: [{ url, goneAt: isoTime(at(0)) }],
      faults: [{ kind: 'swapFails' as const, instances: ['0'] }],
    };
    const { world, id, look, check, configuredAt } = await upgradedBatch({ extensions }, options);
    const { toRestore: failures } = await check(10 * MINUTE);
    expect(failures.map(({ instanceId }) => instanceId)).toEqual(['0']);
    const restoring = { ...batchInput(id, look, configuredAt + 10 * MINUTE), instanceIds: ['0'] };
    await world.activities.restoreOsDisks(restoring);
    await world.activities.closeBatch({ ...healthInput(id, look, configuredAt + HOUR), failures });
    expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: 'restored', 5: 'left' });
    expect(await world.ledger.quarantine.list()).toEqual([]);
  });
});

describe('an attempt that was taken over', () => {
  it('can no longer close its batch, and a retry cannot help', async () => {
    const { world, id, look, check } = await upgradedBatch();
    const later = setLook(id, { workflow: { id: setLook(id).workflow.id, runId: 'run-2' }, at: at(60) });
    const taken = await world.activities.lookAtScaleSet(later);
    expect(taken.attempt.fence).toBeGreaterThan(look.attempt.fence);
    await expect(check(MINUTE)).rejects.toEqual(
      expect.objectContaining({ type: 'Fenced', nonRetryable: true }),
    );
    expect(await outcomesOf(world, look.attempt.id)).toEqual({ 0: null, 5: null });
  });
});
