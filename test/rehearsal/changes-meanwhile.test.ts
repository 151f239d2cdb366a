import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, isoTime } from '../../src/domain/clock.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { scaleSetScope } from '../../src/domain/scopes.ts';
import type { JournalEntry } from '../../src/domain/operation.ts';
import { mergeModels, type Json } from '../../src/fleet/index.ts';
import type { Attempt, Target } from '../../src/ledger/port.ts';
import { imageRolloutId, manualRolloutId } from '../../src/workflows/ids.ts';
import { NEW_VERSION, OLD_VERSION, TARGET, testSetId, type TestFleetOptions } from '../support/fleet.ts';
import {
  QUICK,
  START,
  journalOf,
  rehearsalOf,
  removeWorldsAfterEach,
  start,
  type RehearsalWorld,
} from './support.ts';

removeWorldsAfterEach();

/*
 * What happens to a scale set while a rollout is under way: between the scan and the trigger, between two batches, while it is
 * paused. Everything is judged as it is at the moment that counts.
 */

const web = testSetId('web');
const ROLLOUT = imageRolloutId(TARGET, 1);
const NEWEST = '22.04.202612010';
const names = { publisher: 'Canonical', offer: '0001-com-ubuntu-server-jammy', sku: '22_04-lts' };
const TOLERANT = { ...QUICK, failureTolerancePercent: 100 };
/** Time to change something before the trigger. */
const LATE = { ...TOLERANT, triggerDelay: { min: 50 * MINUTE, max: 60 * MINUTE } };

const attemptsOf = ({ ledger }: RehearsalWorld): Promise<Attempt[]> =>
  ledger.attempts.listOf({ scaleSetId: web });
const targetOf = async ({ ledger }: RehearsalWorld) => (await ledger.targets.get(ROLLOUT, web)) as Target;

async function versions({ fleet, rehearsal }: RehearsalWorld): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { osDisk } of await fleet.instances(web, rehearsal.now)) {
    const version = osDisk?.source.version ?? 'none';
    counts[version] = (counts[version] ?? 0) + 1;
  }
  return counts;
}

/** A set of ten, or as `change` says. */
function world(
  change: Partial<Parameters<typeof rehearsalOf>[0][number]> = {},
  options: TestFleetOptions = {},
) {
  return rehearsalOf([{ name: 'web', region: 'eastus', capacity: 10, ...change }], options);
}

async function patchModel({ fleet, rehearsal }: RehearsalWorld, patch: Json): Promise<void> {
  const model = mergeModels((await fleet.model(web)) ?? {}, patch);
  await fleet.writeModel({ id: web, model, apiVersion: '2024-11-01', at: rehearsal.now });
}

const profile = (virtualMachineProfile: Json): Json => ({ properties: { virtualMachineProfile } });

async function startByHand({ ledger, fleet, rehearsal }: RehearsalWorld): Promise<void> {
  const rollout = await ledger.rollouts.create({
    id: manualRolloutId(web, 1),
    kind: 'manual',
    target: TARGET,
    generation: 1,
    phases: [],
    settings: DEFAULT_SETTINGS,
    startedBy: 'ada',
    startedAt: rehearsal.now,
  });
  rehearsal.start(rollout, (await fleet.scaleSet(web)) ?? undefined);
}

describe('a set that waits for its trigger', () => {
  const optedOut = { automaticOSUpgradePolicy: { enableAutomaticOSUpgrade: false } };
  const pinned = { storageProfile: { imageReference: { version: OLD_VERSION } } };
  it.each<[string, Json, string]>([
    ['opted out (C1)', { properties: { upgradePolicy: optedOut } }, 'AutomaticOSUpgradeDisabled'],
    ['pinned to a version (C2)', profile(pinned), 'ImageVersionNotLatest'],
    [
      'without a health source (C4)',
      profile({ networkProfile: { healthProbe: null } }),
      'HealthSourceMissing',
    ],
  ])('is skipped when it is %s by then, and no attempt is opened', async (_, patch, code) => {
    const given = await world({ mode: 'Rolling' });
    await start(given, [['eastus']], { settings: LATE });
    given.rehearsal.at(START + 5 * MINUTE, () => patchModel(given, patch));
    expect(await given.rehearsal.run()).toBe('ended');
    expect(await targetOf(given)).toMatchObject({ status: 'skipped', reason: { code } });
    expect(await attemptsOf(given)).toEqual([]);
    expect(await versions(given)).toEqual({ [OLD_VERSION]: 10 });
  });

  it('has nothing left to do when a person has upgraded it: the history tells of one attempt (B12, E1)', async () => {
    const given = await world();
    await start(given, [['eastus']], { settings: LATE });
    given.rehearsal.at(START + MINUTE, () => startByHand(given));
    expect(await given.rehearsal.run()).toBe('ended');
    expect(await attemptsOf(given)).toMatchObject([{ startedBy: 'User', status: 'Completed' }]);
    expect(await targetOf(given)).toMatchObject({ status: 'upgraded', attemptId: null });
  });

  it('is stopped when no instance may be touched, and says why (B3)', async () => {
    const given = await world({ capacity: 3 });
    await given.fleet.changeInstances(web, ['0', '1', '2'], { power: 'stopped' }, START);
    await start(given, [['eastus']], { settings: TOLERANT });
    expect(await given.rehearsal.run()).toBe('ended');
    expect(await targetOf(given)).toMatchObject({
      status: 'stopped',
      reason: { code: 'InstanceNotRunning', message: expect.stringContaining('3 not running') as string },
    });
    // They are not on the version, and the phase's sum says so (rule D2).
    expect(await given.ledger.phases.list(ROLLOUT)).toMatchObject([{ verdict: { eligible: 3, failed: 3 } }]);
  });
});

