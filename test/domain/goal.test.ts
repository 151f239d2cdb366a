import { describe, expect, it } from 'vitest';
import type { AttemptKind } from '../../src/domain/attempt-kinds.ts';
import { destinationOf, whyLeftAlone, type Goal } from '../../src/domain/goal.ts';
import type { Image, ImageVersion } from '../../src/domain/image.ts';
import { DEFAULT_ROLLING_POLICY } from '../../src/domain/policy.ts';
import type { OsDisk, UpgradePolicy } from '../../src/domain/scale-set.ts';

const image = (sku: string): Image => ({ kind: 'platform', publisher: 'p', offer: 'o', sku });
const v = (version: string, sku = 'a'): ImageVersion => ({ image: image(sku), version });
const disk = (version: ImageVersion): OsDisk => ({ id: 'disk', source: version, createdAt: 0 });

type Instance = Parameters<typeof whyLeftAlone>[2];
type Set = Parameters<typeof destinationOf>[1];

function instance(change: Partial<Instance> = {}): Instance {
  return {
    instanceId: '0',
    osDisk: disk(v('1.0.0')),
    previousOsDisk: null,
    latestModelApplied: true,
    provisioningState: 'Succeeded',
    powerState: 'running',
    protectFromScaleSetActions: false,
    ...change,
  };
}

function set(mode: UpgradePolicy['mode'] = 'Manual', version = 'latest', sku = 'a'): Set {
  const automaticOSUpgradePolicy = {
    enableAutomaticOSUpgrade: true,
    disableAutomaticRollback: false,
    useRollingUpgradePolicy: false,
  };
  return {
    imageReference: { image: image(sku), version },
    upgradePolicy: { mode, rollingUpgradePolicy: DEFAULT_ROLLING_POLICY, automaticOSUpgradePolicy },
  };
}

function goal(kind: AttemptKind, change: Partial<Goal> = {}): Goal {
  return {
    kind,
    target: v('2.0.0'),
    modelVersion: v('2.0.0'),
    quarantined: new Set(),
    earlier: [],
    ...change,
  };
}

const behind = { latestModelApplied: false };

describe('what an OS upgrade wants', () => {
  it('is a new disk of the target, but not of an instance that runs it: same image and version (B10)', () => {
    expect(destinationOf(goal('osUpgrade'), set(), instance())).toEqual({
      version: v('2.0.0'),
      action: 'swap',
    });
    expect(destinationOf(goal('osUpgrade'), set(), instance({ osDisk: disk(v('2.0.0')) }))).toBeNull();
    const otherSku = instance({ osDisk: disk(v('2.0.0', 'b')) });
    expect(destinationOf(goal('osUpgrade'), set(), otherSku)?.action).toBe('swap');
  });

  it('is a new disk of an instance that has none, as when a swap was cut short (B10)', () => {
    expect(destinationOf(goal('osUpgrade'), set(), instance({ osDisk: null }))?.action).toBe('swap');
  });

  it('is nothing of an instance that is protected, in quarantine, or behind its model in mode Manual (C9)', () => {
    const of = (mode: UpgradePolicy['mode'], change: Partial<Instance>, more: Partial<Goal> = {}) =>
      whyLeftAlone(goal('osUpgrade', more), set(mode), instance(change));
    expect(of('Manual', {})).toBeNull();
    expect(of('Manual', { protectFromScaleSetActions: true })).toBe('protected');
    expect(of('Manual', {}, { quarantined: new Set(['0']) })).toBe('quarantined');
    expect(of('Manual', behind)).toBe('behindModel');
    expect(of('Automatic', behind)).toBeNull();
    expect(of('Rolling', behind)).toBeNull();
  });

  it('is nothing of an instance that does not run (B3)', () => {
    const of = (powerState: Instance['powerState']) =>
      whyLeftAlone(goal('osUpgrade'), set(), instance({ powerState }));
    expect([of('running'), of('starting')]).toEqual([null, null]);
    expect([of('stopped'), of('deallocated')]).toEqual(['stopped', 'stopped']);
  });

  it('is nothing of an instance on a later version, unless a person asks for this one (B10)', () => {
    const later = instance({ osDisk: disk(v('2.1.0')) });
    expect(destinationOf(goal('osUpgrade', { keepsNewer: true }), set(), later)).toBeNull();
    expect(destinationOf(goal('osUpgrade'), set(), later)?.version).toEqual(v('2.0.0'));
    const laterOfOtherSku = instance({ osDisk: disk(v('2.1.0', 'b')) });
    expect(destinationOf(goal('osUpgrade', { keepsNewer: true }), set(), laterOfOtherSku)).not.toBeNull();
  });
});

