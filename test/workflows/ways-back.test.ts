import { beforeEach, describe, expect, it } from 'vitest';
import {
  prepareRevert,
  lift,
  renewResources,
  repair,
  setModel,
  startRollout,
  startScaleSet,
  updateInstances,
  type RevertRequest,
} from '../../src/client/index.ts';
import { DAY, virtualAt } from '../../src/domain/clock.ts';
import { isHealthy } from '../../src/domain/health.ts';
import type { Connection } from '@temporalio/client';
import type { FleetSpec } from '../../src/fleet/index.ts';
import type { Instance } from '../../src/domain/scale-set.ts';
import { searchAttributeDefinitions } from '../../src/temporal/search-attributes.ts';
import { EPOCH, OLD_VERSION, testSetId } from '../support/fleet.ts';
import {
  QUICK,
  rolloutWorld,
  versionsOf,
  type RolloutWorld,
  useTimeSkippingServer,
} from '../support/rollout.ts';

const env = useTimeSkippingServer();

const IMAGE = 'Canonical:0001-com-ubuntu-server-jammy:22_04-lts';
const URL = 'https://store.example/scripts/setup.sh';
const id = testSetId('web');

const GEN2 = { publisher: 'Canonical', offer: '0001-com-ubuntu-server-jammy', sku: '22_04-lts-gen2' };
/** Of each test its own: a server keeps the ids of rollouts, which are their versions'. */
let newest = '';
/** Published long ago: the machine's clock, which the client goes by, is behind that of a server that skips time. */
let images: NonNullable<FleetSpec['images']>;
let tests = 0;
beforeEach(() => {
  newest = `22.04.20251205${tests++}`;
  images = [
    { ...GEN2, sku: '22_04-lts', versions: [{ version: OLD_VERSION }, { version: newest }] },
    { ...GEN2, versions: [{ version: '22.04.1' }, { version: '22.04.2' }] },
  ];
});

/** The client library on a world. The time-skipping server cannot list the search attributes that it has. */
function clientOf({ fleet, ledger }: RolloutWorld) {
  const customAttributes = Object.fromEntries(
    searchAttributeDefinitions.map(({ name, type }) => [name, type === 'INT' ? 3 : 2]),
  );
  const operatorService = { listSearchAttributes: async () => ({ customAttributes }) };
  const connection = { operatorService } as unknown as Connection;
  return { fleet, ledger, temporal: async () => ({ client: env.client, connection }) };
}

async function end({ workflowId }: { workflowId: string }): Promise<{ status: string; reason: unknown }> {
  return env.client.workflow.getHandle(workflowId).result() as Promise<{ status: string; reason: unknown }>;
}

async function instancesOf(world: RolloutWorld): Promise<Instance[]> {
  return world.fleet.instances(id, virtualAt(world.clock, await env.currentTimeMs()));
}

const attemptsOf = ({ ledger }: RolloutWorld) => ledger.attempts.listOf({ scaleSetId: id });

describe('an expired credential, and the way out of it (B11)', () => {
  it('is renewed, the model updated and brought to all instances, the failed ones too; then the upgrade completes', async () => {
    const setup = { name: 'setup', settings: { fileUris: [`${URL}?sig=old`] } };
    const world = await rolloutWorld(
      env,
      [{ name: 'web', region: 'eastus', capacity: 10, extensions: [setup] }],
      {
        images,
        externalResources: [
          { url: `${URL}?sig=old`, credentialExpiresAt: new Date(EPOCH - DAY).toISOString() },
        ],
      },
    );
    const client = clientOf(world);
    const settings = { ...QUICK, failureTolerancePercent: 100 };
    await world.worker.runUntil(async () => {
      await end(await startRollout(client, { image: IMAGE, settings }));
      const [faulted] = await attemptsOf(world);
      expect(faulted).toMatchObject({ status: 'Faulted', reason: { code: 'ExtensionResourceUnavailable' } });
      const left = (await instancesOf(world)).filter((one) => one.provisioningState === 'Failed');
      expect(left.map((one) => one.osDisk?.source.version)).toEqual([newest, newest]);

      await renewResources(client, { url: `${URL}?sig=new` });
      const path = 'virtualMachineProfile.extensionProfile.extensions[name=setup].settings.fileUris';
      const change = await setModel(client, {
        scaleSet: 'web',
        assignments: [`${path}=["${URL}?sig=new"]`],
      });
      // Mode Manual: nothing happens by itself (rule B14).
      expect(change).toMatchObject({ changed: true, behind: 10, started: null, notStarted: null });
      const updated = await updateInstances(client, { scaleSet: 'web', why: 'the new credential' });
      expect(updated.instanceIds).toHaveLength(10);
      expect(await end(updated.started as NonNullable<typeof updated.started>)).toMatchObject({
        status: 'Completed',
      });
      const mended = await instancesOf(world);
      expect(mended.filter((one) => isHealthy(one) && one.latestModelApplied)).toHaveLength(10);
      // Nobody got another disk for it.
      expect(await versionsOf(world, 'web')).toEqual({ [newest]: 2, [OLD_VERSION]: 8 });

      expect(await end(await startRollout(client, { image: IMAGE, settings }))).toMatchObject({
        status: 'Completed',
      });
    });
    expect(await versionsOf(world, 'web')).toEqual({ [newest]: 10 });
    const [upgrade, update] = await attemptsOf(world);
    expect(upgrade).toMatchObject({ kind: 'osUpgrade', status: 'Completed' });
    expect(update).toMatchObject({ kind: 'modelUpdate', startedBy: 'User' });
  });
});

