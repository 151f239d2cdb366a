import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CANARY_MIN_INSTANCES,
  phasePlanViolations,
  planPhases,
  type PhasePlan,
  type RegionLoad,
} from '../../src/domain/phases.ts';
import { pairedRegions, type Region } from '../../src/domain/region.ts';
import regionData from '../../src/fleet/data/regions.json' with { type: 'json' };

/** The real geo-pairs: mutual ones, the four one-way ones, which make chains, and regions without a pair. */
const allRegions: Region[] = regionData;
const partners = new Map(
  allRegions.map((region) => [region.name, new Set(pairedRegions(allRegions, region.name))]),
);
const names = allRegions.map((region) => region.name);

const loads = (...sizes: [string, number][]): RegionLoad[] =>
  sizes.map(([name, eligibleInstances]) => ({ name, eligibleInstances }));
const plan = (regions: RegionLoad[], phases?: number) =>
  planPhases({ regions, allRegions, ...(phases === undefined ? {} : { phases }) });
const shape = (phases: PhasePlan[]) => phases.map((phase) => `${phase.name}: ${phase.regions.join(' ')}`);

describe('planPhases (rule D1)', () => {
  it('starts with a canary and grows', () => {
    const regions = loads(
      ['westcentralus', 10],
      ['canadaeast', 30],
      ['uksouth', 40],
      ['italynorth', 50],
      ['northeurope', 120],
      ['eastus2', 200],
      ['westeurope', 300],
      ['eastus', 400],
    );
    expect(shape(plan(regions))).toEqual([
      'canary: westcentralus',
      'early: canadaeast',
      'phase 3: northeurope',
      'phase 4: eastus2 uksouth',
      'broad: eastus italynorth westeurope',
    ]);
  });

  it('separates the regions of every chain of pairs', () => {
    const chain = loads(
      ['italynorth', 5],
      ['brazilsoutheast', 100],
      ['brazilsouth', 100],
      ['southcentralus', 100],
      ['northcentralus', 100],
    );
    expect(shape(plan(chain, 3))).toEqual([
      'canary: italynorth',
      'early: brazilsouth northcentralus',
      'broad: brazilsoutheast southcentralus',
    ]);
  });

  it.each([
    ['none', [], []],
    ['only regions without eligible instances', loads(['eastus', 0]), []],
    ['one region', loads(['eastus', 7]), ['broad: eastus']],
    ['a pair', loads(['eastus', 7], ['westus', 6]), ['canary: westus', 'broad: eastus']],
    [
      'a region too small to say much',
      loads(['eastus', 90], ['uksouth', 4], ['uaenorth', 0]),
      ['canary: uksouth', 'broad: eastus'],
    ],
    [
      'a small region that says enough',
      loads(['eastus', 90], ['uksouth', 4], ['qatarcentral', 5]),
      ['canary: qatarcentral', 'early: uksouth', 'broad: eastus'],
    ],
    [
      'small regions only',
      loads(['eastus', 1], ['uksouth', 3], ['qatarcentral', 2]),
      ['canary: uksouth', 'early: eastus', 'broad: qatarcentral'],
    ],
  ])('of %s', (_, regions, expected) => {
    expect(shape(plan(regions))).toEqual(expected);
  });

  it('makes one phase of everything when asked for one', () => {
    expect(shape(plan(loads(['eastus', 9], ['uksouth', 5]), 1))).toEqual(['broad: eastus uksouth']);
  });

  it('makes more phases than asked for where a geo-pair needs them', () => {
    const phases = plan(loads(['eastus', 9], ['westus', 5], ['westus3', 5], ['uksouth', 8]), 1);
    expect(shape(phases)).toEqual(['canary: westus westus3', 'broad: eastus uksouth']);
  });

  it('makes as many phases as asked for', () => {
    for (let count = 3; count <= 8; count++) {
      expect(
        plan(
          names.map((name) => ({ name, eligibleInstances: 50 })),
          count,
        ),
      ).toHaveLength(count);
    }
  });

  it('places regions whose pairs form a ring of three', () => {
    const ring = ['a', 'b', 'c'].map((name, index): Region => ({
      ...(allRegions[0] as Region),
      name,
      pairedRegion: ['b', 'c', 'a'][index] as string,
    }));
    const regions = loads(['a', 5], ['b', 5], ['c', 5]);
    expect(planPhases({ regions, allRegions: ring, phases: 2 })).toHaveLength(3);
  });
});

