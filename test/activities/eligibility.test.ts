import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, isoTime, type Instant } from '../../src/domain/clock.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import type { Durability } from '../../src/domain/scale-set.ts';
import { resourceUrl, type Json } from '../../src/fleet/index.ts';
import { NEW_VERSION, OLD_VERSION, testSetId, type TestSet } from '../support/fleet.ts';
import {
  ROLLOUT_ID,
  activityWorld,
  afterFirstBatch,
  at,
  configuredBatch,
  healthInput,
  oneSet,
  regionLook,
  removeWorldsAfterEach,
  setLook,
  type ActivityWorld,
} from './support.ts';

removeWorldsAfterEach();

/** Writes the set's model anew, changed. */
async function changeModel(
  { fleet }: ActivityWorld,
  id: string,
  change: (model: Json) => void,
  when: Instant = at(1),
): Promise<void> {
  const model = structuredClone((await fleet.model(id)) as Json);
  change(model);
  await fleet.writeModel({ model, apiVersion: '2024-11-01', at: when });
}

const profileOf = (model: Json) => (model['properties'] as Json)['virtualMachineProfile'] as Json;
const imageOf = (model: Json) => (profileOf(model)['storageProfile'] as Json)['imageReference'] as Json;
const optIn = (isOn: boolean) => (model: Json) => {
  const policy = (model['properties'] as Json)['upgradePolicy'] as Json;
  policy['automaticOSUpgradePolicy'] = { enableAutomaticOSUpgrade: isOn };
};

/** Makes the cluster's node types of that durability; the extensions of their sets stay as they are. */
async function setDurability({ fleet }: ActivityWorld, durabilityLevel: Durability): Promise<void> {
  for (const cluster of await fleet.serviceFabricClusters()) {
    const properties = cluster['properties'] as Json;
    const nodeTypes = (properties['nodeTypes'] as Json[]).map((one) => ({ ...one, durabilityLevel }));
    await fleet.putServiceFabricCluster({ ...cluster, properties: { ...properties, nodeTypes } });
  }
}

const SILVER: Partial<TestSet> = {
  mode: 'Rolling',
  serviceFabric: { cluster: 'orders', durability: 'Silver' },
};

describe('a set that is not eligible any longer', () => {
  it('stops at the end of its batch, and not before: a mismatched durability makes upgrades fail (C5)', async () => {
    const { world, id } = await oneSet(SILVER);
    const { look, configuredAt } = await configuredBatch(world, id);
    await setDurability(world, 'Gold');
    const during = setLook(id, { attempt: look.attempt, at: configuredAt });
    expect(await world.activities.lookAtScaleSet(during)).toMatchObject({ kind: 'batch', batch: 1 });
    await world.activities.checkHealth(healthInput(id, look, configuredAt + MINUTE));
    const end = await world.activities.lookAtScaleSet({ ...during, at: configuredAt + MINUTE });
    expect(end).toMatchObject({
      kind: 'finished',
      status: 'Faulted',
      reason: { code: 'NotEligible', message: expect.stringContaining('has durability Gold') },
      progress: { successfulInstanceCount: 2, pendingInstanceCount: 8 },
    });
  });

  it.each<[string, string, (model: Json) => void]>([
    ['C2', 'The model uses', (model) => (imageOf(model)['sku'] = '22_04-lts-gen2')],
    ['C2', `asks for version ${NEW_VERSION}`, (model) => (imageOf(model)['version'] = NEW_VERSION)],
    ['C4', 'neither a load balancer health probe', (model) => (profileOf(model)['networkProfile'] = {})],
    [
      'C4',
      'There is no health probe /probes/lost',
      (model) => (profileOf(model)['networkProfile'] = { healthProbe: { id: '/probes/lost' } }),
    ],
  ])('stops before another batch (%s): %s', async (_rule, message, change) => {
    const names = { publisher: 'Canonical', offer: '0001-com-ubuntu-server-jammy' };
    const versions = [{ version: OLD_VERSION }, { version: NEW_VERSION }];
    const images = ['22_04-lts', '22_04-lts-gen2'].map((sku) => ({ ...names, sku, versions }));
    const { world, id } = await oneSet({ mode: 'Rolling' }, { images });
    const later = await afterFirstBatch(world, id);
    await changeModel(world, id, change, later.at);
    expect(await world.activities.lookAtScaleSet(later)).toMatchObject({
      kind: 'finished',
      status: 'Faulted',
      reason: { code: 'NotEligible', message: expect.stringContaining(message) },
    });
  });

  it('stops also when a person had started it, unless all that it lacks is the opt-in (C1, C5, D8)', async () => {
    const { world, id } = await oneSet(SILVER, { rollout: { kind: 'manual' } });
    await changeModel(world, id, optIn(false));
    const later = await afterFirstBatch(world, id);
    expect(await world.activities.lookAtScaleSet(later)).toMatchObject({ kind: 'batch', batch: 2 });

    const other = await oneSet(SILVER, { rollout: { kind: 'manual' } });
    const next = await afterFirstBatch(other.world, other.id);
    await setDurability(other.world, 'Gold');
    expect(await other.world.activities.lookAtScaleSet(next)).toMatchObject({
      status: 'Faulted',
      reason: { code: 'NotEligible' },
    });
    expect(await other.world.ledger.rollouts.get(ROLLOUT_ID)).toMatchObject({ status: 'Faulted' });
  });

  it("is none of the rollout's sum, and gets its turn again once it is mended (D2, D6)", async () => {
    const { world, id } = await oneSet(SILVER);
    const later = await afterFirstBatch(world, id);
    await setDurability(world, 'Gold');
    await world.activities.lookAtScaleSet(later);
    const target = () => world.ledger.targets.get(ROLLOUT_ID, id);
    expect(await target()).toMatchObject({ status: 'skipped', reason: { code: 'NotEligible' } });
    await world.activities.openPhase({
      rolloutId: ROLLOUT_ID,
      phase: 1,
      round: 1,
      regions: ['eastus'],
      at: later.at,
    });
    const key = { rolloutId: ROLLOUT_ID, phase: 1, round: 1, at: later.at };
    expect((await world.activities.judgePhase(key)).verdict).toMatchObject({ eligible: 0, failed: 0 });

    const scan = (when: Instant) => world.activities.lookAtRegion(regionLook({ at: when }));
    await scan(later.at + MINUTE);
    expect(await target()).toMatchObject({ status: 'skipped' });
    await setDurability(world, 'Silver');
    await scan(later.at + 2 * MINUTE);
    expect(await target()).toMatchObject({ status: 'waiting', seenAt: later.at + 2 * MINUTE });
  });
});

