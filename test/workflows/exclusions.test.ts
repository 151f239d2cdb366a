import { describe, expect, it } from 'vitest';
import { MINUTE, virtualAt } from '../../src/domain/clock.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import type { RecordedEntry } from '../../src/ledger/port.ts';
import { manualRolloutId, scaleSetRolloutId } from '../../src/workflows/ids.ts';
import { TASK_QUEUE, type ScaleSetRolloutInput } from '../../src/workflows/messages.ts';
import { NEW_VERSION, OLD_VERSION, TARGET, testSetId } from '../support/fleet.ts';
import {
  QUICK,
  inBatch,
  journalOf,
  passTimeUntil,
  rolloutWorld,
  startRollout,
  versionsOf,
  type RolloutWorld,
  useTimeSkippingServer,
} from '../support/rollout.ts';

const env = useTimeSkippingServer();

const FOCAL = { publisher: 'Canonical', offer: '0001-com-ubuntu-server-focal', sku: '20_04-lts' };
const FOCAL_TARGET = { image: { kind: 'platform' as const, ...FOCAL }, version: '20.04.2' };

/** From the first to the last line of a region, whatever the rollout. */
function span(lines: RecordedEntry[], region: string): [number, number] {
  const times = lines.filter((line) => line.region === region).map((line) => line.at);
  return [Math.min(...times), Math.max(...times)];
}

/** Starts a manual upgrade of one set, as the client library does (rule D8). */
async function startByHand(world: RolloutWorld, name: string, generation = 1) {
  const scaleSetId = testSetId(name);
  const rolloutId = manualRolloutId(scaleSetId, generation);
  const startedAt = virtualAt(world.clock, await env.currentTimeMs());
  const row = {
    id: rolloutId,
    kind: 'manual' as const,
    target: TARGET,
    generation,
    phases: [],
    startedBy: 'ada',
    startedAt,
  };
  await world.ledger.rollouts.create({ ...row, settings: DEFAULT_SETTINGS });
  const scaleSet = await world.fleet.scaleSet(scaleSetId);
  const input: ScaleSetRolloutInput = {
    v: 1,
    rolloutId,
    scaleSetId,
    clock: world.clock,
    target: TARGET,
    phase: null,
    region: scaleSet?.region ?? '',
    settings: DEFAULT_SETTINGS,
  };
  const handle = await env.client.workflow.start('scaleSetRollout', {
    workflowId: scaleSetRolloutId(scaleSetId),
    taskQueue: TASK_QUEUE,
    args: [input],
  });
  return { handle, rolloutId };
}

describe('geo-pairs (D1)', () => {
  it('never upgrade at the same time, also by rollouts of different images, and both get their turn', async () => {
    const world = await rolloutWorld(
      env,
      [
        { name: 'jammy', region: 'eastus', capacity: 8 },
        { name: 'focal', region: 'westus', capacity: 8, image: FOCAL, version: '20.04.1' },
        { name: 'third', region: 'westus3', capacity: 4, image: FOCAL, version: '20.04.1' },
      ],
      {
        images: [
          {
            publisher: 'Canonical',
            offer: '0001-com-ubuntu-server-jammy',
            sku: '22_04-lts',
            versions: [{ version: OLD_VERSION }, { version: NEW_VERSION }],
          },
          { ...FOCAL, versions: [{ version: '20.04.1' }, { version: '20.04.2' }] },
        ],
      },
    );
    const lines = await world.worker.runUntil(async () => {
      const jammy = await startRollout(world, {
        phases: [{ name: 'all', regions: ['eastus'] }],
        settings: QUICK,
      });
      const phases = [{ name: 'all', regions: ['westus', 'westus3'] }];
      const focal = await startRollout(world, { target: FOCAL_TARGET, phases, settings: QUICK });
      expect((await jammy.result()).status).toBe('Completed');
      expect((await focal.result()).status).toBe('Completed');
      return [...(await journalOf(world, jammy.workflowId)), ...(await journalOf(world, focal.workflowId))];
    });
    const [eastFrom, eastTo] = span(lines, 'eastus');
    for (const partner of ['westus', 'westus3']) {
      const [from, to] = span(lines, partner);
      expect(from >= eastTo || to <= eastFrom, `${partner} overlaps eastus`).toBe(true);
    }
    expect(await versionsOf(world, 'focal')).toEqual({ '20.04.2': 8 });
    expect(await world.ledger.claims.list()).toEqual([]);
  });
});

