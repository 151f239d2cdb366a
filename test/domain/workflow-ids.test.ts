import { describe, expect, it } from 'vitest';
import {
  batchUpgradeId,
  imageRolloutId,
  manualRolloutId,
  parseWorkflowId,
  phaseRolloutId,
  regionRolloutId,
  scaleSetRolloutId,
} from '../../src/workflows/ids.ts';
import { TARGET, testSetId } from '../support/fleet.ts';

const rolloutId = imageRolloutId(TARGET, 2);
const set = testSetId('Web');

describe('the id of a scale set’s workflow', () => {
  it('is one per set, whatever the case of the ARM id: Temporal itself allows one upgrade at a time (B12)', () => {
    expect(scaleSetRolloutId(set.toUpperCase())).toBe(scaleSetRolloutId(set));
    expect(scaleSetRolloutId(testSetId('web2'))).not.toBe(scaleSetRolloutId(set));
    const elsewhere = set.replace('resourceGroups/fleet', 'resourceGroups/other');
    expect(scaleSetRolloutId(elsewhere)).not.toBe(scaleSetRolloutId(set));
  });

  it('is short enough for Temporal, however long the ARM id is', () => {
    const long = testSetId('w'.repeat(64)).replace('fleet', 'g'.repeat(90));
    expect(batchUpgradeId(scaleSetRolloutId(long), 99_999, 1_000).length).toBeLessThan(255);
  });
});

describe('ids of workflows', () => {
  const scaleSetWorkflowId = scaleSetRolloutId(set);
  it.each([
    [rolloutId, { level: 'image', rolloutId, version: TARGET.version, generation: 2 }],
    [phaseRolloutId(rolloutId, 3, 1), { level: 'phase', rolloutId, phase: 3, round: 1 }],
    [phaseRolloutId(rolloutId, 3, 2), { level: 'phase', rolloutId, phase: 3, round: 2 }],
    [
      regionRolloutId(phaseRolloutId(rolloutId, 3, 2), 'eastus'),
      { level: 'region', rolloutId, phase: 3, round: 2, region: 'eastus' },
    ],
    [scaleSetWorkflowId, { level: 'scaleSet', scaleSetWorkflowId, name: 'web' }],
    [
      batchUpgradeId(scaleSetWorkflowId, 4, 5),
      { level: 'batch', scaleSetWorkflowId, attemptNumber: 4, batch: 5 },
    ],
    [manualRolloutId(set, 6), { level: 'manual', scaleSetWorkflowId, generation: 6 }],
  ])('have an inverse: %s', (id, expected) => {
    expect(parseWorkflowId(id)).toMatchObject(expected);
  });

  it('of others are none of ours', () => {
    for (const id of ['', 'scale-set/web', `${rolloutId}/phase-x`, 'temporal-sys-scheduler']) {
      expect(parseWorkflowId(id)).toBeNull();
    }
  });
});
