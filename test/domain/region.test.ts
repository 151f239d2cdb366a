import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  arePaired,
  geoPairs,
  normaliseRegionName,
  pairedRegions,
  type Region,
} from '../../src/domain/region.ts';

const region = (name: string, pairedRegion: string | null): Region => ({
  name,
  displayName: name,
  geography: 'Test',
  pairedRegion,
  availabilityZones: [],
});

/** Mutual pairs, Azure's one-way pairs (westus3, brazilsouth, brazilsoutheast, westindia), and regions alone. */
const regions = [
  region('eastus', 'westus'),
  region('westus', 'eastus'),
  region('westus3', 'eastus'),
  region('northcentralus', 'southcentralus'),
  region('southcentralus', 'northcentralus'),
  region('brazilsouth', 'southcentralus'),
  region('brazilsoutheast', 'brazilsouth'),
  region('italynorth', null),
];

describe('geoPairs (rule A2)', () => {
  it('names each pair once, also those that only one side names', () => {
    expect(geoPairs(regions)).toEqual([
      ['eastus', 'westus'],
      ['eastus', 'westus3'],
      ['northcentralus', 'southcentralus'],
      ['brazilsouth', 'southcentralus'],
      ['brazilsouth', 'brazilsoutheast'],
    ]);
  });
});

describe('pairedRegions (rule A2)', () => {
  it.each([
    ['westus', ['eastus']],
    ['westus3', ['eastus']],
    ['eastus', ['westus', 'westus3']],
    ['brazilsouth', ['brazilsoutheast', 'southcentralus']],
    ['southcentralus', ['brazilsouth', 'northcentralus']],
    ['brazilsoutheast', ['brazilsouth']],
    ['italynorth', []],
    ['atlantis', []],
  ])('of %s are %j', (name, expected) => {
    expect(pairedRegions(regions, name)).toEqual(expected);
  });

  it('ignores the spelling of names', () => {
    expect(pairedRegions([region('West US 3', 'East US')], 'EastUS')).toEqual(['westus3']);
  });

  it('never names the region itself', () => {
    expect(pairedRegions([region('loop', 'loop')], 'loop')).toEqual([]);
  });

  it('finds a partner that is not a region of the fleet', () => {
    expect(pairedRegions([region('eastus', 'westus')], 'eastus')).toEqual(['westus']);
  });
});

describe('arePaired (rules A2, D1)', () => {
  it('is the same from both sides', () => {
    const name = fc.constantFrom(...regions.map((each) => each.name), 'atlantis');
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(arePaired(regions, a, b)).toBe(arePaired(regions, b, a));
      }),
    );
  });

  it.each([
    ['westus3', 'eastus', true],
    ['eastus', 'westus3', true],
    ['westus', 'westus3', false],
    ['brazilsoutheast', 'southcentralus', false],
    ['East US', 'West US', true],
    ['eastus', 'eastus', false],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(arePaired(regions, a, b)).toBe(expected);
  });
});

describe('normaliseRegionName', () => {
  it.each([
    ['East US', 'eastus'],
    [' west us\t3 ', 'westus3'],
    ['westeurope', 'westeurope'],
  ])('%j is %s', (text, expected) => {
    expect(normaliseRegionName(text)).toBe(expected);
  });
});
