import { describe, expect, it } from 'vitest';
import { pickUp, type OpenRollout, type RegionBehind } from '../../src/domain/pick-up.ts';

const behind = (region: string, version: string): RegionBehind => ({ region, version, instances: 2 });
const open = (version: string, ...regions: string[]): OpenRollout => ({
  rolloutId: `rollout ${version}`,
  version,
  regions,
});

describe('of a platform image (D1, D7)', () => {
  it('one rollout of the newest version is due, over the regions that are behind it', () => {
    const due = [behind('eastus', '2.0'), behind('westus', '1.10'), behind('uksouth', '2.0')];
    const { starts, supersedes } = pickUp('platform', due, []);
    expect(starts).toEqual([{ version: '2.0', regions: [due[0], due[2]] }]);
    expect(supersedes).toEqual([]);
  });

  it('a newer version supersedes those that still run, everywhere', () => {
    const { starts, supersedes } = pickUp(
      'platform',
      [behind('eastus', '1.10')],
      [open('1.9', 'eastus'), open('1.2', 'uksouth')],
    );
    expect(starts).toHaveLength(1);
    expect(supersedes).toEqual([
      { rolloutId: 'rollout 1.9', by: '1.10', regions: null },
      { rolloutId: 'rollout 1.2', by: '1.10', regions: null },
    ]);
  });

  it.each(['1.10', '1.11'])('nothing is due while version %s is rolled out', (version) => {
    const nothing = { starts: [], supersedes: [] };
    expect(pickUp('platform', [behind('eastus', '1.10')], [open(version, 'uksouth')])).toEqual(nothing);
    expect(pickUp('platform', [], [open('1.2', 'eastus')])).toEqual(nothing);
  });
});

describe('of a gallery image each region goes by itself (D5, D7)', () => {
  it('by the newest version that is there', () => {
    const due = [behind('eastus', '2.0'), behind('westus', '1.0'), behind('uksouth', '2.0')];
    expect(pickUp('gallery', due, []).starts).toEqual([
      { version: '1.0', regions: [due[1]] },
      { version: '2.0', regions: [due[0], due[2]] },
    ]);
  });

  it('also while another region is under way', () => {
    const due = [behind('eastus', '2.0'), behind('westus', '2.0')];
    const { starts, supersedes } = pickUp('gallery', due, [open('2.0', 'eastus')]);
    expect(starts).toEqual([{ version: '2.0', regions: [due[1]] }]);
    expect(supersedes).toEqual([]);
  });

  it('and a newer version supersedes an older one only where it is', () => {
    const { supersedes } = pickUp('gallery', [behind('eastus', '2.0')], [open('1.0', 'eastus', 'westus')]);
    expect(supersedes).toEqual([{ rolloutId: 'rollout 1.0', by: '2.0', regions: ['eastus'] }]);
  });
});