describe('an attempt under way', () => {
  it('says which instances it left alone, and why, when it is completed (B3)', async () => {
    const given = await world({ protectedInstances: ['3'] });
    await given.fleet.changeInstances(web, ['7'], { power: 'stopped' }, START);
    await start(given, [['eastus']], { settings: TOLERANT });
    await given.rehearsal.run();
    const message = '2 of 10 instances were left alone: 1 protected (3), 1 not running (rule B3) (7).';
    const reason = { code: 'InstanceProtected,InstanceNotRunning', message };
    expect(await attemptsOf(given)).toMatchObject([{ status: 'Completed', reason }]);
    expect(await targetOf(given)).toMatchObject({ status: 'upgraded', reason });
  });

  it('leaves instances alone that are on a later version already (B10)', async () => {
    const published = { version: NEWEST, publishedAt: START + 2 * MINUTE };
    const versionsOffered = [
      { version: OLD_VERSION },
      { version: NEW_VERSION, publishedAt: START - HOUR },
      published,
    ];
    const given = await world({ capacity: 5 }, { images: [{ ...names, versions: versionsOffered }] });
    await start(given, [['eastus']]);
    given.rehearsal.at(START + 4 * MINUTE, () => patchModel(given, { sku: { capacity: 8 } }));
    expect(await given.rehearsal.run()).toBe('ended');
    expect(await versions(given)).toEqual({ [NEW_VERSION]: 5, [NEWEST]: 3 });
    // Superseded ones leave the sum (rule D2).
    expect(await given.ledger.phases.list(ROLLOUT)).toMatchObject([
      { verdict: { eligible: 5, succeeded: 5 } },
    ]);
  });

  it('is not ended by an outage that passes while it is paused (B7, B8)', async () => {
    const instances = ['0', '5', '6', '7'];
    const outage = { kind: 'outage' as const, instances, from: START + HOUR, to: START + 2 * HOUR };
    const faults = [{ ...outage, from: isoTime(outage.from), to: isoTime(outage.to) }];
    const given = await world({}, { faults });
    const order = (state: 'paused' | 'running') => async () => {
      const at = given.rehearsal.now;
      await given.ledger.orders.set({ scope: scaleSetScope(web), state, who: 'ada', why: 'maintenance', at });
      given.rehearsal.wakeAll();
    };
    await start(given, [['eastus']], { settings: TOLERANT });
    given.rehearsal.at(START + 5 * MINUTE, order('paused'));
    given.rehearsal.at(START + 3 * HOUR, order('running'));
    await given.rehearsal.run();
    expect(await attemptsOf(given)).toMatchObject([{ status: 'Completed' }]);
    expect(await versions(given)).toEqual({ [NEW_VERSION]: 10 });
  });

  it('shows how far it is while it waits between two batches (E2)', async () => {
    const given = await world({ rollingUpgradePolicy: { pauseTimeBetweenBatches: 'PT2H' } });
    let seen: Attempt['progress'] | undefined;
    given.rehearsal.at(START + HOUR, async () => {
      seen = (await attemptsOf(given))[0]?.progress;
    });
    await start(given, [['eastus']]);
    await given.rehearsal.run();
    expect(seen).toEqual({
      ...{ successfulInstanceCount: 2, failedInstanceCount: 0 },
      ...{ inProgressInstanceCount: 0, pendingInstanceCount: 8 },
    });
  });

  it('gives up every previous disk in the end, also if its batch was terminated before it could (B4)', async () => {
    let closings = 0;
    const given = await rehearsalOf(
      [{ name: 'web', region: 'eastus', capacity: 10 }],
      {},
      {
        disturbStore: (call) => {
          if (call !== 'ledger.attempts.closeBatch' || closings++ > 0) return 'none';
          given.rehearsal.terminate((id) => id.includes('/batch-'));
          return 'after';
        },
      },
    );
    await start(given, [['eastus']]);
    expect(await given.rehearsal.run()).toBe('ended');
    expect(closings).toBe(5);
    const kept = (await given.fleet.instances(web, given.rehearsal.now)).filter((one) => one.previousOsDisk);
    expect(kept).toEqual([]);
  });

  it('stays broken while it rolls back, though others recover meanwhile (B7)', async () => {
    const policy = { maxBatchInstancePercent: 50, maxUnhealthyInstancePercent: 100 };
    const given = await world(
      {
        orchestrationMode: 'Flexible',
        health: 'extension',
        disableAutomaticRollback: true,
        rollingUpgradePolicy: { ...policy, rollbackFailedInstancesOnPolicyBreach: true },
      },
      {
        behaviour: { osDiskSwap: { min: 20, max: 20 }, osDiskRestore: { min: 80, max: 80 } },
        faults: [
          { kind: 'neverHealthy', version: NEW_VERSION, instances: ['0'] },
          {
            kind: 'outage',
            instances: ['1'],
            from: isoTime(START + 5 * MINUTE),
            to: isoTime(START + 7 * MINUTE),
          },
        ],
      },
    );
    await start(given, [['eastus']], { settings: { ...TOLERANT, triggerDelay: { min: 0, max: 0 } } });
    await given.rehearsal.run();
    const code = 'MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade';
    const [attempt] = await attemptsOf(given);
    expect(attempt).toMatchObject({ status: 'Faulted', reason: { code } });
    expect(await given.ledger.attempts.batches(attempt?.id ?? '')).toHaveLength(1);
  });
});