it("a set's model stays as it is, word for word, whatever is rolled out (C2, C10)", async () => {
  const { world, id } = await oneSet({ mode: 'Rolling' });
  const before = await world.fleet.model(id);
  await afterFirstBatch(world, id);
  expect(await world.fleet.model(id)).toEqual(before);
  expect((await world.fleet.scaleSet(id))?.modelVersion).toBe(1);
});

describe('a set that waits for its trigger', () => {
  const ALL_DUE = at(0) + DEFAULT_SETTINGS.triggerDelay.max;
  const scan = (world: ActivityWorld, when: Instant, isScan = false) =>
    world.activities.lookAtRegion(regionLook({ at: when, scan: isScan }));

  it('is skipped when it was opted out meanwhile, without an attempt (C1)', async () => {
    const world = await activityWorld([{ name: 'web', region: 'eastus', capacity: 3, mode: 'Rolling' }]);
    await scan(world, at(0), true);
    await changeModel(world, testSetId('web'), optIn(false));
    expect(await scan(world, ALL_DUE)).toMatchObject({
      start: [],
      done: true,
      counts: { waiting: 0, upgrading: 0, skipped: 1 },
    });
    expect(await world.ledger.targets.get(ROLLOUT_ID, testSetId('web'))).toMatchObject({
      status: 'skipped',
      reason: { code: 'AutomaticOSUpgradeDisabled' },
    });
    expect(await world.ledger.attempts.listOf({})).toEqual([]);
  });

  it('gives its place in the window to the next one', async () => {
    const sets = ['a', 'b', 'c'].map((name) => ({
      name,
      region: 'eastus',
      capacity: 3,
      mode: 'Rolling' as const,
    }));
    const settings = { ...DEFAULT_SETTINGS, maxConcurrentScaleSets: 1 };
    const world = await activityWorld(sets, { rollout: { settings } });
    await scan(world, at(0), true);
    const order = await world.ledger.targets.list({ rolloutId: ROLLOUT_ID });
    await changeModel(world, order[0]?.scaleSetId as string, optIn(false));
    const { start, counts } = await scan(world, ALL_DUE + HOUR);
    expect(start.map(({ scaleSetId }) => scaleSetId)).toEqual([order[1]?.scaleSetId]);
    expect(counts).toMatchObject({ skipped: 1, upgrading: 1, waiting: 1 });
  });
});

describe('what extensions will miss (rules B11, C8)', () => {
  const url = 'https://store.example/app.zip';
  const using = { extensions: [{ name: 'app', settings: { fileUris: [`${url}?sig=SECRET`] } }] };
  const expired = { externalResources: [{ url, credentialExpiresAt: isoTime(at(-60)) }] };

  it('is recorded with the attempt before its first batch, which then fails for it', async () => {
    const { world, id } = await oneSet(using, expired);
    const { look, configuredAt } = await configuredBatch(world, id);
    expect(await world.ledger.attempts.openOf(id)).toMatchObject({
      warnings: [
        {
          code: 'CredentialExpired',
          rule: 'C8',
          message: `Extension "app" needs ${resourceUrl(`${url}?sig=SECRET`)}, and its credential expired at ${isoTime(at(-60))}.`,
        },
      ],
    });
    const [opened] = await world.ledger.journal.read({ scaleSetId: id });
    expect(opened).toMatchObject({
      operation: 'attempt',
      event: 'started',
      observed: { warnings: [expect.stringContaining(url)] },
    });
    await world.activities.checkHealth(healthInput(id, look, configuredAt));
    const after = setLook(id, { attempt: look.attempt, at: configuredAt + MINUTE });
    expect(await world.activities.lookAtScaleSet(after)).toMatchObject({
      status: 'Faulted',
      reason: { code: 'ExtensionResourceUnavailable' },
    });
  });

  it('is nothing while it is there for all that anybody knows', async () => {
    const { world, id } = await oneSet(using, {
      externalResources: [{ url, credentialExpiresAt: isoTime(at(HOUR)) }],
    });
    await world.activities.lookAtScaleSet(setLook(id));
    expect((await world.ledger.attempts.openOf(id))?.warnings).toEqual([]);
    const [opened] = await world.ledger.journal.read({ scaleSetId: id });
    expect(opened?.observed).not.toHaveProperty('warnings');
  });
});

describe('an update of a Service Fabric set to its model (B14, C5)', () => {
  it('takes one update domain at a time, though its mode is Automatic', async () => {
    const { world, id } = await oneSet(SILVER, { rollout: { kind: 'manual', action: 'modelUpdate' } });
    await changeModel(world, id, (model) => (profileOf(model)['osProfile'] = { customData: 'bmV3' }));
    const look = await world.activities.lookAtScaleSet(setLook(id));
    expect(look).toMatchObject({ kind: 'batch', updateDomain: 0, instanceIds: ['0', '5'] });
  });
});
