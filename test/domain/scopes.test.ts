import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALL,
  parseScope,
  phaseScope,
  regionScope,
  rolloutScope,
  scaleSetScope,
  scopeLabel,
  scopesOf,
} from '../../src/domain/scopes.ts';

const ARM_ID =
  '/subscriptions/S1/resourceGroups/RG-Web/providers/Microsoft.Compute/virtualMachineScaleSets/Web-1';

describe('scopes', () => {
  it('name every place that something lies in, the widest first', () => {
    expect(scopesOf({ rolloutId: 'image/x/1.0.0/1' })).toEqual(['all', 'rollout:image/x/1.0.0/1']);
    expect(scopesOf({ rolloutId: 'r', phase: 2, region: 'WestEurope', scaleSetId: ARM_ID })).toEqual([
      'all',
      'rollout:r',
      'rollout:r/phase:2',
      'rollout:r/region:westeurope',
      `scale-set:${ARM_ID.toLowerCase()}`,
    ]);
  });

  it('are read back as what they were made from', () => {
    const id = fc.string({ minLength: 1 }).filter((text) => !/\/(phase|region):[^/]*$/.test(text));
    const region = fc.stringMatching(/^[a-z0-9]+$/);
    fc.assert(
      fc.property(id, fc.integer({ min: 1, max: 99 }), region, (rolloutId, phase, region) => {
        expect(parseScope(rolloutScope(rolloutId))).toEqual({ kind: 'rollout', rolloutId });
        expect(parseScope(phaseScope(rolloutId, phase))).toEqual({ kind: 'phase', rolloutId, phase });
        expect(parseScope(regionScope(rolloutId, region))).toEqual({ kind: 'region', rolloutId, region });
        expect(parseScope(scaleSetScope(rolloutId))).toEqual({
          kind: 'scaleSet',
          scaleSetId: rolloutId.toLowerCase(),
        });
      }),
    );
    expect(parseScope(ALL)).toEqual({ kind: 'all' });
  });

  it.each(['', 'rollout:', 'scale-set:', 'region:x', 'ALL!'])('do not include "%s"', (text) => {
    expect(parseScope(text)).toBeNull();
  });

  it.each([
    [ALL, 'everything'],
    [rolloutScope('r1'), 'rollout r1'],
    [phaseScope('r1', 2), 'phase 2 of rollout r1'],
    [regionScope('r1', 'westeurope'), 'region westeurope of rollout r1'],
    [scaleSetScope(ARM_ID), 'scale set web-1 in rg-web'],
    [scaleSetScope('web-1'), 'scale set web-1'],
    ['something else', 'something else'],
  ])('are told to people: %s', (scope, label) => {
    expect(scopeLabel(scope)).toBe(label);
  });
});