describe('planPhases over random fleets (rule D1)', () => {
  it('knows fleets with chains of four regions', () => {
    expect([...(partners.get('southcentralus') ?? [])]).toEqual(['brazilsouth', 'northcentralus']);
    expect([...(partners.get('brazilsouth') ?? [])]).toEqual(['brazilsoutheast', 'southcentralus']);
  });

  const anyFleet = fc
    .subarray(names, { minLength: 1 })
    .chain((subset) =>
      fc.tuple(
        ...subset.map((name) =>
          fc.record({ name: fc.constant(name), eligibleInstances: fc.oneof(fc.nat(10), fc.nat(5_000)) }),
        ),
      ),
    );
  const everyPlan = (check: (phases: PhasePlan[], regions: RegionLoad[]) => void) =>
    fc.assert(
      fc.property(
        anyFleet,
        fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
        (regions, count) => check(plan(regions, count), regions),
      ),
      { numRuns: 300 },
    );
  const sizes = (phases: PhasePlan[], regions: RegionLoad[]) =>
    phases.map((phase) =>
      regions
        .filter((region) => phase.regions.includes(region.name))
        .reduce((sum, region) => sum + region.eligibleInstances, 0),
    );

  it('never puts both regions of a pair into one phase', () => {
    everyPlan((phases) => {
      for (const { regions } of phases)
        for (const a of regions) expect(regions.filter((b) => partners.get(a)?.has(b))).toEqual([]);
    });
  });

  it('puts every region with eligible instances into exactly one phase, and no other region', () => {
    everyPlan((phases, regions) => {
      const expected = regions.filter((region) => region.eligibleInstances > 0).map((region) => region.name);
      expect(phases.flatMap((phase) => phase.regions).toSorted()).toEqual(expected.toSorted());
    });
  });

  it('passes its own check', () => {
    everyPlan((phases, regions) => {
      const inScope = regions.filter((region) => region.eligibleInstances > 0).map((region) => region.name);
      expect(phasePlanViolations(phases, allRegions, inScope)).toEqual([]);
    });
  });

  it('lets phases only grow after the canary, and names each once', () => {
    everyPlan((phases, regions) => {
      const afterCanary = sizes(phases, regions).slice(1);
      expect(afterCanary).toEqual(afterCanary.toSorted((a, b) => a - b));
      expect(new Set(phases.map((phase) => phase.name)).size).toBe(phases.length);
    });
  });

  it('makes at least four phases of six regions or more, unless told otherwise', () => {
    fc.assert(
      fc.property(anyFleet, (regions) => {
        const count = regions.filter((region) => region.eligibleInstances > 0).length;
        const phases = plan(regions);
        expect(phases.length).toBeGreaterThanOrEqual(count >= 6 ? 4 : Math.min(count, 1));
        expect(phases.length).toBeLessThanOrEqual(Math.max(count, 1));
      }),
    );
  });

  it('makes four phases of six even regions, although three would do for threefold growth', () => {
    const even = ['eastus', 'uksouth', 'italynorth', 'japaneast', 'qatarcentral', 'northeurope'];
    expect(plan(even.map((name) => ({ name, eligibleInstances: 100 })))).toHaveLength(4);
  });

  it('begins with the smallest region that is large enough, if there is one and it is not most of the fleet', () => {
    fc.assert(
      fc.property(anyFleet, (regions) => {
        const phases = plan(regions);
        const instances = regions.map((region) => region.eligibleInstances);
        const enough = Math.min(...instances.filter((count) => count >= CANARY_MIN_INSTANCES));
        fc.pre(phases.length > 1 && enough * 2 <= instances.reduce((sum, count) => sum + count, 0));
        expect(phases[0]?.regions).toHaveLength(1);
        expect(sizes(phases, regions)[0]).toBe(enough);
      }),
    );
  });

  it('does not depend on the order of its input', () => {
    fc.assert(
      fc.property(anyFleet, (regions) => {
        expect(plan(regions.toReversed())).toEqual(plan(regions));
        expect(planPhases({ regions, allRegions: allRegions.toReversed() })).toEqual(plan(regions));
      }),
    );
  });

  it('grows about twofold to threefold in a fleet of many even regions', () => {
    const regions = names.map((name) => ({ name, eligibleInstances: 100 }));
    expect(sizes(plan(regions), regions)).toEqual([100, 200, 600, 1_400, 3_300]);
  });
});