describe('availability zones (D4)', () => {
  it('take turns over all sets of a region, a set that spans zones upgrades alone, and nobody starves', async () => {
    const zones = ['1', '2', '3'];
    const world = await rolloutWorld(env, [
      { name: 'a', region: 'eastus', capacity: 6, zones },
      { name: 'b', region: 'eastus', capacity: 9, zones },
      { name: 'one', region: 'eastus', capacity: 3, zones: ['2'] },
      {
        name: 'cross',
        region: 'eastus',
        capacity: 6,
        zones,
        rollingUpgradePolicy: { enableCrossZoneUpgrade: true },
      },
    ]);
    const lines = await world.worker.runUntil(async () => {
      const handle = await startRollout(world, {
        phases: [{ name: 'all', regions: ['eastus'] }],
        settings: QUICK,
      });
      expect((await handle.result()).status).toBe('Completed');
      return journalOf(world, handle.workflowId);
    });
    const upgrading = new Map<string, { zone: string | null; set: string }>();
    for (const line of lines) {
      const vm = `${line.scaleSetId}/${line.instanceId}`;
      if (line.operation === 'osDisk.swap' && line.event === 'started')
        upgrading.set(vm, { zone: line.zone, set: line.scaleSetId });
      if (line.operation === 'health.wait' && line.event === 'succeeded') upgrading.delete(vm);
      const crossing = [...upgrading.values()].some(({ set }) => set === testSetId('cross'));
      const distinct = new Set([...upgrading.values()].map(({ zone, set }) => (crossing ? set : zone)));
      expect(distinct.size).toBeLessThanOrEqual(1);
    }
    expect(upgrading.size).toBe(0);
    for (const [name, count] of Object.entries({ a: 6, b: 9, one: 3, cross: 6 })) {
      expect(await versionsOf(world, name)).toEqual({ [NEW_VERSION]: count });
    }
  });
});

describe('one upgrade at a time (B12) and manual starts (D8)', () => {
  it('a manual start begins at once and restores nothing; the automatic rollout waits for it and finds its work done', async () => {
    const world = await rolloutWorld(env, [{ name: 'front', region: 'eastus', capacity: 10 }], {
      faults: [{ kind: 'neverHealthy', version: NEW_VERSION, scaleSet: 'front', instances: ['9'] }],
    });
    const result = await world.worker.runUntil(async () => {
      const settings = {
        ...QUICK,
        triggerDelay: { min: 5 * MINUTE, max: 5 * MINUTE },
        failureTolerancePercent: 10,
      };
      const automatic = await startRollout(world, {
        phases: [{ name: 'all', regions: ['eastus'] }],
        settings,
      });
      const { rolloutId } = await startByHand(world, 'front');
      await passTimeUntil(world, () => inBatch(world, 'front', 3));
      await expect(startByHand(world, 'front', 2)).rejects.toThrow('already started');
      const result = await automatic.result();
      expect((await world.ledger.rollouts.get(rolloutId))?.status).toBe('Completed');
      return result;
    });
    expect(result.status).toBe('Completed');
    // The bad VM stays on the new version: a manual rollout never restores (B6).
    expect(await versionsOf(world, 'front')).toEqual({ [NEW_VERSION]: 10 });
    const attempts = await world.ledger.attempts.listOf({ scaleSetId: testSetId('front') });
    expect(attempts.at(-1)).toMatchObject({
      progress: { successfulInstanceCount: 9, failedInstanceCount: 1 },
    });
    const spans = attempts
      .map(({ startedAt, endedAt }) => [startedAt, endedAt ?? 0] as const)
      .toSorted((a, b) => a[0] - b[0]);
    for (const [i, [, end]] of spans.entries())
      expect(spans[i + 1]?.[0] ?? Infinity).toBeGreaterThanOrEqual(end);
  });
});
