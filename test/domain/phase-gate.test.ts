import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/clock.ts';
import { gateOf } from '../../src/domain/phase-gate.ts';

const settings = { failureTolerancePercent: 2, bakeTime: HOUR };

describe('what holds for a phase (D2, D3)', () => {
  it("is the rollout's settings where its plan says nothing, as plans of earlier releases do", () => {
    const usual = { ...settings, approval: false };
    expect(gateOf(undefined, settings)).toEqual(usual);
    expect(gateOf({}, settings)).toEqual(usual);
  });

  it("is its plan's word where there is one, also if that is none at all", () => {
    expect(gateOf({ failureTolerancePercent: 0, bakeTime: 0, approval: true }, settings)).toEqual({
      failureTolerancePercent: 0,
      bakeTime: 0,
      approval: true,
    });
    expect(gateOf({ bakeTime: MINUTE }, settings)).toMatchObject({
      failureTolerancePercent: 2,
      bakeTime: MINUTE,
    });
  });
});