describe('what an update to the model wants (B14)', () => {
  it('is model and extensions on the disk that is there, while the image is the same', () => {
    const wanted = destinationOf(goal('modelUpdate'), set(), instance(behind));
    expect(wanted).toEqual({ version: v('1.0.0'), action: 'configure' });
  });

  it('is a new disk where the SKU of the image reference changed, or another version is named', () => {
    const sku = destinationOf(
      goal('modelUpgrade', { modelVersion: v('7.0.0', 'b') }),
      set('Rolling', 'latest', 'b'),
      instance(behind),
    );
    expect(sku).toEqual({ version: v('7.0.0', 'b'), action: 'swap' });
    const pinned = { modelVersion: v('1.5.0') };
    const toPinned = destinationOf(goal('modelUpdate', pinned), set('Manual', '1.5.0'), instance(behind));
    expect(toPinned).toEqual({ version: v('1.5.0'), action: 'swap' });
    const on = instance({ ...behind, osDisk: disk(v('1.5.0')) });
    expect(destinationOf(goal('modelUpdate', pinned), set('Manual', '1.5.0'), on)?.action).toBe('configure');
  });

  it('is nothing of an instance that has the model, but for one that failed with it (B11)', () => {
    expect(destinationOf(goal('modelUpdate'), set(), instance())).toBeNull();
    const failed = instance({ provisioningState: 'Failed' });
    expect(destinationOf(goal('modelUpdate'), set(), failed)?.action).toBe('configure');
  });

  it('is wanted of the named instances only, also in mode Manual, never of protected ones (C9)', () => {
    const named = goal('modelUpdate', { instanceIds: ['1'] });
    expect(destinationOf(named, set(), instance(behind))).toBeNull();
    expect(destinationOf(named, set(), instance({ ...behind, instanceId: '1' }))?.action).toBe('configure');
    expect(whyLeftAlone(named, set(), instance(behind))).toBeNull();
    const guarded = instance({ ...behind, protectFromScaleSetActions: true });
    expect(whyLeftAlone(named, set(), guarded)).toBe('protected');
  });

  it('is nothing where the region offers no version of the changed image', () => {
    const wanted = goal('modelUpgrade', { modelVersion: null });
    expect(destinationOf(wanted, set('Rolling', 'latest', 'b'), instance(behind))).toBeNull();
  });
});

describe('what a revert wants', () => {
  const earlier = [{ instanceId: '0', attemptId: 'a', from: v('1.0.0'), to: v('2.0.0'), wasHealthy: true }];

  it('is the last known good image, of the instances that run what is undone', () => {
    const undo = goal('revert', { earlier });
    const bad = instance({ osDisk: disk(v('2.0.0')) });
    expect(destinationOf(undo, set(), bad)).toEqual({ version: v('1.0.0'), action: 'swap' });
    expect(destinationOf(undo, set(), instance())).toBeNull();
    expect(destinationOf(undo, set(), { ...bad, instanceId: '1' })).toBeNull();
  });
});

describe('what a repair wants', () => {
  const stuck = instance({ osDisk: disk(v('2.0.0')), previousOsDisk: disk(v('1.0.0')) });
  const quarantined = new Set(['0']);

  it('is the kept disk back, or a new one of its version', () => {
    expect(destinationOf(goal('repair', { quarantined }), set(), stuck)).toEqual({
      version: v('1.0.0'),
      action: 'restore',
    });
    expect(destinationOf(goal('repair', { quarantined, reimage: true }), set(), stuck)).toEqual({
      version: v('1.0.0'),
      action: 'swap',
    });
    expect(whyLeftAlone(goal('repair', { quarantined }), set(), stuck)).toBeNull();
  });

  it('is a new disk of the last known good image, else of the one in place, where no disk is kept', () => {
    const earlier = [{ instanceId: '0', attemptId: 'a', from: v('1.0.0'), to: v('2.0.0'), wasHealthy: true }];
    const bare = { ...stuck, previousOsDisk: null };
    const wants = (more: Partial<Goal>) =>
      destinationOf(goal('repair', { quarantined, ...more }), set(), bare);
    expect(wants({ earlier })).toEqual({ version: v('1.0.0'), action: 'swap' });
    expect(wants({})).toEqual({ version: v('2.0.0'), action: 'swap' });
  });

  it('is nothing of other instances, unless they are named', () => {
    expect(destinationOf(goal('repair'), set(), instance())).toBeNull();
    expect(destinationOf(goal('repair', { instanceIds: ['0'] }), set(), instance())?.action).toBe('swap');
  });
});
