import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE } from '../../src/domain/clock.ts';
import { DEFAULT_SETTINGS } from '../../src/domain/policy.ts';
import { triggerTime, type TriggerInput } from '../../src/domain/trigger.ts';

const seenAt = Date.parse('2026-01-05T10:00:00Z');
const base: TriggerInput = {
  settings: DEFAULT_SETTINGS,
  rolloutId: 'rollout-1',
  scaleSetId: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/web',
  seenAt,
  everTriggered: true,
  automaticUpgradesSince: seenAt - 100 * HOUR,
};
const manySets = Array.from({ length: 500 }, (_, index) => `set-${index}`);
const delays = (change: Partial<TriggerInput>) =>
  manySets.map((scaleSetId) => triggerTime({ ...base, ...change, scaleSetId }) - seenAt);

describe('triggerTime (rule D6)', () => {
  it('is 30 to 60 minutes after the set was seen', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(4e12), (rolloutId, scaleSetId, at) => {
        const delay = triggerTime({ ...base, rolloutId, scaleSetId, seenAt: at }) - at;
        expect(delay).toBeGreaterThanOrEqual(30 * MINUTE);
        expect(delay).toBeLessThanOrEqual(60 * MINUTE);
        expect(Number.isInteger(delay)).toBe(true);
      }),
    );
  });

  it('spreads the sets evenly over those 30 minutes', () => {
    const tenths = delays({}).map((delay) => Math.floor((delay - 30 * MINUTE) / (3 * MINUTE)));
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = tenths.filter((each) => each === tenth).length;
      expect(share).toBeGreaterThan(25);
      expect(share).toBeLessThan(80);
    }
  });

  it('is drawn anew for another rollout, and the same for the same one, whatever the case of the id', () => {
    const again = triggerTime({ ...base, scaleSetId: base.scaleSetId.toUpperCase() });
    expect(again).toBe(triggerTime(base));
    expect(triggerTime({ ...base, rolloutId: 'rollout-2' })).not.toBe(triggerTime(base));
  });

  it('goes by the settings of the rollout', () => {
    const settings = { ...DEFAULT_SETTINGS, triggerDelay: { min: 5 * MINUTE, max: 5 * MINUTE } };
    expect(triggerTime({ ...base, settings }) - seenAt).toBe(5 * MINUTE);
  });
});

describe("triggerTime of a set's first ever upgrade (rule D6)", () => {
  it('is within 3 hours of when automatic upgrades were enabled, and uses all of that time', () => {
    const drawn = delays({ everTriggered: false, automaticUpgradesSince: seenAt });
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(30 * MINUTE);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(3 * HOUR);
    expect(Math.max(...drawn)).toBeGreaterThan(2.5 * HOUR);
  });

  it('leaves the shortest delay where there is room for it', () => {
    const drawn = delays({ everTriggered: false, automaticUpgradesSince: seenAt - 2.25 * HOUR });
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(30 * MINUTE);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(45 * MINUTE);
  });

  it('keeps the 3 hours rather than the shortest delay where both cannot be kept', () => {
    const drawn = delays({ everTriggered: false, automaticUpgradesSince: seenAt - 2.75 * HOUR });
    expect(new Set(drawn)).toEqual(new Set([15 * MINUTE]));
  });

  it.each([
    ['the 3 hours are over', { everTriggered: false, automaticUpgradesSince: seenAt - 4 * HOUR }],
    ['the 3 hours end this moment', { everTriggered: false, automaticUpgradesSince: seenAt - 3 * HOUR }],
    ['nobody knows when they were enabled', { everTriggered: false, automaticUpgradesSince: null }],
    ['it is not the first', { everTriggered: true, automaticUpgradesSince: seenAt }],
  ])('is like any other when %s', (_, change) => {
    const drawn = delays(change);
    expect(drawn).toEqual(delays({}));
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(30 * MINUTE);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(60 * MINUTE);
  });
});