describe('an instance that failed for an expired credential, and was never brought to the model (B11)', () => {
  const url = 'https://store.example/setup.sh';
  const images = [
    { ...names, versions: [{ version: OLD_VERSION }, { version: NEW_VERSION }, { version: NEWEST }] },
  ];

  /** The first batch is left failed, the credential renewed, and the next version comes. */
  async function nextVersion(fault: { kind: 'neverHealthy' | 'swapFails' }) {
    const given = await world(
      { extensions: [{ name: 'app', settings: { fileUris: [url] } }] },
      {
        images,
        externalResources: [{ url, credentialExpiresAt: isoTime(START - HOUR) }],
        faults: [{ ...fault, version: NEWEST, instances: ['0'] }],
      },
    );
    await start(given, [['eastus']], { settings: TOLERANT });
    await given.rehearsal.run();
    expect(await attemptsOf(given)).toMatchObject([{ reason: { code: 'ExtensionResourceUnavailable' } }]);
    await given.fleet.putExternalResource({ url, credentialExpiresAt: null, goneAt: null });
    const target = { image: TARGET.image, version: NEWEST };
    const startedAt = given.rehearsal.now;
    await start(given, [['eastus']], {
      id: imageRolloutId(target, 1),
      target,
      startedAt,
      settings: TOLERANT,
    });
    await given.rehearsal.run();
    const [attempt] = await attemptsOf(given);
    const taken = await given.ledger.attempts.instances(attempt?.id ?? '');
    return {
      attempt,
      failed: taken.find((one) => one.instanceId === '0'),
      journal: await journalOf(given, attempt?.rolloutId ?? ''),
    };
  }

  it('does not end the next upgrade by what its old disk tells, when its new one cannot be attached', async () => {
    const { attempt, failed } = await nextVersion({ kind: 'swapFails' });
    expect(attempt?.reason?.code).toBe('MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade');
    expect(failed?.error).toMatch(/^NotOnTarget/);
  });

  it('counts as restored once its old disk is back (B6)', async () => {
    const { failed, journal } = await nextVersion({ kind: 'neverHealthy' });
    const restores = journal.filter((entry: JournalEntry) => entry.operation === 'osDisk.restore');
    expect(restores.map((entry) => entry.event)).toEqual(['started', 'succeeded']);
    expect(failed).toMatchObject({
      outcome: 'restored',
      error: expect.stringMatching(/^HealthTimeout/) as string,
    });
  });
});