describe('a change of the model (B14)', () => {
  const sku = 'virtualMachineProfile.storageProfile.imageReference.sku=22_04-lts-gen2';

  it.each([
    ['Automatic', 'modelUpdate', 1],
    ['Rolling', 'modelUpgrade', 4],
  ] as const)('of the SKU in mode %s is a %s, in %i batches', async (mode, kind, batches) => {
    const world = await rolloutWorld(env, [{ name: 'web', region: 'eastus', capacity: 5, mode }], { images });
    const client = clientOf(world);
    await world.fleet.changeInstances(id, ['4'], { protectFromScaleSetActions: true }, EPOCH);
    const change = await world.worker.runUntil(async () => {
      const begun = await setModel(client, { scaleSet: 'web', assignments: [sku] });
      expect(begun.started?.rollout.action).toBe(kind);
      expect(await end(begun.started as NonNullable<typeof begun.started>)).toMatchObject({
        status: 'Completed',
      });
      return begun;
    });
    expect(change.notes).toEqual(['Protected, so not touched: 4.']);
    expect(await versionsOf(world, 'web')).toEqual({ '22.04.2': 4, [OLD_VERSION]: 1 });
    const [attempt] = await attemptsOf(world);
    expect(await world.ledger.attempts.batches(attempt?.id ?? '')).toHaveLength(batches);
  });
});

