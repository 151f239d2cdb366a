import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  batchCount,
  batchSize,
  compareInstanceIds,
  nextBatch,
  planBatches,
  zonesOf,
  type InstanceView,
} from '../../src/domain/batching.ts';
import { ALONE } from '../../src/domain/claims.ts';
import { DEFAULT_ROLLING_POLICY } from '../../src/domain/policy.ts';

const policy = DEFAULT_ROLLING_POLICY;
const crossZone = { ...policy, enableCrossZoneUpgrade: true };
const unhealthyFirst = { ...policy, prioritizeUnhealthyInstances: true };

const view = (instanceId: string, change: Partial<InstanceView> = {}): InstanceView => ({
  instanceId,
  zone: null,
  updateDomain: 0,
  healthy: true,
  ...change,
});

describe('batchSize (rule B2)', () => {
  it.each([
    [0, 20, 1],
    [1, 20, 1],
    [9, 20, 1],
    [10, 20, 2],
    [14, 20, 2],
    [15, 20, 3],
    [100, 20, 20],
    [1_000, 20, 200],
    [19, 5, 1],
    [7, 100, 7],
    // Shares of a hundred that a division before the multiplication gets wrong.
    [100, 7, 7],
    [100, 29, 29],
    [100, 57, 57],
    [50, 58, 29],
  ])('%i instances at %i %% make batches of %i', (instances, percent, expected) => {
    expect(batchSize(instances, { maxBatchInstancePercent: percent })).toBe(expected);
  });

  it('is exact for every set and every percentage', () => {
    const wrong: string[] = [];
    for (let percent = 5; percent <= 100; percent++) {
      for (let count = 1; count <= 1_000; count++) {
        const size = batchSize(count, { maxBatchInstancePercent: percent });
        // The largest whole number that is at most the share, said in whole numbers only.
        const isFloor = size * 100 <= count * percent && (size + 1) * 100 > count * percent;
        const isLeast = size === 1 && count * percent < 100;
        if (!isFloor && !isLeast) wrong.push(`${count} at ${percent} %: ${size}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('nextBatch (rule B3)', () => {
  const zonal = [
    view('0', { zone: '1', updateDomain: 1 }),
    view('1', { zone: '1', updateDomain: 0 }),
    view('2', { zone: '2', updateDomain: 0 }),
    view('10', { zone: '1', updateDomain: 0 }),
    view('3', { zone: '1', updateDomain: 0, healthy: false }),
  ];

  it('takes the lowest update domain of the zone that is held, in the order of numeric ids', () => {
    expect(nextBatch({ candidates: zonal, zone: '1', size: 5, policy })).toEqual({
      zone: '1',
      updateDomain: 0,
      instanceIds: ['1', '3', '10'],
    });
    expect(nextBatch({ candidates: zonal, zone: '2', size: 5, policy })?.instanceIds).toEqual(['2']);
  });

  it('takes no more than the size', () => {
    expect(nextBatch({ candidates: zonal, zone: '1', size: 2, policy })?.instanceIds).toEqual(['1', '3']);
  });

  it('finds nothing in a zone without candidates, and nothing among none', () => {
    expect(nextBatch({ candidates: zonal, zone: '3', size: 5, policy })).toBeNull();
    expect(nextBatch({ candidates: zonal, zone: null, size: 5, policy })).toBeNull();
    expect(nextBatch({ candidates: [], zone: ALONE, size: 5, policy })).toBeNull();
    expect(nextBatch({ candidates: [], zone: ALONE, size: 5, policy: crossZone })).toBeNull();
  });

  it('finishes the open update domain before a lower one that has got work since', () => {
    const input = { candidates: zonal, zone: '1', size: 5, policy };
    expect(nextBatch({ ...input, openUpdateDomain: 1 })?.instanceIds).toEqual(['0']);
    expect(nextBatch({ ...input, openUpdateDomain: 4 })?.updateDomain).toBe(0);
    expect(nextBatch({ ...input, openUpdateDomain: null })?.updateDomain).toBe(0);
  });

  it('spans zones, but no update domains, where the policy lets it and all zones are held', () => {
    expect(nextBatch({ candidates: zonal, zone: ALONE, size: 5, policy: crossZone })).toEqual({
      zone: ALONE,
      updateDomain: 0,
      instanceIds: ['1', '2', '3', '10'],
    });
  });

  it('stays in the zone that is held although the policy would let it span zones', () => {
    const batch = nextBatch({ candidates: zonal, zone: '2', size: 5, policy: crossZone });
    expect(batch).toEqual({ zone: '2', updateDomain: 0, instanceIds: ['2'] });
  });

  it('stays in one zone without the word of the policy, although all zones are held', () => {
    const batch = nextBatch({ candidates: zonal, zone: ALONE, size: 5, policy });
    expect(batch).toEqual({ zone: '1', updateDomain: 0, instanceIds: ['1', '3', '10'] });
  });

  it('puts unhealthy instances first, inside the update domain only', () => {
    const candidates = [...zonal, view('4', { zone: '1', updateDomain: 2, healthy: false })];
    const batch = nextBatch({ candidates, zone: '1', size: 2, policy: unhealthyFirst });
    expect(batch?.instanceIds).toEqual(['3', '1']);
  });

  it('bounds a Flexible set by the zone alone', () => {
    const candidates = ['vmss_b', 'vmss_a', 'vmss_c'].map((id, i) =>
      view(id, { zone: i === 2 ? '2' : '1', updateDomain: null }),
    );
    expect(nextBatch({ candidates, zone: '1', size: 5, policy })).toEqual({
      zone: '1',
      updateDomain: null,
      instanceIds: ['vmss_a', 'vmss_b'],
    });
  });
});

describe('compareInstanceIds', () => {
  it('orders numbers by value, then texts', () => {
    const ids = ['vmss_b', '10', '9', 'vmss_A', '010', '1'];
    expect(ids.toSorted(compareInstanceIds)).toEqual(['1', '9', '010', '10', 'vmss_A', 'vmss_b']);
  });
});

const zonedSet = (zones: (string | null)[]) =>
  fc
    .array(
      fc.record({
        zone: fc.constantFrom(...zones),
        updateDomain: fc.integer({ min: 0, max: 4 }),
        healthy: fc.boolean(),
      }),
      { maxLength: 60 },
    )
    .map((views) => views.map((each, index) => ({ ...each, instanceId: String(index) })));

const anySet: fc.Arbitrary<InstanceView[]> = fc.oneof(
  zonedSet(['1', '2', '3']),
  zonedSet([null]),
  zonedSet(['1', '2', '3']).map((set) => set.map((each) => ({ ...each, updateDomain: null }))),
);

const anyPolicy = fc.record({
  maxBatchInstancePercent: fc.integer({ min: 5, max: 100 }),
  enableCrossZoneUpgrade: fc.boolean(),
  prioritizeUnhealthyInstances: fc.boolean(),
});

it('planBatches finishes the open update domain of its first zone, and only there (B3)', () => {
  const places = ['1', '2'].flatMap((zone) => [0, 1].map((updateDomain) => ({ zone, updateDomain })));
  const candidates = places.map((place, index) => view(String(index), place));
  const plan = planBatches({ candidates, instanceCount: 4, policy, zones: ['2', '1'], openUpdateDomain: 1 });
  expect(plan.map(({ zone, updateDomain }) => `${zone}/${updateDomain}`)).toEqual([
    '2/1',
    '2/0',
    '1/0',
    '1/1',
  ]);
});

describe('planBatches over random sets (rules B2, B3)', () => {
  const everyPlan = (check: (set: InstanceView[], policy: typeof crossZone, extra: number) => void) =>
    fc.assert(
      fc.property(anySet, anyPolicy, fc.nat(20), (set, change, extra) =>
        check(set, { ...policy, ...change }, extra),
      ),
    );
  const members = (set: InstanceView[], ids: string[]) =>
    ids.map((id) => set.find((each) => each.instanceId === id) as InstanceView);

  it('takes every candidate exactly once', () => {
    everyPlan((set, policy, extra) => {
      const batches = planBatches({ candidates: set, instanceCount: set.length + extra, policy });
      const taken = batches.flatMap((batch) => batch.instanceIds);
      expect(taken.toSorted()).toEqual(set.map((each) => each.instanceId).toSorted());
      expect(batchCount({ candidates: set, instanceCount: set.length + extra, policy })).toBe(batches.length);
    });
  });

  it('never makes a batch of more than the share of all instances, nor an empty one', () => {
    everyPlan((set, policy, extra) => {
      const instanceCount = set.length + extra;
      for (const batch of planBatches({ candidates: set, instanceCount, policy })) {
        const share = (instanceCount * policy.maxBatchInstancePercent) / 100;
        expect(batch.instanceIds.length).toBeLessThanOrEqual(Math.max(1, share));
        expect(batch.instanceIds.length).toBeGreaterThan(0);
      }
    });
  });

  it('never crosses an update domain', () => {
    everyPlan((set, policy, extra) => {
      for (const batch of planBatches({ candidates: set, instanceCount: set.length + extra, policy })) {
        const updateDomains = members(set, batch.instanceIds).map((each) => each.updateDomain);
        expect(new Set(updateDomains)).toEqual(new Set([batch.updateDomain]));
      }
    });
  });

  it('never crosses a zone unless the policy says so', () => {
    everyPlan((set, change, extra) => {
      const policy = { ...change, enableCrossZoneUpgrade: false };
      for (const batch of planBatches({ candidates: set, instanceCount: set.length + extra, policy })) {
        const zones = members(set, batch.instanceIds).map((each) => each.zone);
        expect(new Set(zones)).toEqual(new Set([batch.zone]));
      }
    });
  });

  it('finishes a zone before the next, and in it an update domain before the next higher one', () => {
    everyPlan((set, policy, extra) => {
      const batches = planBatches({ candidates: set, instanceCount: set.length + extra, policy });
      const order = batches.map((batch) => `${batch.zone ?? ''}/${batch.updateDomain ?? ''}`);
      expect(order).toEqual(order.toSorted());
    });
  });

  it('takes every unhealthy instance of a zone and update domain before a healthy one, if told so', () => {
    everyPlan((set, change, extra) => {
      const policy = { ...change, prioritizeUnhealthyInstances: true };
      const batches = planBatches({ candidates: set, instanceCount: set.length + extra, policy });
      for (const { zone, updateDomain } of batches) {
        const health = batches
          .filter((batch) => batch.zone === zone && batch.updateDomain === updateDomain)
          .flatMap((batch) => members(set, batch.instanceIds).map((each) => Number(each.healthy)));
        expect(health).toEqual(health.toSorted((a, b) => a - b));
      }
    });
  });

  it('follows the order of zones that it is given', () => {
    const set = ['1', '2', '3'].map((zone, index) => view(String(index), { zone }));
    const batches = planBatches({ candidates: set, instanceCount: 3, policy, zones: ['3', '1', '2'] });
    expect(batches.map((batch) => batch.zone)).toEqual(['3', '1', '2']);
    expect(zonesOf(set.toReversed())).toEqual(['1', '2', '3']);
  });
});