describe('phasePlanViolations (rule D1)', () => {
  const phase = (name: string, ...regions: string[]): PhasePlan => ({ name, regions });
  const check = (phases: PhasePlan[], inScope: string[] = []) =>
    phasePlanViolations(phases, allRegions, inScope);

  it('finds nothing in a sound plan, whatever the spelling', () => {
    expect(check([phase('canary', 'East US'), phase('broad', 'West US', 'West US 3')], ['EASTUS'])).toEqual(
      [],
    );
  });

  it.each([-1, 101, NaN])('refuses a tolerance of %s % (rule D2)', (failureTolerancePercent) => {
    expect(check([{ ...phase('canary', 'eastus'), failureTolerancePercent }])).toMatchObject([
      {
        code: 'ToleranceOutOfBounds',
        phase: 1,
        message: `Phase 1 (canary) has a failureTolerancePercent of ${failureTolerancePercent}: give 0 to 100 percent.`,
      },
    ]);
  });

  it.each([
    [
      'EmptyPhase',
      [phase('canary')],
      [],
      1,
      [],
      'Phase 1 (canary) has no regions: give it at least one, or remove it.',
    ],
    [
      'UnknownRegion',
      [phase('canary', 'eastus'), phase('broad', 'Atlantis')],
      [],
      2,
      ['atlantis'],
      'Phase 2 (broad) names Atlantis, which is no region of this fleet: correct or remove it.',
    ],
    [
      'RegionTwice',
      [phase('canary', 'eastus'), phase('broad', 'East US')],
      [],
      2,
      ['eastus'],
      'Phase 2 (broad) names eastus, which phase 1 has already: remove one of the two.',
    ],
    [
      'PairedRegionsInOnePhase',
      [phase('broad', 'westus3', 'italynorth', 'eastus')],
      [],
      1,
      ['eastus', 'westus3'],
      'Phase 1 (broad) holds the geo-pair eastus and westus3: move one to another phase.',
    ],
    [
      'RegionMissing',
      [phase('broad', 'westus3')],
      ['westus3', 'uksouth'],
      null,
      ['uksouth'],
      'No phase holds uksouth, which has scale sets to upgrade: add it to a phase.',
    ],
  ])('reports %s', (code, phases, inScope, number, regions, message) => {
    expect(check(phases, inScope)).toEqual([{ code, phase: number, regions, message }]);
  });

  it('reports everything that is wrong, each pair of a chain once', () => {
    const phases = [phase('all', 'westus', 'eastus', 'westus3', 'eastus'), phase('none')];
    expect(check(phases, ['uksouth', 'ukwest']).map((violation) => violation.code)).toEqual([
      'RegionTwice',
      'PairedRegionsInOnePhase',
      'PairedRegionsInOnePhase',
      'EmptyPhase',
      'RegionMissing',
      'RegionMissing',
    ]);
  });
});