describe('a revert (ours)', () => {
  const request: RevertRequest = { id: 'web', why: 'bad kernel', who: 'ann' };

  it('of a set brings every instance back to what it ran, and holds the version back', async () => {
    const world = await rolloutWorld(env, [{ name: 'web', region: 'eastus', capacity: 10 }], { images });
    const client = clientOf(world);
    await world.worker.runUntil(async () => {
      await end(await startScaleSet(client, { scaleSet: 'web' }));
      const { plan, start } = await prepareRevert(client, request);
      expect(plan).toMatchObject({ version: newest, instances: 10, left: 0 });
      expect(plan.scaleSets[0]?.goesBack).toEqual([{ version: OLD_VERSION, instances: 10 }]);
      expect(await end(await start())).toMatchObject({ status: 'Completed' });
    });
    expect(await versionsOf(world, 'web')).toEqual({ [OLD_VERSION]: 10 });
    const [revert] = await attemptsOf(world);
    expect(revert).toMatchObject({ kind: 'revert', startedBy: 'User', restoresOnFailure: false });
    expect(await world.ledger.attempts.batches(revert?.id ?? '')).toHaveLength(5);
    expect(await world.ledger.heldVersions.list({ scaleSetId: id })).toMatchObject([
      { version: { version: newest }, who: 'ann', why: 'bad kernel' },
    ]);
    await expect(prepareRevert(client, request)).rejects.toMatchObject({ code: 'Usage' });
  });

  it('goes by the thresholds (B1), which the person who reverts may raise', async () => {
    const world = await rolloutWorld(env, [{ name: 'web', region: 'eastus', capacity: 10 }], { images });
    const client = clientOf(world);
    await world.worker.runUntil(async () => {
      await end(await startScaleSet(client, { scaleSet: 'web' }));
      const now = virtualAt(world.clock, await env.currentTimeMs());
      await world.fleet.changeInstances(id, ['0', '1', '2'], { power: 'stopped' }, now);
      const first = await prepareRevert(client, request);
      expect(first.plan.scaleSets[0]?.notes).toEqual([
        'Not running, so not touched: 0, 1, 2.',
        expect.stringContaining('--max-unhealthy-instance-percent 30') as string,
      ]);
      expect(await end(await first.start())).toMatchObject({
        status: 'Faulted',
        reason: { code: 'MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade' },
      });
      const second = await prepareRevert(client, {
        ...request,
        policy: { maxUnhealthyInstancePercent: 30 },
      });
      expect(await end(await second.start())).toMatchObject({ status: 'Completed' });
    });
    expect(await versionsOf(world, 'web')).toEqual({ [OLD_VERSION]: 7, [newest]: 3 });
  });

  it('of a rollout goes phase by phase, and the version can be rolled out again afterwards', async () => {
    const sets = [
      { name: 'web', region: 'eastus', capacity: 6 },
      { name: 'api', region: 'westus', capacity: 4 },
    ];
    const world = await rolloutWorld(env, sets, { images });
    const client = clientOf(world);
    const forward = { image: IMAGE, settings: QUICK };
    await world.worker.runUntil(async () => {
      const started = await startRollout(client, forward);
      await end(started);
      const again = { ...request, id: started.rolloutId };
      const { plan, start } = await prepareRevert(client, again);
      expect(plan).toMatchObject({ instances: 10, left: 0 });
      const reverted = await start();
      expect(reverted.rollout).toMatchObject({
        action: 'revert',
        generation: 2,
        phases: started.rollout.phases,
        settings: { bakeTime: 0, triggerDelay: { min: 0, max: 0 } },
      });
      // While it runs nobody rolls the version out again, or reverts it once more.
      await expect(startRollout(client, forward)).rejects.toMatchObject({ code: 'Conflict' });
      await expect((await prepareRevert(client, again)).start()).rejects.toMatchObject({ code: 'Conflict' });
      expect(await end(reverted)).toMatchObject({ status: 'Completed' });
      expect(await versionsOf(world, 'web')).toEqual({ [OLD_VERSION]: 6 });
      expect(await versionsOf(world, 'api')).toEqual({ [OLD_VERSION]: 4 });

      const lifted = await lift(client, { id: started.rolloutId, why: 'mended' });
      expect(lifted.map((held) => held.scaleSetId ?? '').toSorted()).toEqual([testSetId('api'), id]);
      const third = await startRollout(client, forward);
      expect(third.rollout).toMatchObject({ action: 'osUpgrade', generation: 3 });
      expect(await end(third)).toMatchObject({ status: 'Completed' });
    });
    expect(await versionsOf(world, 'web')).toEqual({ [newest]: 6 });
  });
});

describe('a repair (ours)', () => {
  const bad = { scaleSet: 'web', instances: ['3'] };
  const neverHealthy = () => ({ kind: 'neverHealthy' as const, version: newest, ...bad });
  const settings = { ...QUICK, failureTolerancePercent: 100 };

  it.each([[false], [true]])(
    'brings an instance whose restore failed back, and out of the quarantine (reimage: %s)',
    async (reimage) => {
      const faults = [neverHealthy(), { kind: 'restoreFails' as const, ...bad }];
      const set = { name: 'web', region: 'eastus', capacity: 10 };
      const world = await rolloutWorld(env, [set], { faults, images });
      const client = clientOf(world);
      await world.worker.runUntil(async () => {
        await end(await startRollout(client, { image: IMAGE, settings }));
        expect(await world.ledger.quarantine.list({ scaleSetId: id })).toMatchObject([{ instanceId: '3' }]);
        await world.fleet.setFaults([neverHealthy()]);
        const { findings, started } = await repair(client, { id: 'web', reimage, why: 'storage is back' });
        expect(findings).toMatchObject([
          { kind: 'quarantined', done: expect.stringContaining(OLD_VERSION) as string },
        ]);
        expect(await end(started as NonNullable<typeof started>)).toMatchObject({ status: 'Completed' });
      });
      expect(await world.ledger.quarantine.list()).toEqual([]);
      expect(await versionsOf(world, 'web')).toMatchObject({ [OLD_VERSION]: expect.any(Number) as number });
      const mended = (await instancesOf(world)).find((one) => one.instanceId === '3') as Instance;
      expect(mended.osDisk?.source.version).toBe(OLD_VERSION);
      expect(isHealthy(mended)).toBe(true);
      const [attempt] = await attemptsOf(world);
      const [batch] = await world.ledger.attempts.batches(attempt?.id ?? '');
      expect(batch).toMatchObject({ action: reimage ? 'swap' : 'restore', instanceIds: ['3'] });
      expect(await repair(client, { id: 'web', why: 'again' })).toMatchObject({
        findings: [],
        started: null,
      });
    },
  );
});
